"""Clocks and events in, deliveries out."""

import asyncio
from collections.abc import Iterable

from app.dispatch import actions
from app.kit.clock import utcnow
from app.kit.db import Database
from workers import loop


async def main(db: Database, channels: Iterable[str], *, stop: asyncio.Event) -> None:
    """Call whoever is due, and pass on news, until `stop`."""
    kinds = frozenset(channels)

    async def step() -> bool:
        now = utcnow()
        if not await db.read(actions.due, now=now):
            return False
        struck = await db.write(actions.strike_next, now=now, channels=kinds)
        told = await db.write(actions.tell_next, now=now, channels=kinds)
        return bool(struck or told)

    await loop.run("dispatch", step, pulse=db.pulse, stop=stop, rest=0.5)
