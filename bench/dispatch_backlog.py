"""After an outage: 10 000 escalations are due at once, and one dispatcher works them off on one core.

Each calls the lead of its line and the engineer, who have phones, and is written down with its deliveries; every batch
is on disk before the next one begins. Time in which other processes had our core is taken out; what the clock on the
wall said is printed beside. Severity 1 must be called before all others, and nobody twice.
"""

import asyncio
import os
import time
from collections import Counter
from datetime import datetime, timedelta

import uvloop
from sqlalchemy import update
from sqlmodel import Session, col, func, select

from app.anomaly.models import Anomaly, Event
from app.channels.registry import CHANNELS
from app.dispatch import actions
from app.dispatch.models import Delivery
from app.flows.actions import publish
from app.flows.document import MINUTE, Ladder, Rung
from app.flows.ladders import DUTY, ENGINEERS, LINE_LEAD
from app.kit.clock import utcnow
from app.kit.db import Database
from app.people.models import Address
from bench import past, plant
from bench.figures import Figure, calmest, figure
from bench.house import Ground, ground, waited_by
from bench.machine_door import one_core
from bench.plant import Plant

DUE = int(os.environ.get("BENCH_DUE", "10000"))
OUTAGE = timedelta(minutes=9)
KINDS = frozenset(CHANNELS)
LADDER = Ladder(
    rungs=(
        Rung(clock="accepted", after=0, call=(DUTY,)),
        Rung(clock="accepted", after=5 * MINUTE, call=(LINE_LEAD, ENGINEERS)),
        Rung(clock="accepted", after=15 * MINUTE, call=(ENGINEERS,)),
    )
)


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them."""
    return [_backlog(kind) for kind in ("sqlite", "postgresql")]


def _backlog(kind: str) -> Figure:
    (done,) = calmest(lambda: _one(kind), rounds=1)
    seconds, wall, cpu, database, messages = done
    beside = f"{cpu * 1e6 / DUE:.0f} us CPU each, on the wall {DUE / wall:.0f}, {messages} deliveries"
    if kind == "postgresql":
        beside += f", database {database * 1e6 / DUE:.0f} us"
    return figure(f"dispatch.backlog_rate.{kind}", [DUE / seconds], "calls/s", 500, least=True, digits=0, beside=beside)


def _one(kind: str) -> tuple[float, float, float, float, int]:
    now = utcnow()
    with ground(kind) as where:
        made = plant.build(where.url, now=now)
        plant.run(where.url, lambda session: _everybody_has_a_phone(session, made, now))
        past.fill(made, still_open=DUE, now=now)
        plant.run(where.url, lambda session: _outage(session, now))
        with one_core():
            took = uvloop.run(_works_off(where, now))
        called, messages = plant.run(where.url, _what_came_of_it)
    assert len(called) == DUE, len(called)
    assert called == sorted(called), "severity 1 must be first"
    return *took, messages


async def _works_off(where: Ground, now: datetime) -> tuple[float, float, float, float]:
    """Return the seconds it took with a core of our own, on the wall, of our CPU and of the database's."""
    db = Database(where.url)
    database, cpu = where.database_cpu, time.process_time()
    waited, began = waited_by(os.getpid()), time.perf_counter()
    try:
        while await db.read(actions.due, now=now):
            await db.write(actions.strike_next, now=now, channels=KINDS)
            await asyncio.sleep(0)
    finally:
        db.close()
    wall = time.perf_counter() - began
    others = waited_by(os.getpid()) - waited
    return wall - others, wall, time.process_time() - cpu, where.database_cpu - database


def _everybody_has_a_phone(session: Session, made: Plant, now: datetime) -> None:
    made.flows = [
        (publish(session, document, now=now).id, document)
        for document in (flow.model_copy(update={"ladders": {4: LADDER}}) for _, flow in made.flows)
    ]
    seen = {"created_at": now, "seen_at": now}
    session.add_all(
        Address(person_id=person, channel="webpush", fingerprint=name, target={}, **seen)
        for name, person in made.people.items()
    )


def _outage(session: Session, now: datetime) -> None:
    """Everything was reported when the outage began: the second rung of each is overdue."""
    severity = 1 + col(Anomaly.number) % 4
    since = {"clock_from": now - OUTAGE, "next_clock_at": now - OUTAGE + timedelta(minutes=5)}
    session.execute(update(Anomaly).values(severity=severity, **since))


def _what_came_of_it(session: Session) -> tuple[list[int], int]:
    """Return the severities of what was called, in the order of the calls, and how many deliveries are planned."""
    which = select(Anomaly.severity, Event.anomaly_id).join(Anomaly, col(Anomaly.id) == col(Event.anomaly_id))
    rows = session.exec(which.where(Event.kind == "called").order_by(col(Event.seq))).all()
    assert set(Counter(anomaly for _, anomaly in rows).values()) == {1}, "one rung each, once"
    return [severity for severity, _ in rows], int(session.exec(select(func.count()).select_from(Delivery)).one())
