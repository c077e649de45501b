"""HTTP for the one queue."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.anomaly import queries as anomalies
from app.anomaly.routes import WORDS, show
from app.kit.http import AnyRequest, Db, Form, Now, page, see
from app.people.routes import Staff
from app.triage import actions
from app.triage.queries import queue

TABS = ("mine", "team", "all")
LARGEST_NUMBER = 2**31 - 1  # what every database takes


class SeverityForm(Form):
    severity: int


class SplitForm(Form):
    occurrence: str


class MergeForm(Form):
    number: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]


@get("/queue")
async def queue_page(
    request: AnyRequest, staff: Staff, db: Db, now: Now, tab: FromQuery[str] = "mine"
) -> Response[Any]:
    shown = tab if tab in TABS else TABS[0]
    found = await db.read(queue, shown, staff, now=now)
    return page(request, "queue/page.html", tab=shown, cards=found.cards, counts=found.counts, more=found.more,
                handled=found.handled, **WORDS)  # fmt: skip


@get("/queue/list")
async def queue_list(
    request: AnyRequest, staff: Staff, db: Db, now: Now, tab: FromQuery[str] = "mine"
) -> Response[Any]:
    shown = tab if tab in TABS else TABS[0]
    found = await db.read(queue, shown, staff, now=now)
    return page(request, "queue/_list.html", tab=shown, cards=found.cards, counts=found.counts, more=found.more,
                handled=found.handled, **WORDS)  # fmt: skip


@post("/anomalies/{anomaly_id:uuid}/severity", status_code=200)
async def regrade(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[SeverityForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    await db.write(actions.regrade, anomaly_id, data.severity, by=staff, now=now)
    return show(request, await db.read(anomalies.card, anomaly_id, viewer=staff))


@post("/anomalies/{anomaly_id:uuid}/split", status_code=303)
async def split(
    anomaly_id: FromPath[UUID], data: URLEncodedBody[SplitForm], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    other = await db.write(actions.split, anomaly_id, data.occurrence, by=staff, now=now)
    return see(f"/anomalies/{other.id}")


@post("/anomalies/{anomaly_id:uuid}/merge", status_code=303)
async def merge(
    anomaly_id: FromPath[UUID], data: URLEncodedBody[MergeForm], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    into = await db.write(actions.merge, anomaly_id, data.number, by=staff, now=now)
    return see(f"/anomalies/{into.id}")


handlers = [queue_page, queue_list, regrade, split, merge]
