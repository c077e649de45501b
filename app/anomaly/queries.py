"""Anomalies as people see them: the card on every list, the timeline, what is attached.

Longer than most files because a card has many facts, and every list shows the same card.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly, Attachment, Clock, Event, Occurrence
from app.anomaly.permissions import may
from app.flows import queries as flows
from app.flows.document import FlowDocument
from app.kit.columns import Names
from app.kit.errors import NotFound
from app.kit.i18n import named
from app.machines.gate import Abnormal, abnormal
from app.people.models import Person, Team
from app.plant.models import Line, Station

Told = tuple[Event, int, Status]
"""An event with its anomaly's number and present status."""

Owner = aliased(Person)
Offered = aliased(Person)


@dataclass(slots=True)
class Card:
    """One anomaly on any list, with what this viewer may do."""

    id: UUID
    number: int
    station_id: UUID
    station_code: str
    station: Names
    line: Names
    category: str
    category_names: Names
    icon: str
    symptom: Names | None
    message: str
    origin: str
    severity: int
    status: Status
    received_at: datetime
    ended_at: datetime | None
    clock: str | None
    next_clock_at: datetime | None
    rung: int
    owner: str
    owner_id: UUID | None
    offered_to: str
    offered_to_id: UUID | None
    resolver_id: UUID | None
    helpers: dict[str, str] | None
    occurrences: int
    me_too: int
    photo: str | None
    alarms: int
    alarms_active: int
    held: bool
    held_until: datetime | None
    hold_reason: str
    line_stopped: bool | None
    danger: bool | None
    practice: bool
    team: Names | None
    team_id: UUID | None
    flow_version_id: UUID
    end_reason: str
    mine: bool = False
    fix: str = ""
    blocked: list[Abnormal] = field(default_factory=list)
    can: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"/anomalies/{self.id}"


def statement() -> Select[Any]:
    """Return the select that `cards` understands; callers add where, order and limit."""
    found: Select[Any] = (
        select(Anomaly, Station.code, Station.names, Line.names, Owner.name, Offered.name, Team.names)  # type: ignore[call-overload]
        .join(Station, col(Station.id) == col(Anomaly.station_id))
        .join(Line, col(Line.id) == col(Anomaly.line_id))
        .outerjoin(Owner, col(Owner.id) == col(Anomaly.owner_id))
        .outerjoin(Offered, col(Offered.id) == col(Anomaly.offered_to_id))
        .outerjoin(Team, col(Team.id) == col(Anomaly.team_id))
    )
    return found


def cards(session: Session, which: Select[Any], *, viewer: Person | None) -> list[Card]:
    """Run a `statement()` and return its anomalies as `viewer` sees them."""
    return [_card(session, *row, viewer=viewer) for row in session.execute(which)]


def card(session: Session, anomaly_id: UUID, *, viewer: Person | None, now: datetime | None = None) -> Card:
    """Return one anomaly as `viewer` sees it; with `now` also what keeps it from being verified.

    Raises:
        NotFound: there is none with this id.
    """
    found = cards(session, statement().where(col(Anomaly.id) == anomaly_id), viewer=viewer)
    if not found:
        raise NotFound()
    if now is not None and found[0].alarms and found[0].status == Status.RESOLVED:
        found[0].blocked = abnormal(session, alarm_rules(session, anomaly_id), now=now)
    return found[0]


def get(session: Session, anomaly_id: UUID) -> Anomaly:
    """Return the row to change it, fresh from the database and ours until the transaction ends.

    Whoever else wants to change it waits, and then sees what we did. Its signals may still be written meanwhile
    (key_share): a flood does not wait for a thumb.

    Raises:
        NotFound: there is none with this id.
    """
    anomaly = session.get(Anomaly, anomaly_id, populate_existing=True, with_for_update={"key_share": True})
    if anomaly is None:
        raise NotFound()
    return anomaly


def at_station(session: Session, station_id: UUID, *, is_open: bool, limit: int, viewer: Person | None) -> list[Card]:
    """Return what is open at a station (worst first), or what ended there (latest first)."""
    which = statement().where(col(Anomaly.station_id) == station_id, col(Anomaly.in_queue).is_(is_open))
    order = (col(Anomaly.severity), col(Anomaly.received_at)) if is_open else (col(Anomaly.received_at).desc(),)
    found = cards(session, which.order_by(*order, col(Anomaly.id)).limit(limit), viewer=viewer)
    if found and not is_open:
        _add_fixes(session, found)
    return found


def timeline(session: Session, anomaly_id: UUID, *, limit: int = 200) -> list[Event]:
    """Return what happened, oldest first; of more than `limit` events the first half and the last.

    A machine that chatters must not push out who was called and who came.
    """
    here = select(Event).where(col(Event.anomaly_id) == anomaly_id)
    latest = session.exec(here.order_by(col(Event.seq).desc()).limit(limit)).all()
    if len(latest) < limit:
        return list(reversed(latest))
    half = limit // 2
    found = {event.seq: event for event in session.exec(here.order_by(col(Event.seq)).limit(half))}
    found |= {event.seq: event for event in reversed(latest[: limit - half])}
    return list(found.values())


def occurrences(session: Session, anomaly_id: UUID, *, limit: int = 50) -> Sequence[Occurrence]:
    """Return the signals that belong to an anomaly, latest first."""
    which = select(Occurrence).where(col(Occurrence.anomaly_id) == anomaly_id)
    return session.exec(
        which.order_by(col(Occurrence.received_at).desc(), col(Occurrence.id).desc()).limit(limit)
    ).all()


