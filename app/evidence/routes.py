"""HTTP for what the machine showed: a part of the anomaly's page, and which tags people want to see there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from sqlmodel import Session

from app.anomaly import queries as anomalies
from app.evidence import actions, choices, queries
from app.evidence.words import Told, tell
from app.kit.http import AnyRequest, Db, Now, page, see, wants_fragment
from app.people.models import Person
from app.people.routes import Staff


@get("/anomalies/{anomaly_id:uuid}/evidence")
async def evidence_shown(
    request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    shown = await db.read(_shown, anomaly_id, staff, now=now)
    part = "evidence/_evidence.html" if wants_fragment(request) else "evidence/page.html"
    return page(request, part, **shown, may_choose=choices.may_choose(staff))


@get("/stations/{station_id:uuid}/evidence")
async def choice_page(request: AnyRequest, station_id: FromPath[UUID], staff: Staff, db: Db) -> Response[Any]:
    choices.require(staff)
    shown = await db.read(choices.offered, station_id)
    return page(request, "evidence/choice.html", **shown)


@post("/stations/{station_id:uuid}/evidence", status_code=303)
async def choose(request: AnyRequest, station_id: FromPath[UUID], staff: Staff, db: Db) -> Response[Any]:
    form = await request.form()
    given = {key: str(value) for key, value in form.items()}
    await db.write(choices.choose, station_id, given, by=staff)
    return see(f"/stations/{station_id}/evidence")


def _shown(session: Session, anomaly_id: UUID, viewer: Person, *, now: datetime) -> dict[str, Any]:
    card = anomalies.card(session, anomaly_id, viewer=viewer)
    told: list[Told] = [tell(one, now=now) for one in queries.of_anomaly(session, anomaly_id)]
    soon = not told and now - card.received_at < actions.TOO_OLD
    return {"card": card, "told": told, "running": soon or any(one.running for one in told)}


handlers = [evidence_shown, choice_page, choose]
