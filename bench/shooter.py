"""The load: a process of its own on plain sockets, so that what it costs is not what is measured.

Reads one job as JSON from standard input, prints one line of JSON. `rate` None: every connection sends its next
request as soon as it has the answer (closed loop). Else so many a second whatever the answers do (open loop), and
a latency counts from the moment a request should have been sent.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Shots:
    """What came back: seconds for all, milliseconds for each in the order of the answers, how many of each status."""

    seconds: float
    latencies: list[float]
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


def post(path: str, body: str, *, port: int) -> str:
    """Return a form as a phone's browser sends it."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "User-Agent: Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
        "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\n"
        f"Origin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


def get(path: str, *, port: int, cookie: str = "") -> str:
    """Return what a browser sends for a page."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\nAccept-Language: en\r\n"
        f"Accept-Encoding: gzip\r\nCookie: {cookie}\r\n\r\n"
    )


def shoot(port: int, requests: Sequence[str], *, connections: int, rate: float | None = None) -> Shots:
    """Send all `requests` from a process of its own and wait for the answers."""
    with begin(port, requests, connections=connections, rate=rate) as process:
        return result(process)


def begin(port: int, requests: Sequence[str], *, connections: int, rate: float | None) -> "subprocess.Popen[str]":
    """Start shooting and return at once; `result` waits for the end."""
    job = json.dumps({"port": port, "requests": requests, "connections": connections, "rate": rate})
    command = [sys.executable, "-m", "bench.shooter"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    process.stdin.write(job)
    process.stdin.close()
    return process


def result(process: "subprocess.Popen[str]") -> Shots:
    assert process.stdout
    told = json.loads(process.stdout.read())
    process.wait()
    return Shots(told["seconds"], told["latencies"], {int(status): n for status, n in told["statuses"].items()})


class _Connection(asyncio.Protocol):
    """One request at a time on a kept connection."""

    def __init__(self, gun: "_Gun") -> None:
        self.gun, self.buffer, self.since = gun, b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, request: bytes, since: float) -> None:
        self.since = since
        self.transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if found and self._is_whole(head.lower(), body):
            self.buffer = b""
            self.gun.answered(self, int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        self.gun.lost(error)

    @staticmethod
    def _is_whole(head: bytes, body: bytes) -> bool:
        _, found, length = head.partition(b"content-length:")
        if found:
            return len(body) >= int(length.split(b"\r\n", 1)[0])
        return body.endswith(b"0\r\n\r\n") if b"chunked" in head else True


class _Gun:
    def __init__(self, requests: Sequence[bytes], rate: float | None) -> None:
        self.waiting: deque[tuple[bytes, float]] = deque()
        self.idle: deque[_Connection] = deque()
        self.requests, self.rate = requests, rate
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def fire(self, connections: list[_Connection]) -> float:
        self.idle = deque(connections)
        started = time.perf_counter()
        if self.rate is None:
            self.waiting.extend((request, 0.0) for request in self.requests)
            self._send_next()
        else:
            for number, request in enumerate(self.requests):
                due = started + number / self.rate
                if (early := due - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                self.waiting.append((request, due))
                self._send_next()
        await asyncio.wait_for(self.done, PATIENCE)
        return time.perf_counter() - started

    def answered(self, connection: _Connection, status: int) -> None:
        self.latencies.append((time.perf_counter() - connection.since) * 1000)
        self.statuses[status] += 1
        self.idle.append(connection)
        self._send_next()
        if len(self.latencies) == len(self.requests) and not self.done.done():
            self.done.set_result(None)

    def lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server closed a connection"))

    def _send_next(self) -> None:
        while self.waiting and self.idle:
            request, due = self.waiting.popleft()
            # In turn: one that is never used is closed by the server.
            self.idle.popleft().send(request, due or time.perf_counter())


async def _main() -> None:
    job = json.load(sys.stdin)
    gun = _Gun([request.encode() for request in job["requests"]], job["rate"])
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(gun), "127.0.0.1", job["port"])
        for _ in range(job["connections"])
    ]
    seconds = await gun.fire([connection for _, connection in opened])
    print(json.dumps({"seconds": seconds, "latencies": gun.latencies, "statuses": gun.statuses}))


if __name__ == "__main__":
    uvloop.run(_main())
