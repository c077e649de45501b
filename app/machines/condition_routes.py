"""HTTP for the alarms that a machine itself has: how they stand, and how they are taken."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody

from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Form, Now, check_text, page, see
from app.machines import condition_settings
from app.machines.condition_settings import BadConditionSettings
from app.machines.conditions import SEVERITIES
from app.machines.routes import Admin, Engineer

EMPTY_ROWS: Final = 2
HIDDEN_WORDS: Final = {
    "shelved": N_("shelved at the machine"),
    "suppressed": N_("suppressed at the machine"),
    "out_of_service": N_("out of service at the machine"),
}


class ConditionForm(Form):
    conditions: str = ""
    acknowledge: str = ""
    urgent: str = ""
    serious: str = ""
    ordinary: str = ""
    minor: str = ""
    notifiers: str = ""
    others: str = ""
    said: list[str] | str = []
    station: list[str] | str = []


@get("/machines/{source_id:uuid}/conditions")
async def conditions_page(
    request: AnyRequest, source_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now
) -> Response[Any]:
    shown = await db.read(condition_settings.show, source_id, now=now)
    places = [(said, station) for said, station in shown.places.items() if said]
    return page(
        request,
        "machines/conditions.html",
        shown=shown,
        source=shown.source,
        settings=shown.settings,
        limits=shown.settings.severities if shown.settings else SEVERITIES,
        places=[*places, *[("", None)] * EMPTY_ROWS],
        others=shown.places.get(""),
        hidden=HIDDEN_WORDS,
    )


@post("/machines/{source_id:uuid}/conditions", status_code=303)
async def save_conditions(
    source_id: FromPath[UUID], data: URLEncodedBody[ConditionForm], admin: Admin, db: Db
) -> Response[Any]:
    rows = zip(_many(data.said), _many(data.station), strict=False)
    places = {said.strip(): _id(station) for said, station in rows if said.strip()}
    if data.others:
        places[""] = _id(data.others)
    await db.write(
        condition_settings.save,
        source_id,
        conditions=bool(data.conditions),
        acknowledge=bool(data.acknowledge),
        severities=[_number(one) for one in (data.urgent, data.serious, data.ordinary, data.minor)],
        notifiers=[line.strip() for line in data.notifiers.splitlines() if line.strip()],
        places=places,
    )
    return see(f"/machines/{source_id}/conditions")


def _many(texts: list[str] | str) -> list[str]:
    many = [texts] if isinstance(texts, str) else texts
    for text in many:
        check_text(text)
    return many


def _number(text: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit() or len(text) > 6:
        raise BadConditionSettings()
    return int(text)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadConditionSettings() from error


handlers = (conditions_page, save_conditions)
