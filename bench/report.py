"""What one report costs: POST /s/CODE/reports, on disk before the answer, everything switched on.

Every report is a fresh one: an anomaly, an occurrence, an event, the ladder begun. Two plants are measured in turn in
the same run, one with a thousand anomalies in its past and one with a million. Beside the web server's own CPU, on
PostgreSQL, that of the database server; and what `pullcord up` costs, where the same process also calls people.
"""

import os
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice

from app.kit.clock import utcnow
from app.kit.ids import new_id
from bench import past, plant
from bench.figures import Figure, figure, quantile
from bench.house import Ground, House, ground, house
from bench.shooter import Shots, post, shoot

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
MANY_ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
FEW_ROWS = 1000
REPORTS = {32: 800, 1: 300}  # in one round, by the number of connections
BOUNDS = {32: 0.8, 1: 1.5}
FLAT = 1.2


@dataclass(slots=True)
class _Plant:
    """A plant with its web server, and what was measured there: by connections, a value for each round."""

    house: House
    ground: Ground
    untouched: Iterator[tuple[str, str]]
    cpu: dict[int, list[float]] = field(default_factory=lambda: {many: [] for many in REPORTS})
    database_cpu: dict[int, list[float]] = field(default_factory=lambda: {many: [] for many in REPORTS})
    shots: dict[int, list[Shots]] = field(default_factory=lambda: {many: [] for many in REPORTS})

    def round(self, connections: int, *, count: int) -> None:
        """Send so many fresh reports."""
        pairs = list(islice(self.untouched, count))
        assert len(pairs) == count, "the plant has no more stations without a report"
        requests = [_request(code, category, self.house.port) for code, category in pairs]
        cpu, database = self.house.cpu, self.ground.database_cpu
        shots = shoot(self.house.port, requests, connections=connections)
        assert shots.statuses == {303: count}, shots.statuses
        self.cpu[connections].append((self.house.cpu - cpu) * 1000 / count)
        self.database_cpu[connections].append((self.ground.database_cpu - database) * 1000 / count)
        self.shots[connections].append(shots)


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them with their spread."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in (*_web(kind), *_up(kind))]


def _web(kind: str) -> Iterator[Figure]:
    with ExitStack() as stack:
        few, many = (_start(stack, kind, "web", rows) for rows in (FEW_ROWS, MANY_ROWS))
        for connections, count in REPORTS.items():
            for one in (few, many):
                one.round(connections, count=count // 2)  # warms up
                one.cpu[connections].clear()
            for _ in range(ROUNDS):
                for one in (few, many):
                    one.round(connections, count=count)
    for connections, bound in BOUNDS.items():
        name = f"road.report_cpu_{connections}.{kind}"
        yield figure(name, few.cpu[connections], "ms CPU", bound, beside=_beside(few, connections))
        yield figure(f"{name}.million", many.cpu[connections], "ms CPU", bound, beside=_beside(many, connections))
    for connections in BOUNDS:
        ratios = [b / a for a, b in zip(few.cpu[connections], many.cpu[connections], strict=True)]
        yield figure(f"road.report_flat_{connections}.{kind}", ratios, "times", FLAT, beside=f"{MANY_ROWS} rows")


def _up(kind: str) -> Iterator[Figure]:
    with ExitStack() as stack:
        one = _start(stack, kind, "up", FEW_ROWS)
        for connections, count in REPORTS.items():
            one.round(connections, count=count // 2)
            one.cpu[connections].clear()
            for _ in range(ROUNDS):
                one.round(connections, count=count)
    for connections in BOUNDS:
        name = f"road.report_cpu_{connections}.{kind}.up"
        yield figure(name, one.cpu[connections], "ms CPU", beside=_beside(one, connections))


def _start(stack: ExitStack, kind: str, what: str, rows: int) -> _Plant:
    where = stack.enter_context(ground(kind))
    made = plant.build(where.url, now=utcnow())
    past.fill(made, closed=rows, now=utcnow())
    return _Plant(stack.enter_context(house(what, where)), where, made.untouched())


def _request(code: str, category: str, port: int) -> str:
    return post(f"/s/{code}/reports", f"category={category}&key={new_id()}", port=port)


def _beside(one: _Plant, connections: int) -> str:
    shots = one.shots[connections]
    taken = [latency for round_ in shots for latency in round_.latencies]
    rate = statistics.median(round_.rate for round_ in shots)
    told = f"p50 {quantile(taken, 0.5):.1f} ms, p99 {quantile(taken, 0.99):.1f} ms, {rate:.0f} a second"
    if one.ground.postgres:
        told += f", database {statistics.median(one.database_cpu[connections]):.2f} ms CPU"
    return told
