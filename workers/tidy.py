"""Once an hour: throw away what nobody needs any more."""

import asyncio

from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines import history
from app.people import checks, tidy
from app.settings import Settings
from workers import loop

EVERY = 3600.0
BREATH = 0.05  # between two pieces of history: alarms go first


async def main(db: Database, settings: Settings, *, stop: asyncio.Event) -> None:
    allowed = {"days": settings.history_days, "megabytes": settings.history_mb}

    async def step() -> bool:
        await db.write(tidy.forget_old_logins, now=utcnow())
        await db.write(checks.forget_old_checks, now=utcnow())
        while not stop.is_set() and await db.write(history.thin_next, now=utcnow()):
            await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=BREATH)
        await db.write(history.forget, **allowed, now=utcnow())
        await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=EVERY)
        return False

    await loop.run("tidy", step, pulse=db.pulse, stop=stop, rest=1.0)
