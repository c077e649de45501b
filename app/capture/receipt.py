"""The receipt: every step with its time, also for an anonymous reporter. No black hole."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly import queries as anomalies
from app.anomaly.lifecycle import OWNED, Status
from app.anomaly.models import PEOPLE, Attachment, Event, Occurrence
from app.anomaly.queries import Card
from app.capture.actions import MOST_PHOTOS, NoSuchReport
from app.flows import queries as flows
from app.flows.document import FlowDocument
from app.people.models import Person

ASIDE = {
    "contain": "contained",
    "hold": "held",
    "hand_over": "handed_over",
    "release": "released",
    "send_back": "sent_back",
}
DONE, NOW, TODO, BAD = "done", "now", "todo", "bad"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the receipt. `kind` chooses the words; `names` are those who were called or did it."""

    kind: str
    state: str
    at: datetime | None = None
    names: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    key: UUID
    report: Occurrence
    card: Card
    steps: list[Step]
    files: list[Attachment]
    flow: FlowDocument
    can_recall: bool
    can_confirm: bool
    escalates_at: datetime | None
    room: int


def receipt(session: Session, key: UUID, *, viewer: Person | None) -> Receipt:
    """Return what became of a report.

    Raises:
        NoSuchReport
    """
    report = session.get(Occurrence, key)
    if report is None or report.kind not in PEOPLE:
        raise NoSuchReport()
    card = anomalies.card(session, report.anomaly_id, viewer=viewer)
    which = select(Attachment).where(col(Attachment.occurrence_id) == key).order_by(col(Attachment.created_at))
    files = list(session.exec(which).all())
    events = anomalies.timeline(session, card.id)
    waiting = card.status == Status.REPORTED
    mine = viewer is not None and card.resolver_id == viewer.id
    return Receipt(
        key=key,
        report=report,
        card=card,
        steps=steps(card.status, report.received_at, events),
        files=files,
        flow=flows.document(session, card.flow_version_id),
        can_recall=waiting and card.occurrences == 1,
        can_confirm=card.status == Status.RESOLVED and not mine,
        escalates_at=card.next_clock_at if waiting and card.rung else None,
        room=max(MOST_PHOTOS - sum(f.kind == "photo" for f in files), 0),
    )


def steps(status: Status, received_at: datetime, events: list[Event]) -> list[Step]:
    """Return the steps from "received" to "you confirmed", as far as they have come. Pure."""
    latest: dict[str, Event] = {}
    called: list[str] = []
    first_call: datetime | None = None
    for event in events:
        latest[event.kind] = event
        names = event.details.get("called")
        if event.kind == "called" and isinstance(names, list):
            first_call = first_call or event.at
            called += [str(name) for name in names if name not in called]
    done = [Step("received", DONE, received_at)]
    if status == Status.CANCELLED:
        return [*done, Step("cancelled", BAD, latest["cancel"].at if "cancel" in latest else None)]
    done.append(Step("called", DONE if called else NOW, first_call, ", ".join(called)))
    done.append(_step("accepted", latest.get("accept"), status != Status.REPORTED, running=bool(called)))
    arrived = status in (Status.ON_SITE, Status.CONTAINED, Status.RESOLVED, Status.WATCHING, Status.CLOSED)
    done.append(_step("on_site", latest.get("arrive"), arrived, running=status == Status.ACCEPTED))
    fixed = status in (Status.RESOLVED, Status.WATCHING, Status.CLOSED)
    done.append(_step("fixed", latest.get("resolve"), fixed, running=status in OWNED - {Status.ACCEPTED}))
    checked = status in (Status.WATCHING, Status.CLOSED)
    done.append(_step("checked", latest.get("verify"), checked, running=status == Status.RESOLVED))
    return _in_between(done, events)


def _in_between(steps: list[Step], events: list[Event]) -> list[Step]:
    """Put what happened beside the straight road in its place: held, contained, handed over, given or sent back."""
    past = [step for step in steps if step.state == DONE]
    past += [
        Step(ASIDE[event.kind], DONE, event.at, event.by)
        for event in events
        if event.kind in ASIDE and (event.kind != "hand_over" or event.details.get("taken"))
    ]
    first, *rest = past
    rest.sort(key=lambda step: (step.at is not None, step.at))
    return [first, *rest, *(step for step in steps if step.state != DONE)]


def _step(kind: str, event: Event | None, reached: bool, *, running: bool) -> Step:
    if not reached:
        return Step(kind, NOW if running else TODO)
    return Step(kind, DONE, event.at if event else None, event.by if event else "")
