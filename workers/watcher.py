"""Watches one source: what its link reads is judged, what is found out goes to the database in batches.

Longer than most files because what arrives, time that passes and what is stored share one memory. It may be lost at any
moment: what matters is in the database by then, or found anew when the values are read again.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from app.capture.sources import alarms
from app.capture.sources.opcua import Link
from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines import actions
from app.machines.actions import LeaseLost, LinkReport
from app.machines.certificates import Keys
from app.machines.conditions import Repeated, Told
from app.machines.models import LinkState
from app.machines.plan import Plan
from app.machines.rules import Sample
from app.machines.watch import Edge, Watch
from workers.conditions import Conditions
from workers.outbox import Outbox
from workers.recorder import Recorder

TICK_S = 5.0  # the longest we sleep without looking at the clock
FAREWELL_S = 5.0

log = structlog.get_logger()


class Watcher:
    """Ends by itself only when another worker has the lease, or something unforeseen happened: then begin a new one."""

    def __init__(self, db: Database, source_id: UUID, holder: str, keys: Keys | None = None) -> None:
        self.has_news = False
        self._db = db
        self._source_id = source_id
        self._holder = holder
        self._keys = keys
        self._plan: Plan | None = None
        self._link: Link | None = None
        self._watch = Watch((), {}, now=utcnow(), calming=True)
        self._outbox: Outbox[Edge] = Outbox(db, source_id, holder, alarms.record)
        self._conditions = Conditions(db, source_id, holder)
        self._recorder = Recorder(db)
        self._wound = asyncio.Event()
        self._next_tick: datetime | None = None
        self._state, self._fault, self._connects, self._overflows = LinkState.IDLE, "", 0, 0
        self._connected_at: datetime | None = None
        self._last_value_at: datetime | None = None
        self._task = asyncio.create_task(self._live())

    @property
    def ended(self) -> bool:
        return self._task.done()

    def report(self) -> LinkReport:
        """How the link stands, to be stored by whoever asks."""
        connects, self._connects, self.has_news = self._connects, 0, False
        report = LinkReport(self._state, self._fault, self._connected_at, self._last_value_at, connects)
        if (link := self._link) is None:
            return report
        overflows, self._overflows = link.overflows - self._overflows, link.overflows
        return replace(report, overflows=overflows, bad_values=len(link.bad), clock_offset_s=link.clock_offset_s)

    async def follow(self, plan: Plan) -> bool:
        """Go by changed settings. False: it is another connection now, begin anew."""
        before = self._plan
        if before is None or plan == before:
            return True
        if plan.link != before.link or plan.fault != before.fault:
            return False
        if plan.alarms != before.alarms:
            await self._outbox.store()
            await self._take_up()
            if self._link is not None:
                self._link.reread.set()
        if plan.try_at != before.try_at and self._link is not None:
            self._link.kick.set()
        self._plan = plan
        return True

    async def stop(self) -> None:
        """End, after storing what has been found out so far."""
        with contextlib.suppress(TimeoutError, LeaseLost):
            async with asyncio.timeout(FAREWELL_S):
                await self._outbox.store()
                await self._conditions.store()
                await self._recorder.store(all_=True)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # The link calls these three.

    async def take(self, samples: Sequence[tuple[UUID, Sample]]) -> None:
        """Judge what was read. Waits while the database cannot keep up, so that the link asks for less."""
        now = utcnow()
        self._last_value_at = now
        self._found(self._watch.take(samples, now=now))
        self._recorder.take(samples)
        await self._outbox.room()

    async def hear(self, news: Sequence[Told | Repeated]) -> None:
        """Take in what the server tells of its own alarms."""
        self._last_value_at = utcnow()
        await self._conditions.hear(news)

    async def link_is(self, state: LinkState, fault: str) -> None:
        """Note how the link stands. Without it, nothing is known of any signal."""
        if state is LinkState.CONNECTING and self._state is not LinkState.IDLE:
            return  # one more try is no news; why the last one failed is what people need to read
        now = utcnow()
        if state is LinkState.CONNECTED:
            self._connected_at = now
            self._connects += 1
        elif state is not LinkState.CONNECTING:
            self._found(self._watch.silence(status="BadNoCommunication", now=now))
            self._recorder.silence(status="BadNoCommunication", now=now)
        self._state, self._fault, self.has_news = state, fault, True
        self._db.pulse.beat()

    async def _live(self) -> None:
        try:
            plan = self._plan = await self._take_up()
            if plan is None:
                return
            async with asyncio.TaskGroup() as group:
                group.create_task(self._outbox.run())
                group.create_task(self._let_time_pass())
                group.create_task(self._recorder.run())
                if plan.link is None:
                    await self.link_is(LinkState.NEEDS_PERSON, plan.fault)
                else:
                    self._link = Link(plan.link, self, self._keys)
                    group.create_task(self._link.run())
                    group.create_task(self._conditions.run(self._link))
        except LeaseLost:
            log.info("watcher.lease_lost", source=str(self._source_id))
        except Exception as error:
            if isinstance(error, ExceptionGroup) and error.subgroup(LeaseLost):
                log.info("watcher.lease_lost", source=str(self._source_id))
            else:
                log.exception("watcher.ended", source=str(self._source_id))

    async def _take_up(self) -> Plan | None:
        now = utcnow()
        taken = await self._db.write(actions.take_up, self._source_id, self._holder)
        if taken.plan is not None:
            self._found(self._watch.change(taken.plan.alarms, taken.states, now=now))
        self._found(actions.withdraw(taken, now=now))
        return taken.plan

    def _found(self, edges: Sequence[Edge]) -> None:
        self._outbox.put(edges)
        due = self._watch.due
        if due is not None and (self._next_tick is None or due < self._next_tick):
            self._wound.set()

    async def _let_time_pass(self) -> None:
        while True:
            due = self._next_tick = self._watch.due
            wait = TICK_S if due is None else min((due - utcnow()).total_seconds(), TICK_S)
            self._wound.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wound.wait(), max(wait, 0.001))
            self._found(self._watch.tick(now=utcnow()))
