"""The only writer of an anomaly's status, and of the event log.

Longer than most files because status, clock and event belong to one transaction and are read together.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, literal_column, text, update
from sqlmodel import Session, col, delete, func, select

from app.anomaly.lifecycle import OPEN, Action, NotAllowedNow, Status, next_status
from app.anomaly.models import Anomaly, Clock, Event, Fingerprint
from app.anomaly.replies import reply
from app.kit.db import at_commit
from app.kit.direct import Direct
from app.kit.many import insert_many
from app.people.models import Person

EVENT_LOG_LOCK = 7_074_676  # any number: the advisory lock under which events are numbered on PostgreSQL

CLOCKS: dict[Status, Clock | None] = {
    Status.REPORTED: Clock.ACCEPTED,
    Status.ACCEPTED: Clock.ON_SITE,
    Status.ON_SITE: Clock.RESOLVED,
    Status.CONTAINED: Clock.RESOLVED,
    Status.RESOLVED: Clock.VERIFIED,
    Status.WATCHING: Clock.WATCH,
    Status.CLOSED: None,
    Status.CANCELLED: None,
}

REACHED: dict[Status, str] = {
    Status.ACCEPTED: "accepted_at",
    Status.ON_SITE: "arrived_at",
    Status.CONTAINED: "contained_at",
    Status.RESOLVED: "resolved_at",
    Status.WATCHING: "verified_at",
    Status.CLOSED: "ended_at",
    Status.CANCELLED: "ended_at",
}

NOT_HELD: dict[str, Any] = {"held_since": None, "held_until": None, "hold_reason": ""}
"""Every step along the lifecycle ends a hold: the clock it starts must not run behind a band that says "held"."""

NEWS = frozenset({"hand_over", "send_back", "cancel", "assist"})
"""Events somebody must be told of who did not do it. Calls are not among them: those come from the clocks."""

ENDS = frozenset({"accept", "resolve", "cancel", "merged", "close"})
"""Events after which what was sent to a group's chat or to a lamp is put right."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it. `person_id` None: an anonymous reporter, a machine, or Pullcord itself."""

    person_id: UUID | None = None
    name: str = ""

    @classmethod
    def of(cls, person: Person) -> "Actor":
        return cls(person.id, person.name)


NOBODY = Actor()


def advance(
    session: Session,
    anomaly: Anomaly,
    action: Action,
    *,
    by: Actor,
    now: datetime,
    changes: dict[str, Any] | None = None,
    **details: Any,
) -> None:
    """Move `anomaly` along the lifecycle, start the clock of the new status, and write down who did it and why.

    `changes` are columns that change with it (the owner, the reason). All is written in the caller's transaction:
    everything or nothing.

    Raises:
        NotAllowedNow: the lifecycle has no such row, or somebody else was faster; it names the owner.
    """
    before = anomaly.status
    after = next_status(before, action)
    if after is None:
        raise _not_now(session, anomaly)

    values: dict[str, Any] = {
        "status": after,
        "in_queue": after in OPEN,
        **NOT_HELD,
        **clock_start(after, now=now),
        **(changes or {}),
    }
    values["round"] = Anomaly.round + 1
    if (column := REACHED.get(after)) and getattr(anomaly, column) is None:
        values[column] = now

    # Two thumbs, one anomaly: the WHERE lets only one of them through.
    mine = col(Anomaly.id) == anomaly.id, col(Anomaly.status) == before, col(Anomaly.round) == anomaly.round
    if session.execute(update(Anomaly).where(*mine).values(**values)).rowcount != 1:  # type: ignore[attr-defined]
        session.refresh(anomaly)
        raise _not_now(session, anomaly)
    session.refresh(anomaly)

    if after == Status.CANCELLED:  # what was closed is remembered: it may come back
        session.execute(delete(Fingerprint).where(col(Fingerprint.anomaly_id) == anomaly.id))
    record(session, anomaly.id, action, by=by, now=now, status=after, **details)
    reply(session, anomaly, action, by_id=by.person_id, by=by.name, now=now, told=details)


