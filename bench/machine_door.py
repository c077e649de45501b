"""The machine door, as workers/watcher.py uses it, on one core: how many edges a second, and 20 000 tags at once.

Edges come in batches of a hundred and each batch is on disk before the next one begins. "fresh" edges open anomalies
until their station floods, "open" ones belong to anomalies that are open, "mixed" are half of each. Time in which other
processes had our core is taken out; what the clock on the wall said is printed beside.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from uuid import UUID

import uvloop
from sqlmodel import Session, func, select

from app.anomaly.models import Anomaly, Occurrence
from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.capture.sources import alarms
from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.ids import new_id
from app.machines import actions
from app.machines.models import AlarmRule, Source, Tag
from app.machines.rules import Kind as RuleKind
from app.machines.rules import Quality, Sample
from app.machines.watch import Watch
from bench import plant
from bench.figures import Figure, calmest, figure
from bench.house import Ground, ground, waited_by
from bench.plant import Plant
from workers.house import settle
from workers.outbox import BATCH

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
EDGES, AT_ONCE = 1000, 100
OPEN = 1000  # different alarms that are open before "open" begins
TAGS, STATIONS = 20_000, 200
HOLDER = "bench"


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them with their spread."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in (*_door(kind), _flood(kind))]


def _door(kind: str) -> Iterator[Figure]:
    with ground(kind) as where:
        made = plant.build(where.url, now=utcnow())
        with one_core(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            db = Database(made.url)
            try:
                makers = _makers(made)
                runner.run(_send(db, [_edge(made, f"known {n}", n) for n in range(OPEN)]))
                runner.run(_round(db, where, makers["fresh"]))  # warms up
                settle()
                rounds = calmest(
                    lambda: {name: runner.run(_round(db, where, make)) for name, make in makers.items()}, rounds=ROUNDS
                )
            finally:
                db.close()
    for name in makers:
        rate, on_the_wall, cpu, database = ([each[name][n] for each in rounds] for n in range(4))
        beside = f"{statistics.median(cpu):.0f} us CPU each, on the wall {statistics.median(on_the_wall):.0f}"
        if where.postgres:
            beside += f", database {statistics.median(database):.0f} us"
        yield figure(f"road.machine_door_{name}.{kind}", rate, "edges/s", 8000, least=True, digits=0, beside=beside)


def _makers(made: Plant) -> dict[str, Callable[[], Observation]]:
    number = count()

    def fresh() -> Observation:
        return _edge(made, f"rule {next(number)}", next(number))

    def known() -> Observation:
        return _edge(made, f"known {next(number) % OPEN}", next(number) % OPEN)

    def mixed() -> Observation:
        return known() if next(number) % 2 else fresh()

    return {"fresh": fresh, "open": known, "mixed": mixed}


async def _round(db: Database, where: Ground, make: Callable[[], Observation]) -> tuple[float, ...]:
    """Return edges a second, the same on the wall, and microseconds of our CPU and of the database's for one."""
    edges = [make() for _ in range(EDGES)]
    database = where.database_cpu
    seconds, wall, cpu = await _timed(_send(db, edges))
    return EDGES / seconds, EDGES / wall, cpu / EDGES * 1e6, (where.database_cpu - database) / EDGES * 1e6


async def _send(db: Database, edges: list[Observation]) -> None:
    for start in range(0, len(edges), AT_ONCE):
        answers = await db.write(receive, edges[start : start + AT_ONCE], now=utcnow())
        assert all(getattr(answer, "fresh", False) for answer in answers)


def _edge(made: Plant, what: str, place: int) -> Observation:
    now = utcnow()
    return Observation(
        key=new_id(),
        kind=Kind.ALARM,
        source=alarms.SOURCE,
        station_id=made.stations[place % len(made.stations)],
        category="machine",
        occurred_at=now,
        what=what,
        message="Spindle temperature 93.4 °C, limit 85",
        severity=2,
        captured_at=now,
        details={"tag": {"en": "Spindle temperature"}, "value": 93.4, "unit": "°C", "limit": 85.0, "status": "Good"},
    )


