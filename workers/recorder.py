"""Keeps what a source shows: the ring in memory is emptied into the database a little at a time.

It is never in the way of an alarm: what cannot be stored waits, and of too much that waits the oldest goes, counted.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines import history
from app.machines.ring import Ring
from app.machines.rules import Sample

EVERY_S = 5.0

log = structlog.get_logger()


class Recorder:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._ring = Ring()
        self._hot: set[UUID] = set()

    def take(self, samples: Sequence[tuple[UUID, Sample]]) -> None:
        """Keep what was read."""
        self._ring.take(samples)

    def silence(self, *, status: str, now: datetime) -> None:
        """The link is gone: a gap, not a straight line."""
        self._ring.silence(status=status, now=now)

    async def run(self) -> None:
        """Store what is due, for ever. What fails is tried again: a history is no reason to stop watching."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.store()
            if lost := self._ring.lost:
                self._ring.lost = 0
                log.error("recorder.lost", samples=lost)

    async def store(self, *, all_: bool = False) -> None:
        """Store what is due, or all there is, in small transactions; at once what somebody begins to look at."""
        more = True
        while more:
            now = utcnow()
            packed = self._ring.due(now=now, hot=self._hot, all_=all_)
            try:
                hot = await self._db.write(history.write, packed, now=now)
            except BaseException as error:
                self._ring.give_back(packed)
                if not isinstance(error, Exception):
                    raise
                log.exception("recorder.not_stored", stretches=len(packed))
                return
            more, self._hot = bool(packed) or not hot <= self._hot, hot
