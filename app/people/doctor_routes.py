"""HTTP for the phone check: it runs in the page, for whoever opens it; its result is opened by an administrator."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Redirect
from sqlmodel import Session

from app.kit.errors import NotAllowed
from app.kit.guard import Limit
from app.kit.http import AnyRequest, Db, Now, page, see
from app.people import addresses, checks
from app.people.checks import Found
from app.people.models import Person, Role
from app.people.phonecheck import ROWS
from app.people.routes import Me, Staff, sender
from app.people.ways import CHAT

results = Limit(20)  # a minute, for one address: a whole line behind one access point


class Check(msgspec.Struct):
    """What each row of the check has found."""

    found: dict[str, Found]


@get("/doctor")
async def doctor_page(request: AnyRequest, me: Me, db: Db) -> Response[Any]:
    chat = await db.read(_chat, me) if me else "login"
    return page(request, "doctor/page.html", rows=ROWS, chat=chat)


@post("/doctor/checks", status_code=201)
async def keep_check(request: AnyRequest, data: JSONBody[Check], me: Me, db: Db, now: Now) -> dict[str, str]:
    results.take(sender(request), at=now.timestamp())
    device = request.headers.get("user-agent", "")
    return {"code": await db.write(checks.keep_check, data.found, person=me, device=device, now=now)}


@get("/doctor/open")
async def find_check(code: FromQuery[str] = "") -> Redirect:
    """Where an administrator types what was read out."""
    return see(f"/doctor/{checks.heard(code) or 'checks'}")


@get("/doctor/{code:str}")
async def check_page(request: AnyRequest, code: FromPath[str], staff: Staff, db: Db) -> Response[Any]:
    if staff.role.rank < Role.ADMIN.rank:
        raise NotAllowed()
    check, name = await db.read(checks.open_check, code)
    return page(request, "doctor/result.html", rows=ROWS, found=checks.rows_of(check), check=check, name=name)


def _chat(session: Session, person: Person) -> str:
    has = {address.channel for address in addresses.of_person(session, person.id)}
    return "ok" if has.intersection(CHAT) else "unbound"


handlers = [doctor_page, keep_check, find_check, check_page]
