"""HTTP for screens in the hall: administrators put them up and take them down; screens say what they show."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, URLEncodedBody
from litestar.response import Redirect

from app.dispatch import boards
from app.dispatch.routes import Secret
from app.kit.errors import BadInput, NotAllowed
from app.kit.http import AnyRequest, Db, Form, Now, Site, page, see
from app.people.models import Role
from app.people.routes import Staff
from app.plant import queries as plant

MOST_SHOWN = 50


class BoardForm(Form):
    name: str = ""
    area_id: str = ""
    names_shown: str = ""


class Shown(msgspec.Struct):
    anomalies: Annotated[list[UUID], msgspec.Meta(max_length=MOST_SHOWN)]


@get("/boards")
async def boards_page(request: AnyRequest, staff: Staff, db: Db) -> Response[Any]:
    if staff.role != Role.ADMIN:
        raise NotAllowed()
    return await _page(request, db, new=None)


@post("/boards", status_code=201)
async def put_up(
    request: AnyRequest,
    data: URLEncodedBody[BoardForm],
    staff: Staff,
    db: Db,
    now: Now,
    secret: Secret,
    config: Site,
) -> Response[Any]:
    board, token = await db.write(
        boards.put_up,
        data.name,
        area_id=_id(data.area_id),
        names_shown=bool(data.names_shown),
        by=staff,
        now=now,
        secret=secret,
    )
    url = f"{config.public_url.rstrip('/')}/board/{token}"
    return await _page(request, db, status=201, new={"name": board.name, "url": url})


@post("/boards/{board_id:uuid}/removal", status_code=303)
async def take_down(board_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(boards.take_down, board_id, by=staff, now=now)
    return see("/boards")


@post("/board/{token:str}/shown", status_code=204)
async def shown(token: FromPath[str], data: JSONBody[Shown], db: Db, now: Now) -> None:
    board = await db.read(plant.board, token)
    await db.write(boards.shown, board, data.anomalies, now=now)


def _id(text: str) -> UUID | None:
    """Return what a list's choice means; its first one, the whole site, is empty."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadInput() from None


async def _page(request: AnyRequest, db: Any, *, new: dict[str, str] | None, status: int = 200) -> Response[Any]:
    hanging, areas = await db.read(boards.boards), await db.read(plant.areas)
    return page(request, "board/boards.html", status=status, boards=hanging, areas=areas, new=new)


handlers = [boards_page, put_up, take_down, shown]
