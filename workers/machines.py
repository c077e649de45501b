"""Watches the machines: this process leases sources, and keeps one watcher running for each that it holds."""

import asyncio
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.ids import new_id
from app.machines import actions, certificates, queries
from app.machines.certificates import Keys
from workers import loop
from workers.watcher import Watcher

RENEW_EVERY = timedelta(seconds=3)
LOOK_EVERY = timedelta(seconds=2)
LOOK_SHARE = 50  # looking for changed settings takes at most a fiftieth of the time, however many tags there are
REST_S = 1.0
LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger()


async def main(db: Database, data_dir: Path | None = None, *, stop: asyncio.Event) -> None:
    """Watch every source this process can get hold of, until `stop`.

    Our certificate is made at the first start; without a data folder only sources that need no secret are reached.
    """
    keys = await asyncio.to_thread(certificates.keys, data_dir, now=utcnow()) if data_dir else None
    await keep(Keeper(db, keys=keys), db, stop=stop)


async def keep(keeper: "Keeper", db: Database, *, stop: asyncio.Event) -> None:
    """Run this keeper until `stop`, and say goodbye."""
    try:
        await loop.run("machines", keeper.step, pulse=db.pulse, stop=stop, rest=REST_S)
    finally:
        await keeper.close()


class Keeper:
    """Holds leases. One watcher that fails, or cannot follow, is no other's business."""

    def __init__(self, db: Database, holder: str | None = None, *, keys: Keys | None = None) -> None:
        self.holder = holder or f"{socket.gethostname()[:30]}:{os.getpid()}:{new_id().hex[-8:]}"
        self.watchers: dict[UUID, Watcher] = {}
        self._db = db
        self._keys = keys
        self._renewed = self._looked = LONG_AGO
        self._look_rest = LOOK_EVERY

    async def step(self) -> bool:
        """Renew leases and note how links stand; see what has changed in the settings. Rest after it in any case."""
        now = utcnow()
        if _over(self._renewed, RENEW_EVERY, now) or any(w.has_news for w in self.watchers.values()):
            await self._renew(now)
        if _over(self._looked, self._look_rest, now):
            await self._look()
            self._looked, self._look_rest = now, max(LOOK_EVERY, (utcnow() - now) * LOOK_SHARE)
        return False

    async def close(self) -> None:
        """Stop watching, store what has been found out, and let another worker go on at once."""
        await asyncio.gather(*(watcher.stop() for watcher in self.watchers.values()))
        self.watchers.clear()
        await self._db.write(actions.release_sources, self.holder, now=utcnow())

    async def _renew(self, now: datetime) -> None:
        reports = {source_id: watcher.report() for source_id, watcher in self.watchers.items()}
        held = await self._db.write(actions.lease_sources, self.holder, reports, now=now)
        self._renewed = now
        gone = [self.watchers.pop(source_id) for source_id in self.watchers.keys() - set(held)]
        await asyncio.gather(*(watcher.stop() for watcher in gone))
        for source_id in held:
            watcher = self.watchers.get(source_id)
            if watcher is None or watcher.ended:
                self.watchers[source_id] = Watcher(self._db, source_id, self.holder, self._keys)

    async def _look(self) -> None:
        for source_id, watcher in list(self.watchers.items()):
            try:
                plan = await self._db.read(queries.plan, source_id)
                if plan is not None and not await watcher.follow(plan):
                    await watcher.stop()
                    self.watchers[source_id] = Watcher(self._db, source_id, self.holder, self._keys)
            except Exception:
                log.exception("machines.cannot_follow", source=str(source_id))


def _over(since: datetime, rest: timedelta, now: datetime) -> bool:
    return not since <= now < since + rest  # also when the clock was turned back
