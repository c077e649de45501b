"""A worker in a process of its own, so that it can really be killed: `python -m tests.machines.worker <database>`."""

import asyncio
import sys
from datetime import timedelta

from app import tables  # noqa: F401
from app.kit.db import Database
from app.machines import actions
from workers import machines


async def main(url: str) -> None:
    actions.LEASE = timedelta(seconds=0.5)
    machines.RENEW_EVERY = timedelta(seconds=0.1)
    machines.REST_S = 0.05
    await machines.main(Database(url), stop=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
