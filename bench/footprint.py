"""How soon the first page comes, and how much memory web and workers hold together after a flood.

An hour is too long for a bench: a flood of BENCH_MEMORY_SECONDS as fast as the server takes it sends as many reports as
an hour of several a second. What is printed beside says how many.
"""

import os
import time
from itertools import cycle, islice

from app.kit.clock import utcnow
from app.kit.ids import new_id
from bench import plant
from bench.figures import Figure, figure
from bench.house import Ground, family, fetch, ground, house, memory_of, settled
from bench.shooter import post, shoot

SECONDS = float(os.environ.get("BENCH_MEMORY_SECONDS", "60"))
STARTS = 5
WAVE, PAIRS = 1000, 5000


def measure() -> list[Figure]:
    """Return both figures of `pullcord up` on SQLite, and print them."""
    with ground("sqlite") as where:
        made = plant.build(where.url, now=utcnow())
        starts = [_start(where) for _ in range(STARTS)]
        cold = figure("road.cold_start_s", starts, "s", 3, digits=2, beside="to the first page")
        memory, beside = _flood(where, made)
    return [cold, figure("road.memory_mb", [memory], "MB", 250, digits=0, beside=beside)]


def _start(where: Ground) -> float:
    began = time.perf_counter()
    with house("up", where) as up:
        status, _, _ = fetch(up.port, "/")
        assert status == 200
        return time.perf_counter() - began


def _flood(where: Ground, made: plant.Plant) -> tuple[float, str]:
    again = cycle(list(islice(made.untouched(), PAIRS)))
    sent, worst = 0, 0.0
    with house("up", where) as up:
        before = _memory(settled(up).pid)
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            requests = [
                post(f"/s/{code}/reports", f"category={category}&key={new_id()}", port=up.port)
                for code, category in islice(again, WAVE)
            ]
            shots = shoot(up.port, requests, connections=32)
            assert shots.statuses == {303: WAVE}, shots.statuses
            fetch(up.port, "/queue?tab=all", Cookie=made.cookie, Accept_Encoding="gzip")
            sent += WAVE
            worst = max(worst, _memory(up.pid))
        after = _memory(up.pid)
    told = f"{before:.0f} before, {worst:.0f} at most; {sent} reports, as many as {sent / 60:.0f} a minute for an hour"
    return after, told


def _memory(pid: int) -> float:
    return sum(map(memory_of, family(pid)))
