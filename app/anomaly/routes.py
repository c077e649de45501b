"""HTTP for one anomaly: its page, its card on any list, and the stream that keeps pages alive."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from sqlmodel import Session, select

from app.anomaly import queries
from app.anomaly.lifecycle import STATUS_WORDS
from app.anomaly.models import Anomaly, Attachment, Event, Occurrence, Purpose
from app.anomaly.queries import Card
from app.anomaly.stream import Broadcaster
from app.anomaly.words import END_WORDS, SEVERITY_WORDS, event_detail, event_words
from app.flows import queries as flows
from app.kit.clock import utcnow
from app.kit.http import AnyRequest, Db, Now, page, see, wants_fragment
from app.kit.i18n import named
from app.people.models import Person
from app.people.routes import Staff
from app.rosters import queries as rosters

WORDS: dict[str, Any] = {
    "status_words": STATUS_WORDS,
    "severity_words": SEVERITY_WORDS,
    "end_words": END_WORDS,
}
Live = NamedDependency[Broadcaster]


@get("/anomalies/{anomaly_id:uuid}")
async def anomaly_page(
    request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    shown = await db.read(_page, anomaly_id, staff, now=now)
    shown["timeline"] = [_told(event) for event in shown["timeline"]]  # here: only the request knows the language
    return page(request, "anomaly/page.html", **shown, **WORDS)


@get("/anomalies/{anomaly_id:uuid}/card")
async def anomaly_card(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db) -> Response[Any]:
    return show(request, await db.read(queries.card, anomaly_id, viewer=staff))


@get("/anomalies/{anomaly_id:uuid}/head")
async def anomaly_head(
    request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    card = await db.read(queries.card, anomaly_id, viewer=staff, now=now)
    return page(request, "anomaly/_head.html", card=card, **WORDS)


@get("/anomalies/{anomaly_id:uuid}/timeline")
async def anomaly_timeline(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db) -> Response[Any]:
    events = await db.read(queries.timeline, anomaly_id)
    return page(request, "anomaly/_timeline.html", timeline=[_told(event) for event in events], anomaly_id=anomaly_id)


@get("/stream")
async def stream(request: AnyRequest, live: Live) -> Stream:
    """Server-sent events. What they carry is no secret of anybody: numbers and states, no names, no texts."""
    given = str(request.headers.get("last-event-id") or request.query_params.get("last") or "")
    last = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None
    since = _moment(request.query_params.get("since") or "")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Stream(live.listen(last, since=since, clock=utcnow), media_type="text/event-stream", headers=headers)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def show(request: AnyRequest, card: Card) -> Response[Any]:
    """Answer a button: the part of the page it stood in, or the whole page for a browser without JavaScript."""
    if not wants_fragment(request):
        return see(card.url)
    head = request.headers.get("hx-target", "").startswith("anomaly-head")
    answer = page(request, "anomaly/_head.html" if head else "anomaly/_card.html", card=card, **WORDS)
    answer.headers["HX-Trigger"] = "changed-here"
    return answer


def _page(session: Session, anomaly_id: UUID, viewer: Person, *, now: Any) -> dict[str, Any]:
    card = queries.card(session, anomaly_id, viewer=viewer, now=now)
    files = [_file(row) for row in queries.attachments(session, anomaly_id)]
    previous = session.get_one(Anomaly, anomaly_id).previous_id
    signals = queries.occurrences(session, anomaly_id)
    prints = {signal.fingerprint for signal in signals}
    return {
        "card": card,
        "photos": [f for f in files if f["kind"] == "photo" and f["purpose"] == Purpose.REPORT],
        "photos_after": [f for f in files if f["kind"] == "photo" and f["purpose"] == Purpose.AFTER],
        "voices": [f for f in files if f["kind"] == "voice"],
        "occurrences": [_signal(signal, splittable=len(prints) > 1) for signal in signals],
        "timeline": queries.timeline(session, anomaly_id),
        "flow": flows.document(session, card.flow_version_id),
        "hand_to": [
            {"id": person.id, "name": person.name, "team": team.names if team else None}
            for person, team in rosters.colleagues(session, viewer, now=now)
        ],
        "history": queries.at_station(session, card.station_id, is_open=False, limit=5, viewer=viewer),
        "previous": session.exec(select(Anomaly.id, Anomaly.number).where(Anomaly.id == previous)).first(),
        "anomaly_id": anomaly_id,
    }


def _told(event: Event) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "kind": event.kind,
        "at": event.at,
        "by": event.by,
        "text": event_words(event),
        "detail": event_detail(event),
    }


def _signal(signal: Occurrence, *, splittable: bool) -> dict[str, Any]:
    return {
        "id": queries.handle(signal.id),
        "source": signal.source,
        "kind": signal.kind,
        "message": named(said) if isinstance(said := signal.details.get("message"), dict) else signal.message,
        "at": signal.occurred_at,
        "details": signal.details,
        "splittable": splittable,
    }


def _file(row: Attachment) -> dict[str, Any]:
    url = f"/files/{row.id}"
    kind: dict[str, Any] = {"id": row.id, "kind": row.kind, "purpose": row.purpose}
    return {**kind, "url": f"{url}/full", "thumb": f"{url}/thumb", "duration_ms": row.duration_ms or 0}


handlers = [anomaly_page, anomaly_card, anomaly_head, anomaly_timeline, stream]
