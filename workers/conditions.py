"""The alarms a server itself has: what it tells goes to the database, what people answer goes to the machine."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from app.capture.sources import conditions
from app.capture.sources.opcua import Link
from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines import condition_actions
from app.machines.conditions import Errand, Repeated, Told
from workers.outbox import Outbox

REST_S = 2.0  # between two looks for answers, if nobody wakes us
ASK_AGAIN_S = 15.0  # the longest that an alarm stays hidden after its time on the shelf

log = structlog.get_logger()


class Conditions:
    """What one watcher knows of its server's own alarms: nothing that is not in the database within a moment."""

    def __init__(self, db: Database, source_id: UUID, holder: str) -> None:
        self._db = db
        self._source_id = source_id
        self._holder = holder
        self._outbox: Outbox[Told | Repeated] = Outbox(db, source_id, holder, conditions.record)

    async def hear(self, news: Sequence[Told | Repeated]) -> None:
        """Take in what the server told. Waits while the database cannot keep up."""
        self._outbox.put(news)
        await self._outbox.room()

    async def store(self) -> None:
        await self._outbox.store()

    async def run(self, link: Link) -> None:
        """Store what is heard and send what is answered, for ever.

        Raises:
            LeaseLost: another worker watches this source.
        """
        if not link.plan.settings.conditions:
            await self._db.write(conditions.withdraw, self._source_id, self._holder, now=utcnow())
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outbox.run())
            group.create_task(self._answer_for_ever(link))
            group.create_task(self._ask_again(link))

    async def _answer_for_ever(self, link: Link) -> None:
        while True:
            beats = self._db.pulse.beats
            if link.conditions is None or not await self._answer(link):
                await self._db.pulse.after(beats, rest=REST_S)

    async def _ask_again(self, link: Link) -> None:
        """What was shelved may be shown again: nobody tells us when."""
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            if await self._db.read(condition_actions.waits, self._source_id):
                link.refresh.set()

    async def _answer(self, link: Link) -> bool:
        """Take one answer to the machine. False: none is due."""
        now = utcnow()
        if not await self._db.read(condition_actions.is_due, self._source_id, now=now):
            return False
        errand = await self._db.write(condition_actions.claim, self._source_id, self._holder, now=now)
        if errand is None:
            return False
        status = await self._send(link, errand)
        if status == condition_actions.CHANGED:
            link.refresh.set()  # so that the next try names the newest event
        await self._db.write(conditions.settle, self._source_id, self._holder, errand, status, now=utcnow())
        return True

    async def _send(self, link: Link, errand: Errand) -> str:
        try:
            return await link.conditions.send(errand) if link.conditions is not None else ""
        except Exception as error:
            log.info("condition.no_answer", source=link.plan.name, act=errand.act, error=repr(error))
            return ""
