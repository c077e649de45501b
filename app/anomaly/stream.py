"""Live pages: one tail of the event log for all of them, woken by the pulse.

Each page has a bounded queue. One that is too slow loses the oldest and is told to load everything again; nobody waits
for it. Events are numbered in the order of commits, so the last number a page saw is all it needs to go on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import msgspec
import structlog

from app.anomaly import queries
from app.anomaly.models import Event
from app.kit.db import Database

KEPT = 256  # frames that wait for one page
REPLAYED = 500  # events a page that comes back gets one by one; more: it loads everything again
COALESCE = 0.1  # seconds in which several events of one anomaly are one frame
HEARTBEAT = 15.0
COMMITS_WITHIN = timedelta(seconds=5)  # an event carries the time at which its request came in
RETRY_AFTER = 1.0

RESYNC = b"event: resync\ndata: {}\n\n"
GOODBYE = b"retry: 2000\n\n"

log = structlog.get_logger()

_json = msgspec.json.Encoder(enc_hook=str)


class Broadcaster:
    """Tails the event log and hands each frame to every page that listens."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._pages: set[_Page] = set()
        self._seq = 0
        self._wanted, self._following = asyncio.Event(), asyncio.Event()
        self._closed = False

    @property
    def listeners(self) -> int:
        return len(self._pages)

    async def run(self) -> None:
        """Follow the log until cancelled; while nobody listens, only wait for somebody who does.

        A database that is away for a while is asked again: pages would go blind and still look alive.
        """
        while True:
            if not self._pages:
                self._following.clear()
                self._wanted.clear()
                await self._wanted.wait()
            try:
                await self._follow()
            except Exception:
                log.exception("stream.lost")
                await asyncio.sleep(RETRY_AFTER)

    async def _follow(self) -> None:
        if not self._following.is_set():
            self._seq = await self._db.read(queries.last_seq)
            self._following.set()
        beats = self._db.pulse.beats
        events = await self._db.read(queries.events_after, self._seq, limit=REPLAYED)
        if events:
            self._seq = events[-1][0].seq
            frame = _frames(events)
            for page in list(self._pages):
                page.push(frame)
            await asyncio.sleep(COALESCE)
        if len(events) < REPLAYED:
            await self._db.pulse.after(beats, rest=2.0)

    async def listen(
        self, last: int | None, *, since: datetime | None = None, clock: Callable[[], datetime]
    ) -> AsyncIterator[bytes]:
        """Yield what a page gets: what it missed, then everything as it happens, and a heartbeat.

        It missed what came after event `last`; a page that has seen none, what came since it was made.
        """
        page = _Page()
        self._pages.add(page)
        self._wanted.set()
        try:
            yield b"retry: 2000\n\n" + _beat(clock())
            await self._following.wait()  # before looking at what was missed, so that nothing falls in between
            if last is not None:
                missed = await self._db.read(queries.events_after, last, limit=REPLAYED)
                yield RESYNC if len(missed) == REPLAYED else _frames(missed)
            elif since is not None:
                recent = await self._db.read(queries.events_since, since - COMMITS_WITHIN, limit=REPLAYED)
                yield RESYNC if recent is None else _frames(recent)
            while not self._closed:
                frame = await page.next(HEARTBEAT)
                yield frame if frame is not None else _beat(clock())
            yield GOODBYE
        finally:
            self._pages.discard(page)

    def close(self) -> None:
        """Let every page go: an open stream would keep the server from stopping."""
        self._closed = True
        self._following.set()
        for page in self._pages:
            page.wake.set()


class _Page:
    def __init__(self) -> None:
        self.frames: deque[bytes] = deque(maxlen=KEPT)
        self.wake = asyncio.Event()

    def push(self, frame: bytes) -> None:
        if len(self.frames) == KEPT:
            self.frames.clear()
            frame = RESYNC
        self.frames.append(frame)
        self.wake.set()

    async def next(self, wait: float) -> bytes | None:
        if not self.frames:
            self.wake.clear()
            try:
                await asyncio.wait_for(self.wake.wait(), wait)
            except TimeoutError:
                return None
        return b"".join(self._take())

    def _take(self) -> list[bytes]:
        taken = list(self.frames)
        self.frames.clear()
        return taken


def _frames(events: list[queries.Told]) -> bytes:
    """Several events of one anomaly are one frame, the latest: a page loads it once."""
    latest: dict[object, queries.Told] = {}
    for told in events:
        latest.pop(told[0].anomaly_id, None)
        latest[told[0].anomaly_id] = told
    return b"".join(_frame(*told) for told in latest.values())


def _frame(event: Event, number: int, status: object) -> bytes:
    data = {"id": event.anomaly_id, "number": number, "kind": event.kind, "status": status, "seq": event.seq}
    return b"id: %d\nevent: anomaly\ndata: %s\n\n" % (event.seq, _json.encode(data))


def _beat(now: datetime) -> bytes:
    return b'event: beat\ndata: {"at": "%s"}\n\n' % now.isoformat().encode()
