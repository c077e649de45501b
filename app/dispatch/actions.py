"""Events and clocks in, deliveries out. Each `*_next` takes a batch of due rows in one transaction.

Longer than most files because a strike is one thought: the rungs that are due, whom they mean, and when to look again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import insert, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from app.anomaly.actions import NOBODY, advance, record
from app.anomaly.lifecycle import Action
from app.anomaly.models import Anomaly, Clock, Event
from app.dispatch.ladder import again_after, look
from app.dispatch.models import CALL, NEWS, Delivery, DeliveryState
from app.dispatch.recipients import Recipient, recipients
from app.flows import queries as flows
from app.flows.document import FlowDocument, Rung
from app.flows.ladders import OWNER
from app.kit.ids import new_id
from app.people import queries as people
from app.people.models import Address, Person, Team
from app.rosters import queries as rosters

BATCH = 200
log = structlog.get_logger()
HOLD_REMINDER = timedelta(hours=1)  # a hold nobody has looked at again
SET_ASIDE = timedelta(minutes=1)


def due(session: Session, *, now: datetime) -> bool:
    """Tell whether a clock has struck or news wait: a cheap look on a reader, before the writer is asked."""
    clock = select(Anomaly.id).where(col(Anomaly.next_clock_at) <= now).limit(1)
    news = select(Event.seq).where(col(Event.told_at).is_(None)).limit(1)
    return session.exec(clock).first() is not None or session.exec(news).first() is not None


def strike_next(session: Session, *, now: datetime, channels: Iterable[str]) -> int:
    """Call the rungs that are due. Each rung of each round once, whoever else is doing the same."""
    due = (
        select(Anomaly)
        .where(col(Anomaly.next_clock_at) <= now)
        .order_by(col(Anomaly.next_clock_at), col(Anomaly.id))
        .limit(BATCH)
        .with_for_update(skip_locked=True, key_share=True)
    )
    anomalies = session.exec(due).all()
    if anomalies:
        plant = _Plant(session, set(channels), now)
        for anomaly in anomalies:
            with _apart(session, plant, anomaly, now=now):
                _strike(session, plant, anomaly, now=now)
        plant.write()
    return len(anomalies)


def tell_next(session: Session, *, now: datetime, channels: Iterable[str]) -> int:
    """Pass on news: whoever has to know of an event, and did not cause it, hears of it."""
    untold = (
        select(Event)
        .where(col(Event.told_at).is_(None))
        .order_by(col(Event.seq))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    events = session.exec(untold).all()
    if events:
        plant = _Plant(session, set(channels), now)
        for event in events:
            event.told_at = now
            session.add(event)
            anomaly = session.get_one(Anomaly, event.anomaly_id)
            told = event.details.get("to_id") or anomaly.owner_id
            person = plant.everybody(anomaly.site_id).get(UUID(str(told))) if told else None
            if person and person.id != event.by_id:
                why: dict[str, object] = {"news": event.kind, "by": event.by}
                plant.plan(anomaly, [Recipient(person, why)], NEWS, f"{event.seq}")
        plant.write()
    return len(events)


def _strike(session: Session, plant: "_Plant", anomaly: Anomaly, *, now: datetime) -> None:
    flow = flows.document(session, anomaly.flow_version_id)
    if anomaly.clock == Clock.WATCH:
        until = (anomaly.clock_from or now) + timedelta(days=flow.watch_days)
        if until <= now:
            advance(session, anomaly, Action.CLOSE, by=NOBODY, now=now)
        else:
            _next(session, anomaly, anomaly.rung, until)
        return
    if anomaly.clock == Clock.HOLD:
        owner = Rung(clock="hold", after=0, call=(OWNER,))
        _call(session, plant, anomaly, flow, owner, anomaly.rung, now=now)
        _next(session, anomaly, anomaly.rung + 1, now + HOLD_REMINDER)
        return
    rungs = flow.ladder(anomaly.severity).of(str(anomaly.clock))
    strike = look(rungs, anomaly.rung, clock_from=anomaly.clock_from or now, now=now)
    called = anomaly.rung
    reached = 0
    for rung in strike.due:
        reached += _call(session, plant, anomaly, flow, rung, called, now=now)
        called += 1
    while strike.due and not reached and called < len(rungs):  # nobody on duty: the next rung at once
        reached += _call(session, plant, anomaly, flow, rungs[called], called, now=now)
        called += 1
    if rungs and not strike.due and called >= len(rungs):  # the ladder has ended and still nobody came
        _call(session, plant, anomaly, flow, rungs[-1], called, now=now)
        called += 1
    next_at = strike.next_at
    if called < len(rungs):
        next_at = (anomaly.clock_from or now) + timedelta(seconds=rungs[called].after)
    elif rungs:
        next_at = now + again_after(called, rungs)
    _next(session, anomaly, called, next_at)


def _call(
    session: Session,
    plant: "_Plant",
    anomaly: Anomaly,
    flow: FlowDocument,
    rung: Rung,
    place: int,
    *,
    now: datetime,
) -> int:
    found = plant.recipients(rung, anomaly)
    cause = f"{anomaly.id.hex}:{anomaly.round}:{rung.clock}:{place}"
    names = [r.person.name for r in found]
    details: dict[str, Any] = {"clock": rung.clock, "rung": place, "called": names}
    record(session, anomaly.id, "called" if found else "nobody", now=now, once=cause, **details)
    plant.plan(anomaly, found, CALL, cause, place)
    return len(found)


def _next(session: Session, anomaly: Anomaly, rung: int, at: datetime | None) -> None:
    mine = col(Anomaly.id) == anomaly.id, col(Anomaly.round) == anomaly.round
    session.execute(update(Anomaly).where(*mine).values(rung=rung, next_clock_at=at))


@contextmanager
def _apart(session: Session, plant: "_Plant", anomaly: Anomaly, *, now: datetime) -> Iterator[None]:
    """One anomaly that cannot be dealt with must not stop everybody else's ladder: it waits, and the log says why."""
    planned, left = len(plant.planned), {f: len(rows) for f, rows in session.info.items()}
    try:
        with session.begin_nested():
            yield
    except SQLAlchemyError:
        raise  # the database's own: the whole batch is tried again
    except Exception:
        log.exception("dispatch.set_aside", anomaly=str(anomaly.id))
        del plant.planned[planned:]
        for f, rows in session.info.items():
            del rows[left.get(f, 0) :]
        _next(session, anomaly, anomaly.rung, now + SET_ASIDE)


