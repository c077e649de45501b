"""What a push message costs us: `python -m bench.push`, a minute on two cores.

Sender and push service are two processes; only the sender is measured. The service is tests/push/service.py:
TLS, and the signature of every message checked. Beside it, in the same run: pywebpush called as its README
shows, and encryption alone, which nobody can go below.
"""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import WebPusher, webpush
from yarl import URL

from app.channels.base import Message, Words
from app.channels.hosts import PushHosts
from app.channels.payload import payload
from app.channels.vapid import load_or_make_vapid
from app.channels.webpush import WebPush
from app.kit.ids import new_id
from bench.figures import Figure, figure
from tests.push.signature import encode

PHONES, ROUNDS, MESSAGES = 200, 7, 3000
AT_ONCE = 64  # as many as the channel opens connections to one push service
README_MESSAGES = 60
CONTACT = "mailto:andon@plant.example"
WORDS = Words(accept="I take it", open="Open", accepted="You have it", failed="Not accepted. Open the app.")

Address = dict[str, Any]


def measure() -> list[Figure]:
    """Return the figures, and print them with their spread."""
    with tempfile.TemporaryDirectory() as name, _one_core(), _service(Path(name)) as (url, ca_file):
        key = Path(name, "vapid.pem")
        phones = asyncio.run(_phones(url, ca_file, load_or_make_vapid(key, contact=CONTACT).public_key))
        ours = uvloop.run(_ours(url, ca_file, key, phones))
        alone = [_cpu(MESSAGES, lambda n: _encrypt(phones[n % PHONES])) for _ in range(ROUNDS)]
        os.environ["REQUESTS_CA_BUNDLE"] = str(ca_file)
        readme = [_cpu(README_MESSAGES, lambda n: _as_readme(phones[n % PHONES], key)) for _ in range(ROUNDS)]
    return [
        figure("road.push_rate", [rate for rate, _ in ours], "messages/s", 1500, least=True),
        figure("road.push_cpu", [cpu for _, cpu in ours], "ms CPU", 0.5),
        figure("road.push_cpu_encryption_alone", alone, "ms CPU"),
        figure("road.push_cpu_pywebpush_readme", readme, "ms CPU"),
    ]


async def _ours(url: str, ca_file: Path, key: Path, phones: list[Address]) -> list[tuple[float, float]]:
    """Return messages a second and CPU milliseconds for one, for each round after one that warms up."""
    channel = WebPush(
        load_or_make_vapid(key, contact=CONTACT),
        PushHosts([URL(url).authority]),
        tls=ssl.create_default_context(cafile=ca_file),
    )

    async def one_round() -> tuple[float, float]:
        numbers = iter(range(MESSAGES))

        async def sender() -> None:
            for number in numbers:
                await channel.send(_message(), phones[number % PHONES])

        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
        return MESSAGES / (time.perf_counter() - wall), (time.process_time() - cpu) * 1000 / MESSAGES

    await one_round()
    rounds = [await one_round() for _ in range(ROUNDS)]
    await channel.close()
    return rounds


def _encrypt(phone: Address) -> None:
    WebPusher(phone).encode(payload(_message()), "aes128gcm")


def _as_readme(phone: Address, key: Path) -> None:
    webpush(
        phone,
        payload(_message()).decode(),
        vapid_private_key=str(key),
        vapid_claims={"sub": CONTACT},
        ttl=120,  # the one thing we add: without it every message to a sleeping phone is dropped
        headers={"Topic": "anomaly", "Urgency": "high"},
    )


def _message() -> Message:
    anomaly = str(new_id())
    return Message(
        delivery_id=new_id(),
        title="[!!] Press 7 停线 2 分钟",
        body="Overheating. Li Wei called from Line 3; the line is stopped.",
        url=f"https://pullcord.example/anomalies/{anomaly}",
        tag=anomaly,
        severity=1,
        lang="zh-CN",
        words=WORDS,
        token=anomaly,
    )


async def _phones(url: str, ca_file: Path, key: str) -> list[Address]:
    tls = ssl.create_default_context(cafile=ca_file)
    phones: list[Address] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        for _ in range(PHONES):
            point = ec.generate_private_key(ec.SECP256R1()).public_key()
            raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            async with session.post(f"{url}/subscriptions", json={"key": key}) as answer:
                endpoint = (await answer.json())["endpoint"]
            keys = {"p256dh": encode(raw), "auth": encode(os.urandom(16))}
            phones.append({"endpoint": endpoint, "keys": keys})
    return phones


def _cpu(times: int, work: Callable[[int], object]) -> float:
    started = time.process_time()
    for number in range(times):
        work(number)
    return (time.process_time() - started) * 1000 / times


@contextmanager
def _service(folder: Path) -> Iterator[tuple[str, Path]]:
    command = [sys.executable, "-m", "tests.push.service", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        where = json.loads(process.stdout.readline())
        if len(cores := sorted(os.sched_getaffinity(os.getppid()))) > 1:
            os.sched_setaffinity(process.pid, set(cores[1:]))
        try:
            yield where["url"], Path(where["ca_file"])
        finally:
            process.terminate()


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep the sender on one core, so that messages a second means messages a second on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    measure()
