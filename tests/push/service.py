"""A push service on this machine, as strict as the real ones.

It speaks RFC 8030 to the app (TTL, Urgency, Topic, 410, 413), checks every signature by RFC 8292, and speaks
Mozilla's protocol to a real Firefox (`mozilla.py`). In a test: `with PushService() as service:`. As a process
of its own, for measuring: `python -m tests.push.service FOLDER`, which prints as one line of JSON where it is
and whom it trusts.
"""

import asyncio
import json
import secrets
import ssl
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import trustme
from aiohttp import web

from tests.push import mozilla
from tests.push.signature import Refused, check_signature

LARGEST = 4096  # RFC 8030, 7.2
LONGEST_TTL = 30 * 24 * 3600
URGENCIES = ("very-low", "low", "normal", "high")


@dataclass(frozen=True, slots=True)
class Letter:
    """One accepted message, still encrypted."""

    token: str
    ttl: int
    urgency: str
    topic: str
    body: bytes
    at: float
    id: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(slots=True)
class Subscriber:
    """One subscription of one browser. While it is not `online`, its letters wait here."""

    token: str
    key: str | None
    online: bool = True
    carry: Callable[[Letter], Awaitable[None]] | None = None  # how a letter reaches a real browser
    waiting: list[Letter] = field(default_factory=list)
    delivered: list[Letter] = field(default_factory=list)


class PushService:
    """Runs on a thread of its own. Everything public may be used from the test's thread.

    `faults`: answers for the next messages instead of the truth, each (status, headers); status 0 hangs up.
    `silent`: from now on, never answer.
    `late`: take every letter, and answer only when this is over.
    `letters`: what was accepted. `refusals`: what was not. `callers`: one entry for each connection used.
    """

    def __init__(self, *, tls: bool = True, folder: Path | None = None) -> None:
        self.letters: list[Letter] = []
        self.refusals: list[Refused] = []
        self.faults: deque[tuple[int, Mapping[str, str]]] = deque()
        self.silent = False
        self.late = False
        self.callers: set[object] = set()
        self.subscribers: dict[str, Subscriber] = {}
        self.ca_file: Path | None = None
        self._context = self._certify(folder or Path(tempfile.mkdtemp())) if tls else None
        self._port = 0
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.run(ready.set)), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the push service did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away, as push services sometimes do. Twice is once."""
        if self._loop and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)

    @property
    def place(self) -> str:
        """Host and port, as the setting `push_hosts` wants them."""
        return f"{'localhost' if self._context else '127.0.0.1'}:{self._port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://{self.place}"

    def endpoint(self, one: Subscriber) -> str:
        return f"{self.url}/wpush/v2/{one.token}"

    def subscribe(self, key: str | None) -> Subscriber:
        """Give out an address. With a VAPID `key`, only the owner of that key may write to it."""
        one = Subscriber(secrets.token_urlsafe(24), key)
        self.subscribers[one.token] = one
        return one

    def unsubscribe(self, one: Subscriber) -> None:
        """From now on: 410."""
        self.subscribers.pop(one.token, None)

    def back_online(self, one: Subscriber) -> list[Letter]:
        """Hand over what waited, except what is too old by now."""
        one.online = True
        fresh = [letter for letter in one.waiting if time.time() < letter.at + letter.ttl]
        one.waiting.clear()
        if one.carry is None:
            one.delivered += fresh
        return fresh

    async def run(self, ready: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/wpush/v2/{token}", self._push)
        app.router.add_post("/subscriptions", self._subscribe)
        app.router.add_get("/", mozilla.browser(self))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context).start()
        self._port = runner.addresses[0][1]
        ready()
        await self._stop.wait()
        await runner.cleanup()

    async def _push(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            self.callers.add(request.transport.get_extra_info("peername"))
        if self.silent:
            await self._stop.wait()
        if self.faults:
            status, headers = self.faults.popleft()
            if not status and request.transport is not None:
                request.transport.abort()
            return web.Response(status=status or 500, headers=headers, text="as the test wished")
        try:
            one, letter = self._accepted(request, await request.read())
        except Refused as refused:
            self.refusals.append(refused)
            return web.Response(status=refused.status, text=str(refused))
        self.letters.append(letter)
        await self._deliver(one, letter)
        while self.late:
            await asyncio.sleep(0.01)
        headers = {"Location": f"{self.url}/m/{letter.id}", "TTL": str(letter.ttl)}
        return web.Response(status=201, headers=headers)

    def _accepted(self, request: web.Request, body: bytes) -> tuple[Subscriber, Letter]:
        one = self.subscribers.get(request.match_info["token"])
        if one is None:
            raise Refused(410, "nobody has this address")
        headers = request.headers
        check_signature(headers.get("Authorization", ""), key=one.key, origin=self.url)
        if len(body) > LARGEST:
            raise Refused(413, "too large")
        if not headers.get("TTL", "").isdecimal():
            raise Refused(400, "no TTL")
        if headers.get("Urgency", "normal") not in URGENCIES:
            raise Refused(400, "unknown urgency")
        topic = headers.get("Topic", "")
        if len(topic) > 32 or not topic.replace("-", "").replace("_", "").isalnum():
            raise Refused(400, "bad topic")
        if headers.get("Content-Encoding") != "aes128gcm":
            raise Refused(400, "bad encoding")
        ttl = min(int(headers["TTL"]), LONGEST_TTL)
        return one, Letter(one.token, ttl, headers.get("Urgency", "normal"), topic, body, time.time())

    async def _deliver(self, one: Subscriber, letter: Letter) -> None:
        if one.online and one.carry is not None:
            await one.carry(letter)
        elif one.online:
            one.delivered.append(letter)
        elif letter.ttl:
            # RFC 8030, 5.4: of one topic, only the newest letter waits.
            others = [old for old in one.waiting if not letter.topic or old.topic != letter.topic]
            one.waiting = [*others, letter]

    async def _subscribe(self, request: web.Request) -> web.Response:
        one = self.subscribe((await request.json())["key"])
        return web.json_response({"endpoint": self.endpoint(one)}, status=201)

    def _certify(self, folder: Path) -> ssl.SSLContext:
        authority = trustme.CA()
        self.ca_file = folder / "push-ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context


def main() -> None:
    import uvloop  # the figures are about the sender: the stand-in should not be what limits them

    service = PushService(folder=Path(sys.argv[1]))

    def ready() -> None:
        where = {"url": service.url, "ca_file": str(service.ca_file)}
        sys.stdout.write(json.dumps(where) + "\n")
        sys.stdout.flush()

    uvloop.run(service.run(ready))


if __name__ == "__main__":
    main()