class _Plant:
    """Who can be called, read once for a batch, and the deliveries the batch plans."""

    def __init__(self, session: Session, channels: set[str], now: datetime) -> None:
        self.session, self.channels, self.now = session, channels, now
        self.teams = dict(session.exec(select(Team.key, Team.id)).all())
        self.duty: dict[UUID, list[Person]] = {}
        self.staff: dict[UUID, dict[UUID, Person]] = {}
        self.planned: list[dict[str, Any]] = []

    def recipients(self, rung: Rung, anomaly: Anomaly) -> list[Recipient]:
        site = anomaly.site_id
        if site not in self.duty:
            self.duty[site] = rosters.on_duty(self.session, site, now=self.now)
        return recipients(rung, anomaly, on_duty=self.duty[site], teams=self.teams, everybody=self.everybody(site))

    def everybody(self, site: UUID) -> dict[UUID, Person]:
        if site not in self.staff:
            here = select(Person).where(col(Person.site_id) == site, col(Person.left_at).is_(None))
            self.staff[site] = {person.id: person for person in self.session.exec(here)}
        return self.staff[site]

    def plan(self, anomaly: Anomaly, found: list[Recipient], purpose: str, cause: str, rung: int = 0) -> None:
        for recipient in found:
            row = {
                "anomaly_id": anomaly.id,
                "person_id": recipient.person.id,
                "purpose": purpose,
                "why": recipient.why,
                "round": anomaly.round,
                "rung": rung,
            }
            self.planned.append(row | {"cause": cause, "email": recipient.person.email})

    def write(self) -> None:
        """Turn each person into one delivery for each way to reach them."""
        if not self.planned:
            return
        known = people.addresses(self.session, {row["person_id"] for row in self.planned})
        rows: list[dict[str, Any]] = []
        for row in self.planned:
            cause, email = row.pop("cause"), row.pop("email")
            for channel, address in self._ways(known.get(row["person_id"], []), email):
                once = f"{cause}:{row['person_id'].hex}:{channel}:{address.hex if address else ''}"
                state = {"state": DeliveryState.PLANNED, "due_at": self.now, "planned_at": self.now}
                way = {"id": new_id(), "once": once, "channel": channel, "address_id": address}
                rows.append(row | way | state | {"attempts": 0, "error": ""})
        self.session.execute(insert(Delivery.__table__), rows)  # type: ignore[attr-defined]

    def _ways(self, addresses: Sequence[Address], email: str) -> list[tuple[str, UUID | None]]:
        ways: list[tuple[str, UUID | None]] = [("stream", None)] if "stream" in self.channels else []
        phones: list[tuple[str, UUID | None]] = [(a.channel, a.id) for a in addresses if a.channel in self.channels]
        if not phones and email and "email" in self.channels:
            phones = [("email", None)]
        if not phones and "log" in self.channels:
            phones = [("log", None)]  # nobody hears it, but it is on record that nothing better was known
        return ways + phones
