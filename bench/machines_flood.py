"""A flood of alarms through all of `pullcord up`: none is lost, each stands where it belongs, and phones are answered.

First fifty alarms a second, to see how soon one can be read in the queue; then five hundred a second for a minute. The
machine is a real OPC UA server: values leave three limits at once and come back, half of the tags against the others.
A station that raises one alarm after the other is flooding: from the tenth on they are one anomaly with a list.
"""

import os
import time
from contextlib import ExitStack
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from app.anomaly.models import Anomaly, Occurrence
from app.capture.intake import FLOOD
from app.kit.clock import utcnow
from app.kit.db import connect
from app.machines.models import AlarmRule, Source, Tag
from app.machines.rules import Kind
from bench import plant
from bench.figures import Figure, figure, quantile
from bench.house import Ground, ground, house
from bench.machines_server import Machine, node
from bench.plant import Plant
from bench.shooter import begin, get, result

CALM, CALM_RATE = 1000, 50  # tags, each of which rises once
SECONDS, RATE = int(os.environ.get("BENCH_SECONDS", "60")), 500
LIMITS = (50.0, 70.0, 90.0)
SWEEPS = ((100.0, 0.0), (0.0, 100.0)) * 2  # half of the tags rise while the others return
TAGS = RATE * SECONDS // len(LIMITS) // len(SWEEPS) * 2
STATIONS = 100
PAGES = 5  # a second
PATIENCE = 60.0


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in _floods(kind)]


def _floods(kind: str) -> list[Figure]:
    with ExitStack() as stack:
        where = stack.enter_context(ground(kind))
        made = plant.build(where.url, now=utcnow())
        machine = stack.enter_context(Machine(CALM + TAGS))
        plant.run(where.url, lambda session: _wire(session, made, machine.url))
        up = stack.enter_context(house("up", where))
        _wait_until_watched(where)
        late = _calm(machine, where)
        pages = [get("/queue?tab=all", port=up.port, cookie=made.cookie)] * (PAGES * SECONDS)
        rate = TAGS * len(SWEEPS) / SECONDS
        with begin(up.port, pages, connections=PAGES, rate=PAGES) as shooter:
            machine.write(SWEEPS, tags=range(CALM, CALM + TAGS), rate=rate)
            seconds = machine.answer()
            shots = result(shooter)
        expected = len(LIMITS) * TAGS * len(SWEEPS) // 2
        behind = time.perf_counter()
        stored = _wait_for(where, CALM + expected) - CALM
        wrong = plant.ask(where.url, lambda session: _misplaced(session, made))
        assert set(shots.statuses) == {200}, shots.statuses
        beside = f"{expected} in {seconds:.0f} s, all stored {time.perf_counter() - behind:.1f} s later"
        return [
            figure(f"machines.event_to_queue_p95.{kind}", [quantile(late, 0.95)], "ms", 300, digits=0),
            figure(f"machines.flood_lost.{kind}", [expected - stored], "alarms", 0, digits=0, beside=beside),
            figure(f"machines.flood_misplaced.{kind}", [wrong], "stations", 0, digits=0),
            figure(f"machines.flood_page_p95.{kind}", [quantile(shots.latencies, 0.95)], "ms", 200, digits=0),
        ]


def _calm(machine: Machine, where: Ground) -> list[float]:
    """Let one tag after the other rise; return milliseconds from the value to the row anybody can read."""
    machine.write([[100.0]], tags=range(CALM), rate=CALM_RATE)
    seen: dict[UUID, float] = {}
    engine, deadline = connect(where.url, writer=False), time.perf_counter() + CALM / CALM_RATE + PATIENCE
    since = utcnow()
    while len(seen) < CALM and time.perf_counter() < deadline:
        with Session(engine) as session:
            rows = session.exec(
                select(Occurrence.id, Occurrence.occurred_at).where(col(Occurrence.received_at) >= since)
            ).all()
        now = utcnow()
        for id_, at in rows:
            seen.setdefault(id_, (now - _aware(at)).total_seconds() * 1000)
        time.sleep(0.02)
    engine.dispose()
    machine.answer()
    assert len(seen) == CALM, f"{CALM - len(seen)} were lost already"
    return list(seen.values())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=utcnow().tzinfo)


def _wait_until_watched(where: Ground) -> None:
    deadline = time.perf_counter() + 4 * PATIENCE
    while time.perf_counter() < deadline:
        if plant.ask(where.url, lambda session: session.exec(select(Source.connected_at)).one()):
            return
        time.sleep(0.5)
    raise RuntimeError("The machine was never reached.")


def _wait_for(where: Ground, alarms: int) -> int:
    counted = select(func.count()).select_from(Occurrence).where(col(Occurrence.kind) == "alarm")
    deadline, found = time.perf_counter() + PATIENCE, 0
    while time.perf_counter() < deadline and found < alarms:
        time.sleep(0.2)
        found = plant.ask(where.url, lambda session: session.exec(counted).one())
    return found


def _misplaced(session: Session, made: Plant) -> int:
    """Count the stations whose alarms are not what a flood comes to: so many anomalies, all alarms in one of theirs."""
    rows = session.execute(
        select(col(Anomaly.station_id), func.count(), func.sum(col(Anomaly.alarms))).group_by(col(Anomaly.station_id))
    )
    found = {station: (anomalies, alarms) for station, anomalies, alarms in rows}
    alarms = len(LIMITS) * TAGS * len(SWEEPS) // 2 // STATIONS
    return sum(found.get(station) != (FLOOD, alarms) for station in made.stations[:STATIONS])


def _wire(session: Session, made: Plant, url: str) -> None:
    """The calm tags stand at stations of their own, nine at each at the most; the others have three limits each."""
    source = Source(name="bench", url=url)
    session.add(source)
    session.flush()
    calm = [STATIONS + n % (len(made.stations) - STATIONS) for n in range(CALM)]
    places = calm + [n % STATIONS for n in range(TAGS)]
    tags = [
        Tag(source_id=source.id, station_id=made.stations[place], node=node(n), names={"en": f"T {n}"})
        for n, place in enumerate(places)
    ]
    session.add_all(tags)
    session.flush()
    session.add_all(
        AlarmRule(tag_id=tag.id, kind=Kind.HIGH, setpoint=limit, severity=2)
        for n, tag in enumerate(tags)
        for limit in (LIMITS[:1] if n < CALM else LIMITS)
    )
