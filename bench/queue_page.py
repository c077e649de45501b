"""What the queue page costs with a thousand open anomalies, with a hundred thousand, and with ten times more closed.

Three plants are looked at in turn in the same run: CPU of the web server and of the database together, for each page.
"""

import os
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from app.kit.clock import utcnow
from bench import past, plant
from bench.figures import Figure, figure
from bench.house import Ground, House, ground, house
from bench.shooter import get, shoot

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
PAGES = 60
FEW, MANY = 1000, 100_000  # open
CLOSED, MORE_CLOSED = 10_000, 100_000
TABS = ("all", "team", "mine")


@dataclass(slots=True)
class _Plant:
    house: House
    ground: Ground
    cookie: str
    cpu: list[float] = field(default_factory=list)

    def round(self) -> None:
        tabs = [TABS[n % len(TABS)] for n in range(PAGES)]
        requests = [get(f"/queue?tab={tab}", port=self.house.port, cookie=self.cookie) for tab in tabs]
        before = self.house.cpu + self.ground.database_cpu
        shots = shoot(self.house.port, requests, connections=1)
        assert shots.statuses == {200: PAGES}, shots.statuses
        self.cpu.append((self.house.cpu + self.ground.database_cpu - before) * 1000 / PAGES)


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them with their spread."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in _pages(kind)]


def _pages(kind: str) -> Iterator[Figure]:
    with ExitStack() as stack:
        plants = [
            _start(stack, kind, closed=closed, still_open=still_open)
            for closed, still_open in ((CLOSED, FEW), (CLOSED, MANY), (MORE_CLOSED, FEW))
        ]
        for one in plants:
            one.round()  # warms up
            one.cpu.clear()
        for _ in range(ROUNDS):
            for one in plants:
                one.round()
    few, many, past_ = (one.cpu for one in plants)
    beside = f"{FEW} open, {CLOSED} closed; with {MANY} open {statistics.median(many):.1f}"
    yield figure(f"road.queue_page_cpu.{kind}", few, "ms CPU", beside=beside)
    yield figure(f"road.queue_page_ratio.{kind}", _ratios(few, many), "times", 1.5, beside=f"{MANY} open")
    yield figure(f"road.queue_page_past.{kind}", _ratios(few, past_), "times", 1.1, beside=f"{MORE_CLOSED} closed")


def _ratios(first: list[float], second: list[float]) -> list[float]:
    return [b / a for a, b in zip(first, second, strict=True)]


def _start(stack: ExitStack, kind: str, *, closed: int, still_open: int) -> _Plant:
    where = stack.enter_context(ground(kind))
    made = plant.build(where.url, now=utcnow())
    past.fill(made, closed=closed, still_open=still_open, now=utcnow())
    return _Plant(stack.enter_context(house("web", where)), where, made.cookie)
