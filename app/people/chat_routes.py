"""HTTP for who one is in a chat."""

from typing import Any

from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from app.kit.guard import Limit
from app.kit.http import AnyRequest, Db, Form, Now, page, see
from app.people import chat
from app.people.routes import Staff

tries = Limit(10)  # a minute, for one person: codes cannot be guessed


class CodeForm(Form):
    code: str = ""


@get("/me/chat")
async def chat_page(request: AnyRequest, staff: Staff) -> Response[Any]:
    return page(request, "people/chat.html", length=chat.LENGTH)


@post("/me/chat", status_code=303)
async def bind(data: URLEncodedBody[CodeForm], staff: Staff, db: Db, now: Now) -> Redirect:
    tries.take(str(staff.id), at=now.timestamp())
    await db.write(chat.bind, staff, data.code, now=now)
    return see("/me")


handlers = [chat_page, bind]
