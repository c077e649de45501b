"""A day and a night of 200 people and 1 000 anomalies, in which the clocks are set back and everything is killed.

Web server, dispatch and delivery are processes of their own, killed (-9) fifty times in all, at random; between two
moments in which something happens the clock is turned. Every rung must strike exactly once, at its time, and ring the
right phones; nothing may ring that is over, and nothing may be lost: what the oracle of tests/promises does not say is
wrong, and so is what it says and did not happen. `tests/promises/soak.py` is the play; the tests run a short one.
"""

import os
import time
from datetime import timedelta

from app.kit.migrate import upgrade
from bench.figures import Figure, figure
from bench.house import ground
from tests.processes import Installation
from tests.promises.soak import Soak, Told
from tests.push.service import PushService

PEOPLE, ANOMALIES, KILLS = 200, int(os.environ.get("BENCH_ANOMALIES", "1000")), 50
LENGTH = timedelta(hours=24)


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in _day(kind)]


def _day(kind: str) -> list[Figure]:
    began = time.perf_counter()
    told = _play(kind)
    for line in told.wrong[:20]:
        print(f"  {line}")
    beside = f"{told.strikes} rungs, {told.rings} rings, {time.perf_counter() - began:.0f} s"
    return [
        figure(f"dispatch.soak_wrong.{kind}", [len(told.wrong)], "rungs", 0, digits=0, beside=beside),
        figure(f"dispatch.soak_kills.{kind}", [told.kills], "kills", KILLS, least=True, digits=0),
    ]


def _play(kind: str) -> Told:
    with ground(kind) as where, PushService(tls=False) as push:
        upgrade(where.url)
        installation = Installation(where.url, where.folder / "plant", [push.place])
        soak = Soak(installation, push, people=PEOPLE, anomalies=ANOMALIES, length=LENGTH, kills=KILLS)
        with soak.running():
            soak.plays()
            return soak.told()
