"""A bad minute: 200 reports a second on `pullcord up`, everything running, while a team lead looks at the queue.

Open loop: reports are sent at their times whatever the answers do, and wait from then. Nine in ten say again what is
open already, as in a flood; the queue page is loaded once a second by somebody who is logged in.
"""

import os
import random
import threading
import time
from itertools import islice

from app.kit.clock import utcnow
from app.kit.ids import new_id
from bench import past, plant
from bench.figures import Figure, figure, quantile
from bench.house import House, fetch, ground, house, settled
from bench.shooter import begin, post, result

SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))
RATE, FRESH = 200, 0.1
CONNECTIONS = 64


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in _minute(kind)]


def _minute(kind: str) -> list[Figure]:
    chance = random.Random(5)
    with ground(kind) as where:
        made = plant.build(where.url, now=utcnow())
        past.fill(made, closed=1000, still_open=1000, now=utcnow())
        count = SECONDS * RATE
        fresh = list(islice(made.untouched(), int(count * FRESH)))
        # Each pair appears for the first time somewhere in the minute, and again and again after it.
        pairs = [fresh[chance.randrange(n // 10 + 1)] if n % 10 else fresh[n // 10] for n in range(count)]
        with house("up", where) as up:
            requests = [
                post(f"/s/{code}/reports", f"category={category}&key={new_id()}", port=up.port)
                for code, category in pairs
            ]
            _look(settled(up), made.cookie)
            cpu = up.cpu
            pages: list[float] = []
            with begin(up.port, requests, connections=CONNECTIONS, rate=RATE) as process:
                looking = threading.Thread(target=_keep_looking, args=(up, made.cookie, pages))
                looking.start()
                shots = result(process)
                looking.join()
            spent = (up.cpu - cpu) * 1000 / count
    assert shots.statuses == {303: count}, shots.statuses
    told = f"p50 {quantile(shots.latencies, 0.5):.1f} ms, most {max(shots.latencies):.0f} ms, {spent:.2f} ms CPU each"
    slowest = f"p50 {quantile(pages, 0.5):.0f} ms, most {max(pages):.0f} ms, {len(pages)} pages"
    return [
        figure(f"road.mixed_p99.{kind}", [quantile(shots.latencies, 0.99)], "ms", 80, digits=1, beside=told),
        figure(f"road.mixed_queue_p95.{kind}", [quantile(pages, 0.95)], "ms", 100, digits=1, beside=slowest),
    ]


def _keep_looking(up: House, cookie: str, pages: list[float]) -> None:
    for _ in range(SECONDS):
        began = time.perf_counter()
        _look(up, cookie)
        pages.append((time.perf_counter() - began) * 1000)
        time.sleep(max(1 - (time.perf_counter() - began), 0))


def _look(up: House, cookie: str) -> None:
    status, _, body = fetch(up.port, "/queue?tab=all", Cookie=cookie, Accept_Encoding="gzip")
    assert status == 200, (status, body[:300])
