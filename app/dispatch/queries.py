"""Did it ring? What was planned, sent, shown, opened and accepted, for the people who look at it.

Longer than most files because the list, the one line and the figures must say the same of the same deliveries.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.models import Event
from app.dispatch.models import CHANGE, NEWS, Delivery, DeliveryState, Outlet
from app.people.models import Address, Person

SILENT = ("log", "stream")  # what makes no sound: the one is a note, the other a page somebody has open
BEGINS = ("recur", "release")  # from here on it waits for somebody again
LATEST = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """One delivery and how far it got. `person` is who, or the name of the place that was rung."""

    anomaly_id: UUID | None
    person_id: UUID | None
    person: str
    device: str
    address_id: UUID | None
    channel: str
    purpose: str
    why: dict[str, object]
    planned_at: datetime
    sent_at: datetime | None
    displayed_at: datetime | None
    opened_at: datetime | None
    accepted_at: datetime | None
    state: DeliveryState
    error: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    anomaly_id: UUID
    person_id: UUID | None
    at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How many phones rang, how many of them showed it, how many people accepted."""

    rang: int = 0
    displayed: int = 0
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """Who was called because of one anomaly, latest first, and how far that got since it waits for somebody."""

    calls: list[Call]
    reached: Reached


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from planned to displayed on one channel: half were faster than `p50`, 95 of 100 faster than `p95`."""

    channel: str
    displayed: int
    p50: float
    p95: float


def calls(session: Session, anomalies: Collection[UUID], *, limit: int = 60) -> list[Call]:
    """Return who was called because of these anomalies, latest first."""
    which: Any = (
        select(Delivery, Person.name, Outlet.name, Address.label)
        .outerjoin(Person, col(Person.id) == col(Delivery.person_id))
        .outerjoin(Outlet, col(Outlet.id) == col(Delivery.outlet_id))
        .outerjoin(Address, col(Address.id) == col(Delivery.address_id))
        .where(col(Delivery.anomaly_id).in_(anomalies), col(Delivery.channel) != "log", Delivery.purpose != CHANGE)
        .order_by(col(Delivery.planned_at).desc(), col(Person.name), col(Delivery.channel).desc(), col(Delivery.id))
        .limit(limit)
    )
    found = session.exec(which).all()
    by_whom = _credited([row for row, *_ in found], acceptances(session, anomalies))
    return [_call(row, person or place or "", device, by_whom.get(row.id)) for row, person, place, device in found]


def told(session: Session, anomalies: Collection[UUID], *, limit: int = 60) -> dict[UUID, Told]:
    """Return for each of these anomalies who was called, and how far that got."""
    found: dict[UUID, list[Call]] = {one: [] for one in anomalies}
    for call in calls(session, anomalies, limit=limit):
        if call.anomaly_id:
            found[call.anomaly_id].append(call)
    accepted, since = acceptances(session, anomalies), waits_since(session, anomalies)
    return {
        one: Told(theirs, reached(theirs, [a for a in accepted if a.anomaly_id == one], since=since.get(one)))
        for one, theirs in found.items()
    }


def acceptances(session: Session, anomalies: Collection[UUID]) -> list[Acceptance]:
    """Return who accepted these anomalies, when and over which channel, first to last."""
    which = select(Event.anomaly_id, Event.by_id, Event.at, Event.details).where(
        col(Event.anomaly_id).in_(anomalies), col(Event.kind) == "accept"
    )
    found = session.exec(which.order_by(col(Event.seq)))
    return [Acceptance(anomaly, person, at, str(said.get("via", "stream"))) for anomaly, person, at, said in found]


def reached(found: Iterable[Call], accepted: Iterable[Acceptance], *, since: datetime | None = None) -> Reached:
    """Return how far the calls planned since then got: each phone once, however often it rang. Pure.

    Who has Pullcord open and saw it there was reached too: on their phones, or, without one, on that page.
    """
    rang: set[tuple[object, ...]] = set()
    shown: set[tuple[object, ...]] = set()
    looking: set[UUID] = set()
    for call in found:
        if call.person_id is None or call.purpose == NEWS or (since and call.planned_at < since):
            continue
        phone = call.person_id, call.address_id, call.channel
        if call.channel in SILENT:
            looking |= {call.person_id} if call.displayed_at else set()
        elif call.sent_at or call.displayed_at:
            rang.add(phone)
            shown |= {phone} if call.displayed_at else set()
    for person in looking:
        theirs = {phone for phone in rang if phone[0] == person} or {(person,)}
        rang, shown = rang | theirs, shown | theirs
    people = {one.person_id for one in accepted if since is None or one.at >= since}
    return Reached(len(rang), len(shown), len(people))


def waits_since(session: Session, anomalies: Collection[UUID]) -> dict[UUID, datetime]:
    """Return since when each of these waits for somebody again; who is missing waits since it was reported."""
    which = select(Event.anomaly_id, Event.at).where(col(Event.anomaly_id).in_(anomalies), col(Event.kind).in_(BEGINS))
    return dict(session.exec(which.order_by(col(Event.seq))).all())


def latencies(session: Session, *, since: datetime) -> list[Latency]:
    """Return how fast each channel was since then, by what phones said they had shown; the latest `LATEST` of them."""
    which = (
        select(Delivery.channel, Delivery.planned_at, Delivery.displayed_at)
        .where(col(Delivery.displayed_at) >= since, col(Delivery.purpose) != NEWS)
        .order_by(col(Delivery.displayed_at).desc())
        .limit(LATEST)
    )
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for channel, planned, displayed in session.exec(which):
        seconds[channel].append(max((displayed - planned).total_seconds(), 0) if displayed else 0)
    return [Latency(channel, len(took), *_percentiles(took)) for channel, took in sorted(seconds.items())]


def proof(session: Session, person_id: UUID, deliveries: Sequence[UUID]) -> list[Call]:
    """Return how far a test got that somebody sent to themselves, in the order of `deliveries`."""
    which: Any = (
        select(Delivery, Address.label)
        .outerjoin(Address, col(Address.id) == col(Delivery.address_id))
        .where(col(Delivery.id).in_(deliveries), col(Delivery.person_id) == person_id)
    )
    found = {row.id: (row, label or "") for row, label in session.exec(which)}
    return [_call(found[one][0], "", found[one][1], None) for one in deliveries if one in found]


def _credited(deliveries: Sequence[Delivery], accepted: Iterable[Acceptance]) -> dict[UUID, datetime]:
    """Return which deliveries made somebody accept: the last on the channel they accepted over, else their last."""
    found: dict[UUID, datetime] = {}
    for one in accepted:
        theirs = [d for d in deliveries if (d.anomaly_id, d.person_id) == (one.anomaly_id, one.person_id)]
        before = [d for d in theirs if d.planned_at <= one.at]
        if one.person_id and before:
            there = [d for d in before if d.channel == one.channel]
            found[max(there or before, key=lambda d: d.planned_at).id] = one.at
    return found


def _call(row: Delivery, whom: str, device: str | None, accepted_at: datetime | None) -> Call:
    return Call(
        anomaly_id=row.anomaly_id,
        person_id=row.person_id,
        person=whom,
        device=device or "",
        address_id=row.address_id,
        channel=row.channel,
        purpose=row.purpose,
        why=row.why,
        planned_at=row.planned_at,
        sent_at=row.sent_at,
        displayed_at=row.displayed_at,
        opened_at=row.opened_at,
        accepted_at=accepted_at,
        state=row.state,
        error=row.error,
    )


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    cuts = quantiles(seconds, n=20, method="inclusive")
    return cuts[9], cuts[18]
