"""From the machine to the pocket: a tag leaves its limit in a real OPC UA server, a push arrives at the push service.

Server and push service are stand-ins in this process, so that one clock reads both moments; between them is all of
`pullcord up`: subscription, rule, intake, ladder, delivery, encryption, HTTP. One edge at a time on an idle system,
each at a station of its own, at moments that have nothing to do with the server's publishing interval.
"""

import asyncio
import os
import random
import time
from contextlib import ExitStack
from datetime import datetime

from aiohttp import web
from asyncua import Server, ua
from asyncua.common.node import Node
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import Session

from app.kit.clock import utcnow
from app.machines.models import AlarmRule, Source, Tag
from app.machines.rules import Kind
from app.people.models import Address
from bench import plant
from bench.figures import Figure, figure, quantile
from bench.house import free_port, ground, house
from bench.plant import Plant
from tests.push.signature import encode

SAMPLES = int(os.environ.get("BENCH_SAMPLES", "60"))
WARM = 3  # the first ones pay for what is loaded when it is first used
NAMESPACE = "urn:pullcord:bench"
NORMAL, ABNORMAL, LIMIT = 20.0, 93.4, 85.0
PATIENCE = 20.0


def measure() -> list[Figure]:
    """Return the figures of both databases, and print them with their spread."""
    return [figure_ for kind in ("sqlite", "postgresql") for figure_ in _rings(kind)]


def _rings(kind: str) -> list[Figure]:
    with ExitStack() as stack:
        taken = asyncio.run(_ring(kind, stack))
    spread = f"{min(taken):.0f} … {max(taken):.0f}, {len(taken)} edges"
    return [
        figure(f"road.edge_to_push_p50.{kind}", [quantile(taken, 0.5)], "ms", 150, digits=0, beside=spread),
        figure(f"road.edge_to_push_p95.{kind}", [quantile(taken, 0.95)], "ms", 400, digits=0),
    ]


async def _ring(kind: str, stack: ExitStack) -> list[float]:
    """Return milliseconds for each edge."""
    where = stack.enter_context(ground(kind))
    made = plant.build(where.url, now=utcnow())
    pushes: asyncio.Queue[float] = asyncio.Queue()
    service = await _push_service(pushes)
    place = f"127.0.0.1:{service.addresses[0][1]}"
    machine, url, nodes = await _machine()
    plant.run(where.url, lambda session: _wire(session, made, url, f"http://{place}/push", now=utcnow()))
    running = stack.enter_context(ExitStack())
    try:
        await asyncio.to_thread(running.enter_context, house("up", where, PUSH_HOSTS=f'["{place}"]'))
        taken = [await _one(machine, node, pushes) for node in nodes]
    finally:
        await asyncio.to_thread(running.close)  # while the machine still answers
        await machine.stop()
        await service.cleanup()
    return taken[WARM:]


async def _one(machine: Server, node: Node, pushes: "asyncio.Queue[float]") -> float:
    await asyncio.sleep(random.uniform(0.3, 0.5))
    value = ua.DataValue(ua.Variant(ABNORMAL, ua.VariantType.Double), SourceTimestamp=utcnow().replace(tzinfo=None))
    began = time.perf_counter()
    await machine.write_attribute_value(node.nodeid, value)
    arrived = await asyncio.wait_for(pushes.get(), PATIENCE)
    assert pushes.empty(), "one edge rang twice"
    return (arrived - began) * 1000


async def _machine() -> tuple[Server, str, list[Node]]:
    server = Server()
    await server.init()
    url = f"opc.tcp://127.0.0.1:{free_port()}"
    server.set_endpoint(url)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    number = await server.register_namespace(NAMESPACE)
    nodes = [
        await server.nodes.objects.add_variable(ua.NodeId(f"T{n}", number), f"T{n}", NORMAL)
        for n in range(SAMPLES + WARM)
    ]
    await server.start()
    return server, url, nodes


async def _push_service(pushes: "asyncio.Queue[float]") -> web.AppRunner:
    async def push(request: web.Request) -> web.Response:
        pushes.put_nowait(time.perf_counter())
        assert request.headers["Authorization"].startswith("vapid ")
        await request.read()
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/push", push)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def _wire(session: Session, made: Plant, url: str, endpoint: str, *, now: datetime) -> None:
    """Watch one tag of each station; one person of the team that answers for machines has a phone."""
    source = Source(name="bench", url=url)
    session.add(source)
    session.flush()
    tags = [
        Tag(source_id=source.id, station_id=made.stations[n], node=f"nsu={NAMESPACE};s=T{n}", names={"en": f"T {n}"})
        for n in range(SAMPLES + WARM)
    ]
    session.add_all(tags)
    session.flush()
    session.add_all(AlarmRule(tag_id=tag.id, kind=Kind.HIGH, setpoint=LIMIT, severity=2) for tag in tags)
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    keys = {"p256dh": encode(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))}
    target = {"endpoint": endpoint, "keys": keys | {"auth": encode(os.urandom(16))}}
    team = next(flow.team for _, flow in made.flows if flow.category == "machine")
    person = made.people[f"{team} 1"]
    session.add(
        Address(person_id=person, channel="webpush", fingerprint="bench", target=target, created_at=now, seen_at=now)
    )
