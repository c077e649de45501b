"""What a watcher has found out and the database does not know yet, in its order."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines import actions
from app.machines.actions import LeaseLost

T = TypeVar("T")

BATCH = 256  # entries in one transaction
MOST_WAITING = 20_000  # entries not yet stored, before whoever brings them has to wait
RETRY_S = 0.5
TRIES = 3

log = structlog.get_logger()


class Outbox(Generic[T]):
    """`record` stores some entries in one transaction, for the holder of a source's lease."""

    def __init__(self, db: Database, source_id: UUID, holder: str, record: Callable[..., Any]) -> None:
        self._db = db
        self._source_id = source_id
        self._holder = holder
        self._record = record
        self._entries: list[T] = []
        self._filled, self._room = asyncio.Event(), asyncio.Event()
        self._storing = asyncio.Lock()

    def put(self, entries: Sequence[T]) -> None:
        if entries:
            self._entries.extend(entries)
            self._filled.set()

    async def room(self) -> None:
        """Wait while the database cannot keep up."""
        while len(self._entries) > MOST_WAITING:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Store what is put in, for ever.

        Raises:
            LeaseLost: another worker watches this source.
        """
        while True:
            await self._filled.wait()
            self._filled.clear()
            await self.store()

    async def store(self) -> None:
        """Empty it, in its order. Where a batch fails, smaller ones find the entry that is to blame."""
        async with self._storing:
            size, tries = BATCH, 0
            while batch := self._entries[:size]:
                try:
                    await self._db.write(self._record, self._source_id, self._holder, batch, now=utcnow())
                except LeaseLost:
                    raise
                except Exception as error:
                    size, tries = max(len(batch) // 2, 1), tries + (len(batch) == 1)
                    if tries and not await self._database_is_away() and tries >= TRIES:
                        log.error("watcher.entry_lost", entry=repr(batch[0])[:500], exc_info=error)
                        del self._entries[0]
                        tries = 0
                    continue
                del self._entries[: len(batch)]
                self._room.set()
                size, tries = min(size * 2, BATCH), 0

    async def _database_is_away(self) -> bool:
        """Is it the database and not what we asked of it? If so, rest a while."""
        try:
            await self._db.write(actions.hold, self._source_id, self._holder)
        except LeaseLost:
            raise
        except Exception:
            await asyncio.sleep(RETRY_S)
            return True
        return False
