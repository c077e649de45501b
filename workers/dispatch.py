"""Clocks, bells and events in, deliveries out."""

import asyncio
from collections.abc import Iterable

from app.dispatch import actions, bells, swap_news
from app.kit.clock import utcnow
from app.kit.db import Database
from workers import loop

REST = 0.5
GLANCE = 1.0  # seconds between two looks whether a shift has begun: bells have time


async def main(db: Database, channels: Iterable[str], *, stop: asyncio.Event) -> None:
    """Call whoever is due, pass on news, and ring whoever begins a shift, until `stop`."""
    kinds = frozenset(channels)
    looked = -GLANCE  # by the loop's own clock, which nobody sets back

    async def call() -> bool:
        now = utcnow()
        if not await db.read(actions.due, now=now):
            return False
        struck = await db.write(actions.strike_next, now=now, channels=kinds)
        told = await db.write(actions.tell_next, now=now, channels=kinds)
        return bool(struck or told)

    async def ring() -> bool:
        """However many commits wake us, this is looked at once a second."""
        nonlocal looked
        if (ticks := asyncio.get_running_loop().time()) - looked < GLANCE:
            return False
        looked, now = ticks, utcnow()
        if await db.read(swap_news.swaps_untold, now=now, channels=kinds):
            await db.write(swap_news.tell_swaps, now=now, channels=kinds)
        if not await db.read(bells.bells_due, now=now, channels=kinds):
            return False
        rung = await db.write(bells.ring_bells, now=now, channels=kinds)
        red = await db.write(bells.give_up_silent, now=now, channels=kinds)
        return bool(rung or red)

    async def step() -> bool:
        called = await call()
        return await ring() or called

    await loop.run("dispatch", step, pulse=db.pulse, stop=stop, rest=REST)