def alarm_rules(session: Session, anomaly_id: UUID) -> Sequence[UUID]:
    """Return the alarm rules that brought it here. A machine's own alarm has none."""
    which = select(Occurrence.rule_id).where(
        col(Occurrence.anomaly_id) == anomaly_id, col(Occurrence.kind) == "alarm", col(Occurrence.rule_id).is_not(None)
    )
    return [rule_id for rule_id in session.exec(which.distinct()) if rule_id]


def handle(occurrence_id: UUID) -> str:
    """Return what pages for staff call a signal. Its id opens the reporter's receipt, so it is shown to nobody else."""
    return hashlib.sha256(occurrence_id.bytes).hexdigest()[:16]


def attachments(session: Session, anomaly_id: UUID) -> Sequence[Attachment]:
    """Return photos and voice notes, oldest first."""
    which = select(Attachment).where(col(Attachment.anomaly_id) == anomaly_id)
    return session.exec(which.order_by(col(Attachment.created_at), col(Attachment.id))).all()


def last_seq(session: Session) -> int:
    """Return the number of the latest event, 0 when nothing ever happened."""
    return session.exec(select(func.max(Event.seq))).one() or 0


def graded_by_hand(session: Session, anomaly_id: UUID) -> bool:
    """Tell whether a person has set the severity: then no signal changes it any more."""
    which = select(Event.seq).where(
        col(Event.anomaly_id) == anomaly_id, col(Event.kind) == "regrade", col(Event.by_id).is_not(None)
    )
    return session.exec(which.limit(1)).first() is not None


def events_since(session: Session, moment: datetime, *, limit: int) -> list[Told] | None:
    """Return the events since `moment` in order; None when there are more than `limit`."""
    latest = (
        select(Event, Anomaly.number, Anomaly.status)
        .join(Anomaly, col(Anomaly.id) == col(Event.anomaly_id))
        .order_by(col(Event.seq).desc())
        .limit(limit)
    )
    found = [(event, number, Status(status)) for event, number, status in session.exec(latest)]
    recent = [told for told in found if told[0].at >= moment]
    return None if len(recent) == limit else recent[::-1]


def events_after(session: Session, seq: int, *, limit: int = 500) -> list[Told]:
    """Return the events after `seq` in order, each with its anomaly's number and present status."""
    which = (
        select(Event, Anomaly.number, Anomaly.status)
        .join(Anomaly, col(Anomaly.id) == col(Event.anomaly_id))
        .where(col(Event.seq) > seq)
        .order_by(col(Event.seq))
        .limit(limit)
    )
    return [(event, number, Status(status)) for event, number, status in session.exec(which)]


def _add_fixes(session: Session, ended: list[Card]) -> None:
    """Say of what has ended how it was fixed, as the last resolver told it."""
    told = (
        select(Event.anomaly_id, Event.details)
        .where(col(Event.anomaly_id).in_([card.id for card in ended]), col(Event.kind) == "resolve")
        .order_by(col(Event.seq))
    )
    fixes = {
        anomaly_id: str(details.get("fix") or details.get("cause") or "") for anomaly_id, details in session.exec(told)
    }
    for card in ended:
        card.fix = fixes.get(card.id, "")


def _next_call(a: Anomaly, flow: FlowDocument) -> datetime | None:
    """When somebody else is called if nobody accepts. Dispatch may look sooner: has any phone shown it?"""
    if a.clock != Clock.ACCEPTED or a.clock_from is None:
        return None
    rungs = flow.ladder(a.severity).of(Clock.ACCEPTED)
    return a.clock_from + timedelta(seconds=rungs[a.rung].after) if a.rung < len(rungs) else None


def _card(
    session: Session,
    a: Anomaly,
    code: str,
    station: Names,
    line: Names,
    owner: str | None,
    offered: str | None,
    team: Names | None,
    *,
    viewer: Person | None,
) -> Card:
    flow = flows.document(session, a.flow_version_id)
    made = Card(
        id=a.id,
        number=a.number,
        station_id=a.station_id,
        station_code=code,
        station=station,
        line=line,
        category=a.category,
        category_names=flow.names,
        icon=flow.icon,
        symptom=next((s.names for s in flow.symptoms if s.key == a.symptom), None),
        message=named(a.said) or a.message,
        origin=a.origin,
        severity=a.severity,
        status=a.status,
        received_at=a.received_at,
        ended_at=a.ended_at,
        clock=a.clock,
        next_clock_at=_next_call(a, flow) or a.next_clock_at,
        rung=a.rung,
        owner=owner or "",
        owner_id=a.owner_id,
        offered_to=offered or "",
        offered_to_id=a.offered_to_id,
        resolver_id=a.resolver_id,
        helpers=a.helpers,
        occurrences=a.occurrences,
        me_too=a.me_too,
        photo=f"/files/{a.photo_id}/thumb" if a.photo_id else None,
        alarms=a.alarms,
        alarms_active=a.alarms_active,
        held=a.held_since is not None,
        held_until=a.held_until,
        hold_reason=a.hold_reason,
        line_stopped=a.line_stopped,
        danger=a.danger,
        practice=a.practice,
        team=team,
        team_id=a.team_id,
        flow_version_id=a.flow_version_id,
        end_reason=a.end_reason,
        mine=viewer is not None and a.owner_id == viewer.id,
    )
    made.can = may(made, viewer)
    return made
