"""A flood of which nine in ten say what is known already: every one is counted exactly, none is refused."""

import os
import random
from itertools import islice

from sqlmodel import Session, func, select

from app.anomaly.models import Anomaly, Occurrence
from app.kit.clock import utcnow
from app.kit.ids import new_id
from bench import plant
from bench.figures import Figure, figure
from bench.house import ground, house
from bench.shooter import post, shoot

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
REPORTS, FRESH = 2000, 200


def measure() -> list[Figure]:
    """Return how many were refused and miscounted, and what one costs in such a flood."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in _flood(kind)]


def _flood(kind: str) -> list[Figure]:
    chance = random.Random(9)
    with ground(kind) as where:
        made = plant.build(where.url, now=utcnow())
        untouched = made.untouched()
        refused, wrong, cpu = [], [], []
        with house("web", where) as web:
            for number in range(1, ROUNDS + 1):
                fresh = list(islice(untouched, FRESH))
                pairs = fresh + chance.choices(fresh, k=REPORTS - FRESH)
                chance.shuffle(pairs)
                requests = [
                    post(f"/s/{code}/reports", f"category={category}&key={new_id()}", port=web.port)
                    for code, category in pairs
                ]
                before = web.cpu
                shots = shoot(web.port, requests, connections=32)
                cpu.append((web.cpu - before) * 1000 / REPORTS)
                refused.append(REPORTS - shots.statuses.get(303, 0))
                wrong.append(_miscounted(plant.run(where.url, _count), number))
    return [
        figure(f"road.repeats_refused.{kind}", [float(sum(refused))], f"of {REPORTS * ROUNDS}", 0, digits=0),
        figure(f"road.repeats_miscounted.{kind}", [float(max(wrong))], f"of {REPORTS * ROUNDS}", 0, digits=0),
        figure(f"road.repeats_cpu_32.{kind}", cpu, "ms CPU"),
    ]


def _count(session: Session) -> tuple[int, int, int]:
    anomalies, counted = session.exec(select(func.count(), func.sum(Anomaly.occurrences)).select_from(Anomaly)).one()
    stored = session.exec(select(func.count()).select_from(Occurrence)).one()
    return int(anomalies), int(counted), int(stored)


def _miscounted(found: tuple[int, int, int], rounds: int) -> int:
    anomalies, counted, stored = found
    return abs(anomalies - FRESH * rounds) + abs(counted - REPORTS * rounds) + abs(stored - REPORTS * rounds)