def clock_start(status: Status, *, now: datetime) -> dict[str, Any]:
    """Return the columns that start the clock of `status`. Dispatch looks at once and knows when it strikes."""
    clock = CLOCKS[status]
    return {"clock": clock, "clock_from": now, "rung": 0, "unseen": 0, "next_clock_at": now if clock else None}


def ring_again(session: Session, anomaly: Anomaly, *, now: datetime) -> None:
    """Start the ladder of the present status from its first rung; older calls are void."""
    values = clock_start(anomaly.status, now=now)
    session.execute(update(Anomaly).where(col(Anomaly.id) == anomaly.id).values(**values, round=Anomaly.round + 1))
    session.refresh(anomaly)


def regrade(session: Session, anomaly: Anomaly, severity: int, *, by: Actor, now: datetime, **details: Any) -> None:
    """Give it another severity. Upwards rings again while nobody has come; the clocks people see start nowhere anew.

    In every other case dispatch looks at once what the ladder of the new severity says of the time already passed.
    """
    before = anomaly.severity
    if before == severity:
        return
    session.execute(update(Anomaly).where(col(Anomaly.id) == anomaly.id).values(severity=severity))
    session.refresh(anomaly)
    if severity < before and anomaly.status == Status.REPORTED:
        ring_again(session, anomaly, now=now)
    elif anomaly.clock not in (None, Clock.HOLD):
        session.execute(update(Anomaly).where(col(Anomaly.id) == anomaly.id).values(next_clock_at=now))
        session.refresh(anomaly)
    record(session, anomaly.id, "regrade", by=by, now=now, severity=severity, before=before, **details)


def draw_numbers(connection: Connection, count: int) -> Iterator[int]:
    """Return the next numbers. SQLite has one writer, so the highest is the last; PostgreSQL has a sequence."""
    if connection.dialect.name == "postgresql":
        return iter([number for (number,) in _DRAW_NUMBERS.rows(connection, count=count)])
    ((last,),) = _LAST_NUMBER.rows(connection)
    return itertools.count((last or FIRST_NUMBER - 1) + 1)


def next_number(connection: Connection) -> ColumnElement[int]:
    """Return the same as an expression, for rows that nobody has to know the number of before they are stored."""
    return _NEXT_NUMBER[connection.dialect.name]


def record(
    session: Session,
    anomaly_id: UUID,
    kind: str,
    *,
    by: Actor = NOBODY,
    now: datetime,
    once: str | None = None,
    **details: Any,
) -> None:
    """Append an event. It gets its number at the very end of the transaction, so that numbers follow commits."""
    at_commit(session, write_events, event_row(anomaly_id, kind, by=by, now=now, once=once, details=details))


def event_row(
    anomaly_id: UUID,
    kind: str,
    *,
    by: Actor = NOBODY,
    now: datetime,
    once: str | None = None,
    details: dict[str, object],
) -> dict[str, object]:
    """Return one row for `write_events`."""
    return {
        "anomaly_id": anomaly_id,
        "kind": str(kind),
        "at": now,
        "by_id": by.person_id,
        "by": by.name,
        "details": details,
        "once": once,
        "told_at": None if kind in NEWS or kind in ENDS else now,
    }


def write_events(session: Session, rows: Sequence[dict[str, object]]) -> None:
    """Number and store events. On PostgreSQL a lock held until commit keeps numbers in the order of commits."""
    insert_many(session.connection(), _EVENT, rows, lock=EVENT_LOG_LOCK)


def _not_now(session: Session, anomaly: Anomaly) -> NotAllowedNow:
    owner = session.get(Person, anomaly.owner_id) if anomaly.owner_id else None
    return NotAllowedNow.of(anomaly.status, owner.name if owner else "")


FIRST_NUMBER = 1001
_LAST_NUMBER = Direct(select(func.max(Anomaly.number)))
_DRAW_NUMBERS = Direct(text("SELECT nextval('anomaly_number') FROM generate_series(1, :count)"))
_NEXT_NUMBER: dict[str, ColumnElement[int]] = {
    "postgresql": literal_column("nextval('anomaly_number')"),
    "sqlite": literal_column("(SELECT coalesce(max(number), 1000) + 1 FROM anomaly)"),
}
_EVENT: Any = Event.__table__  # type: ignore[attr-defined]
