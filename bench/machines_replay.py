"""A week of one tag at one sample a second, played through a rule as the page does it: every value is looked at.

The signal is the worst an alarm can have: it lies a little under its limit with noise that touches it all week, and
really goes beyond it now and then. Beside it: what the live watch alone takes for the same, and a proposal for a day.
"""

import os
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from app.kit.clock import utcnow
from app.machines.proposals import propose
from app.machines.replay import back_test, replay
from app.machines.rules import GOOD, Kind, Rule, Sample
from bench.figures import Figure, calmest, figure
from bench.house import waited_by

WEEK, DAY = 604_800, 86_400
LIMIT = 80.0
RULE = Rule(UUID(int=1), Kind.HIGH, LIMIT)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


def measure() -> list[Figure]:
    """Return the figures, and print them with their spread."""
    now = utcnow()
    samples = _week(now - timedelta(seconds=WEEK))
    day = samples[-DAY:]
    tested = back_test(RULE, samples, since=samples[0].at, until=now)
    assert tested.samples == WEEK
    rounds = calmest(lambda: _seconds(lambda: back_test(RULE, samples, since=samples[0].at, until=now)), rounds=ROUNDS)
    whole = calmest(lambda: _seconds(lambda: replay(RULE, samples, until=now)), rounds=ROUNDS)
    search = calmest(lambda: _seconds(lambda: propose(RULE, day, until=now)), rounds=ROUNDS)
    proposal = propose(RULE, day, until=now)
    assert proposal
    beside = f"removes {proposal.removed} of {proposal.alarms}, keeps {proposal.real}"
    return [
        figure("machines.replay_week_s", rounds, "s", 2, digits=2, beside=f"{WEEK} values, {tested.alarms} alarms"),
        figure("machines.replay_week_bare_s", whole, "s", digits=2, beside="every value through the watch"),
        figure("machines.proposal_day_s", search, "s", digits=2, beside=beside),
    ]


def _week(begin: datetime) -> list[Sample]:
    chance = random.Random(7)
    values = [LIMIT - 2.5 + chance.gauss(0, 1) for _ in range(WEEK)]
    for hour in range(5, 168, 12):
        for second in range(hour * 3600, hour * 3600 + 400):
            values[second] += 8
    return [Sample(value, GOOD, begin + timedelta(seconds=second)) for second, value in enumerate(values)]


def _seconds(work: Callable[[], object]) -> float:
    """Seconds it took with a core of our own."""
    waited, began = waited_by(os.getpid()), time.perf_counter()
    work()
    return time.perf_counter() - began - (waited_by(os.getpid()) - waited)
