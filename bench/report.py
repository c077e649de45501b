"""What one report costs: POST /s/CODE/reports, on disk before the answer, everything switched on.

Every report is a fresh one: an anomaly, an occurrence, an event, the ladder begun. Two plants are measured in turn in
the same run, one with a thousand anomalies in its past and one with a million. Beside the web server's own CPU, on
PostgreSQL, that of the database server; and what `pullcord up` costs, where the same process also calls people.
"""

import os
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from app.kit.clock import utcnow
from app.kit.ids import new_id
from bench import past, plant
from bench.figures import Figure, calmest, figure, quantile
from bench.house import Ground, House, ground, house
from bench.shooter import Shots, post, shoot

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
MANY_ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
FEW_ROWS = 1000
REPORTS = {32: 500, 1: 200}  # in one round, by the number of connections
BOUNDS = {32: 0.8, 1: 1.5}
FLAT = 1.2


@dataclass(frozen=True, slots=True)
class _Round:
    cpu: float  # milliseconds for each report
    database_cpu: float
    shots: Shots


@dataclass(frozen=True, slots=True)
class _Plant:
    house: House
    ground: Ground
    untouched: Iterator[tuple[str, str]]

    def round(self, connections: int) -> _Round:
        """Send fresh reports."""
        count = REPORTS[connections]
        pairs = list(islice(self.untouched, count))
        assert len(pairs) == count, "the plant has no more stations without a report"
        requests = [
            post(f"/s/{code}/reports", f"category={category}&key={new_id()}", port=self.house.port)
            for code, category in pairs
        ]
        cpu, database = self.house.cpu, self.ground.database_cpu
        shots = shoot(self.house.port, requests, connections=connections)
        assert shots.statuses == {303: count}, shots.statuses
        spent = self.house.cpu - cpu, self.ground.database_cpu - database
        return _Round(*(seconds * 1000 / count for seconds in spent), shots)


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them with their spread."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in (*_web(kind), *_up(kind))]


def _web(kind: str) -> Iterator[Figure]:
    with ExitStack() as stack:
        few, many = (_start(stack, kind, "web", rows) for rows in (FEW_ROWS, MANY_ROWS))
        for connections, bound in BOUNDS.items():
            few.round(connections), many.round(connections)  # warms up
            both = calmest(lambda c=connections: (few.round(c), many.round(c)), rounds=ROUNDS)
            small, large = zip(*both, strict=True)
            name = f"road.report_cpu_{connections}.{kind}"
            yield _figure(name, small, bound)
            yield _figure(f"{name}.million", large, bound)
            ratios = [b.cpu / a.cpu for a, b in both]
            yield figure(f"road.report_flat_{connections}.{kind}", ratios, "times", FLAT, beside=f"{MANY_ROWS} rows")


def _up(kind: str) -> Iterator[Figure]:
    with ExitStack() as stack:
        one = _start(stack, kind, "up", FEW_ROWS)
        for connections in BOUNDS:
            one.round(connections)
            rounds = calmest(lambda c=connections: one.round(c), rounds=ROUNDS)
            yield _figure(f"road.report_cpu_{connections}.{kind}.up", rounds)


def _start(stack: ExitStack, kind: str, what: str, rows: int) -> _Plant:
    where = stack.enter_context(ground(kind))
    made = plant.build(where.url, now=utcnow())
    past.fill(made, closed=rows, now=utcnow())
    return _Plant(stack.enter_context(house(what, where)), where, made.untouched())


def _figure(name: str, rounds: list[_Round] | tuple[_Round, ...], bound: float | None = None) -> Figure:
    taken = [latency for each in rounds for latency in each.shots.latencies]
    rate = statistics.median(each.shots.rate for each in rounds)
    told = f"p50 {quantile(taken, 0.5):.1f} ms, p99 {quantile(taken, 0.99):.1f} ms, {rate:.0f} a second"
    if name.partition(".postgresql")[1]:
        told += f", database {statistics.median(each.database_cpu for each in rounds):.2f} ms CPU"
    return figure(name, [each.cpu for each in rounds], "ms CPU", bound, beside=told)
