"""Look ahead every hour, and as soon as somebody changes who is called when."""

import asyncio
from datetime import datetime, timedelta

from app.capture.sources import foreseen
from app.foresight import holes
from app.kit.clock import utcnow
from app.kit.db import Database
from workers import loop

EVERY = timedelta(hours=1)
GLANCE = 20.0  # seconds between two looks whether anything has changed


class Lookout:
    """Remembers what it saw last, so that a look that would find the same is spared."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.seen: holes.State | None = None
        self.looked_at: datetime | None = None

    async def step(self, *, now: datetime) -> bool:
        """Look ahead if it is time or something has changed. Return whether it was."""
        state = await self.db.read(holes.state)
        if state == self.seen and self.looked_at is not None and now - self.looked_at < EVERY:
            return False
        found = await self.db.read(holes.look, now=now)
        if found.new:
            await self.db.write(foreseen.record, found.new, now=now)
        if found.filled:
            await self.db.write(holes.fill, found.filled, now=now)
        self.seen, self.looked_at = state, now
        return True


async def main(db: Database, *, stop: asyncio.Event) -> None:
    """Look out until `stop`."""
    lookout = Lookout(db)

    async def step() -> bool:
        await lookout.step(now=utcnow())
        await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=GLANCE)
        return False

    await loop.run("foresee", step, pulse=db.pulse, stop=stop, rest=1.0)
