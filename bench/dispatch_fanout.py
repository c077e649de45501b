"""One call to a thousand phones, from the tap to the last push handed over, with `pullcord up` as it is shipped.

The push service takes 50 ms for each message. The second figure is the same with two more services beside it, a hundred
phones on each: one that takes what it is sent and never answers, one that needs four seconds. Nobody else may wait for
them. A push counts as handed over when its answer is on its way.
"""

import asyncio
import os
import time
from contextlib import ExitStack
from datetime import datetime

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import Session

from app.flows.actions import publish
from app.flows.document import Ladder, Rung
from app.flows.ladders import DUTY
from app.kit.clock import utcnow
from app.kit.ids import new_id
from app.people.models import Address, Person
from bench import plant
from bench.figures import Figure, figure
from bench.house import House, ground, house, settled
from bench.plant import Plant
from tests.push.signature import encode

PHONES, OTHERS = 1000, 100
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
TAKES, SLOW = 0.05, 4.0
PATIENCE = 30.0
LADDER = Ladder(rungs=(Rung(clock="accepted", after=0, call=(DUTY,)),))


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them with their spread."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in _both(kind)]


def _both(kind: str) -> list[Figure]:
    alone = asyncio.run(_rounds(kind, beside=False))
    beside = asyncio.run(_rounds(kind, beside=True))
    told = f"{PHONES} phones; first push after {min(first for first, _ in alone) * 1000:.0f} ms"
    others = f"beside one dead and one slow service with {OTHERS} phones each"
    return [
        figure(f"dispatch.fanout_last_push.{kind}", [last for _, last in alone], "s", 5, digits=2, beside=told),
        figure(f"dispatch.fanout_beside_dead.{kind}", [last for _, last in beside], "s", 5, digits=2, beside=others),
    ]


async def _rounds(kind: str, *, beside: bool) -> list[tuple[float, float]]:
    """Return the seconds until the first and until the last phone of the good service has its push."""
    with ExitStack() as stack:
        where = stack.enter_context(ground(kind))
        made = plant.build(where.url, now=utcnow())
        async with Services() as services:
            endpoints = [f"{services.good}/{n}" for n in range(PHONES)]
            if beside:
                endpoints += [f"{place}/{n}" for place in (services.dead, services.slow) for n in range(OTHERS)]
            plant.run(where.url, lambda session: _phones(session, made, endpoints, utcnow()))
            hosts = ", ".join(f'"{url.partition("//")[2].partition("/")[0]}"' for url in services.all)
            running = stack.enter_context(ExitStack())
            up = await asyncio.to_thread(running.enter_context, house("up", where, PUSH_HOSTS=f"[{hosts}]"))
            await asyncio.to_thread(settled, up)
            try:
                return [await _one(up, services, made.codes[n]) for n in range(ROUNDS + 1)][1:]
            finally:
                await asyncio.to_thread(running.close)


async def _one(up: House, services: "Services", code: str) -> tuple[float, float]:
    services.begin()
    form = {"key": str(new_id()), "category": "machine", "line_stopped": "yes"}
    async with aiohttp.ClientSession() as http:
        tapped = time.perf_counter()
        async with http.post(f"http://127.0.0.1:{up.port}/s/{code}/reports", data=form) as answer:
            assert answer.status < 400, await answer.text()
        await asyncio.wait_for(services.everybody.wait(), PATIENCE)
    times = sorted(services.handed.values())
    await asyncio.sleep(0.2)
    assert len(services.handed) == PHONES
    assert services.letters == PHONES, "a phone was rung twice"
    return times[0] - tapped, times[-1] - tapped


class Services:
    """Three push services: one as they are, one that never answers, one that is slow."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was handed over before."""
        self.handed: dict[str, float] = {}
        self.letters = 0
        self.everybody = asyncio.Event()

    async def __aenter__(self) -> "Services":
        self._never = asyncio.Event()
        self._runners = [await _serve(answer) for answer in (self._takes, self._never_answers, self._is_slow)]
        self.all = [f"http://127.0.0.1:{runner.addresses[0][1]}/push" for runner in self._runners]
        self.good, self.dead, self.slow = self.all
        return self

    async def __aexit__(self, *_: object) -> None:
        self._never.set()
        for runner in self._runners:
            await runner.cleanup()

    async def _takes(self, request: web.Request) -> web.Response:
        await request.read()
        assert request.headers["Authorization"].startswith("vapid ")
        await asyncio.sleep(TAKES)
        self.letters += 1
        self.handed.setdefault(request.match_info["phone"], time.perf_counter())
        if len(self.handed) == PHONES:
            self.everybody.set()
        return web.Response(status=201)

    async def _never_answers(self, request: web.Request) -> web.Response:
        await self._never.wait()
        return web.Response(status=503)

    async def _is_slow(self, request: web.Request) -> web.Response:
        await asyncio.sleep(SLOW)
        return web.Response(status=201)


async def _serve(answer: "web._Handler") -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/push/{phone}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    return runner


def _phones(session: Session, made: Plant, endpoints: list[str], now: datetime) -> None:
    """Everybody of the team that answers for machines has a phone; there are as many of them as there are phones."""
    flow = next(document for _, document in made.flows if document.category == "machine")
    publish(session, flow.model_copy(update={"ladders": {4: LADDER}}), now=now)
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = encode(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    team = made.teams[flow.team]
    people = [Person(site_id=made.site, name=f"Phone {n}", team_id=team) for n in range(len(endpoints))]
    session.add_all(people)
    session.flush()
    seen = {"created_at": now, "seen_at": now, "channel": "webpush"}
    session.add_all(
        Address(
            person_id=person.id,
            fingerprint=endpoint,
            target={"endpoint": endpoint, "keys": {"p256dh": key, "auth": encode(os.urandom(16))}},
            **seen,
        )
        for person, endpoint in zip(people, endpoints, strict=True)
    )
