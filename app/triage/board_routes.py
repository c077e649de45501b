"""HTTP for screens in the hall: whoever has the address sees what is open; there is nothing to press."""

from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from app.anomaly.routes import WORDS
from app.kit import i18n
from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Now, page
from app.plant import queries as plant
from app.triage.board import wall

STATE_WORDS = {
    "stopped": N_("LINE STOPPED"),
    "waiting": N_("needs help"),
    "owned": N_("somebody is on it"),
    "check": N_("to be checked"),
    "clear": N_("all clear"),
    "normal": N_("normal"),
}


@get("/board/{token:str}")
async def board_page(
    request: AnyRequest, token: FromPath[str], db: Db, now: Now, lang: FromQuery[str] = ""
) -> Response[Any]:
    return await _show(request, "board/board.html", token, db, now, lang)


@get("/board/{token:str}/wall")
async def board_wall(
    request: AnyRequest, token: FromPath[str], db: Db, now: Now, lang: FromQuery[str] = ""
) -> Response[Any]:
    return await _show(request, "board/_wall.html", token, db, now, lang)


async def _show(request: AnyRequest, template: str, token: str, db: Any, now: Any, lang: str) -> Response[Any]:
    board = await db.read(plant.board, token)
    seen = await db.read(wall, board, now=now)
    if lang in i18n.LANGUAGES:  # a television has no language of its own
        i18n.language.set(lang)
    zone = ZoneInfo(i18n.timezone.get())
    offset = now.astimezone(zone).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    return page(
        request, template, board=board, wall=seen, token=token, at=now, offset=minutes, state_words=STATE_WORDS, **WORDS
    )


handlers = [board_page, board_wall]
