"""Once an hour: throw away what nobody needs any more."""

import asyncio

from app.kit.clock import utcnow
from app.kit.db import Database
from app.people import checks, tidy
from workers import loop

EVERY = 3600.0


async def main(db: Database, *, stop: asyncio.Event) -> None:
    async def step() -> bool:
        await db.write(tidy.forget_old_logins, now=utcnow())
        await db.write(checks.forget_old_checks, now=utcnow())
        await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=EVERY)
        return False

    await loop.run("tidy", step, pulse=db.pulse, stop=stop, rest=1.0)