def _flood(kind: str) -> Figure:
    """Every tag of a plant of 200 stations leaves its limit in one moment."""
    (flood,) = calmest(lambda: _one_flood(kind), rounds=1)
    seconds, wall, cpu, anomalies = flood
    beside = f"{cpu:.1f} s CPU, on the wall {wall:.1f} s, grouped into {anomalies} anomalies"
    return figure(f"road.machine_flood.{kind}", [seconds], "s", 5, digits=2, beside=beside)


def _one_flood(kind: str) -> tuple[float, float, float, int]:
    with ground(kind) as where:
        made = plant.build(where.url, now=utcnow())
        source_id = plant.run(where.url, lambda session: _wire(session, made))
        seconds, wall, cpu = uvloop.run(_all_at_once(made, source_id))
        anomalies, occurrences = plant.run(where.url, _count)
    assert occurrences == TAGS, occurrences
    return seconds, wall, cpu, anomalies


async def _all_at_once(made: Plant, source_id: UUID) -> tuple[float, float, float]:
    db = Database(made.url)
    try:
        await db.write(actions.lease_sources, HOLDER, {}, now=utcnow())
        taken = await db.write(actions.take_up, source_id, HOLDER)
        assert taken.plan
        watch = Watch(taken.plan.alarms, taken.states, now=utcnow())
        calm = [(item.tag_id, Sample(20.0, Quality.GOOD, utcnow())) for item in _items(taken)]
        assert not watch.take(calm, now=utcnow())
        with one_core():
            return await _timed(_fire(db, source_id, watch, [tag for tag, _ in calm]))
    finally:
        db.close()


async def _fire(db: Database, source_id: UUID, watch: Watch, tags: list[UUID]) -> None:
    now = utcnow()
    edges = watch.take([(tag, Sample(93.4, Quality.GOOD, now)) for tag in tags], now=now)
    for start in range(0, len(edges), BATCH):
        await db.write(alarms.record, source_id, HOLDER, edges[start : start + BATCH], now=utcnow())


async def _timed(work: Awaitable[None]) -> tuple[float, float, float]:
    """Return the seconds it took with a core of our own, on the wall, and of CPU."""
    cpu, waited, began = time.process_time(), waited_by(os.getpid()), time.perf_counter()
    await work
    wall = time.perf_counter() - began
    return wall - (waited_by(os.getpid()) - waited), wall, time.process_time() - cpu


def _items(taken: actions.TakenUp) -> tuple[object, ...]:
    assert taken.plan
    assert taken.plan.link
    return taken.plan.link.items


def _wire(session: Session, made: Plant) -> UUID:
    source = Source(name="bench", url="opc.tcp://127.0.0.1:1")
    session.add(source)
    session.flush()
    tags = [
        Tag(
            source_id=source.id, station_id=made.stations[n % STATIONS], node=f"nsu=urn:bench;s=T{n}", unit="°C",
            names={"en": f"Temperature {n}", "zh": f"{n} 号温度"},
        )
        for n in range(TAGS)
    ]  # fmt: skip
    session.add_all(tags)
    session.flush()
    session.add_all(AlarmRule(tag_id=tag.id, kind=RuleKind.HIGH, setpoint=85, severity=2) for tag in tags)
    return source.id


def _count(session: Session) -> tuple[int, int]:
    anomalies = session.exec(select(func.count()).select_from(Anomaly)).one()
    return int(anomalies), int(session.exec(select(func.count()).select_from(Occurrence)).one())


@contextmanager
def one_core() -> Iterator[None]:
    """Keep all our threads on one core: a second then means a second of one core."""
    cores = os.sched_getaffinity(0)
    threads = [int(name) for name in os.listdir("/proc/self/task")]
    for thread in threads:
        os.sched_setaffinity(thread, {min(cores)})
    try:
        yield
    finally:
        for thread in threads:
            os.sched_setaffinity(thread, cores)
