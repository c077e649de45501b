"""Keeps what machines showed around their alarms: a snapshot begins with each, and is frozen when its time is over."""

import asyncio

from app.evidence import actions
from app.kit.clock import utcnow
from app.kit.db import Database
from workers import loop

EVERY_S = 2.0  # not at each commit: in a flood one look serves for many


async def main(db: Database, *, normal_minutes: int, stop: asyncio.Event) -> None:
    """Collect and freeze until `stop`."""

    async def step() -> bool:
        if await db.write(actions.collect_next, normal_minutes=normal_minutes, now=utcnow()):
            return True
        over = await db.read(actions.running, now=utcnow())
        for snapshot_id in over:
            rows = await db.read(actions.frozen, snapshot_id)
            await db.write(actions.freeze, snapshot_id, rows, now=utcnow())
        await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=EVERY_S)
        return False

    await loop.run("evidence", step, pulse=db.pulse, stop=stop, rest=1.0)
