"""One fault after the other on the way to a machine, while its alarms come and go; and what must be known after each.

Between us and the machine is a wire that can be cut and torn; the machine can be frozen, and killed and started again.
Its tags are used in turn, so that none rises often enough to be taken for chatter.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Occurrence
from app.machines.models import AlarmState, LinkState, Source
from tests.machines.oven import Oven
from tests.machines.plant import Plant
from tests.machines.wire import Wire

TAGS = {f"T{number}": False for number in range(90)}
FAULTS = ("killed", "frozen", "cut", "torn")
LONGEST_S = 1.2
PATIENCE_S = 30.0


@dataclass
class Storm:
    """`faults` counts what has been done."""

    plant: Plant
    oven: Oven
    wire: Wire
    chance: random.Random
    faults: Counter[str] = field(default_factory=Counter)
    rules: dict[UUID, str] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Have an alarm on each tag, which asks at once for somebody."""
        await self.plant.change(Source, self.plant.source_id, url=self.wire.url)
        self.rules = {await self.plant.watch(tag, "discrete"): tag for tag in TAGS}
        self._turn: Iterator[str] = cycle(TAGS)

    async def strikes(self) -> None:
        """Do one fault, let it pass, and wait until all is known again."""
        fault = self.chance.choice(FAULTS)
        self.faults[fault] += 1
        await getattr(self, f"_{fault}")()
        await self.is_known()

    async def is_known(self) -> None:
        """Wait until the link stands and every alarm is known as it is now.

        Raises:
            AssertionError: some are not, after a long time.
        """
        wrong: object = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while wrong := await self.plant.db.read(self._wrong):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"after {self.faults}: {wrong}") from None

    async def told_twice(self) -> list[str]:
        """Return what was told of an alarm that it had already told, and what opened twice."""
        return await self.plant.db.read(self._told_twice)

    async def _killed(self) -> None:
        await asyncio.to_thread(self.oven.kill)
        self._some_change()
        await asyncio.to_thread(self.oven.start)

    async def _frozen(self) -> None:
        self._some_change()
        self.oven.freeze()
        await self._a_while()
        self.oven.thaw()
        self._some_change()

    async def _cut(self) -> None:
        self.wire.cut()
        self._some_change()
        await self._a_while()
        self.wire.mend()

    async def _torn(self) -> None:
        self._some_change()
        self.wire.tear()
        self._some_change()

    async def _a_while(self) -> None:
        chance = self.chance
        await asyncio.sleep(chance.uniform(0.05, LONGEST_S))

    def _some_change(self) -> None:
        for _ in range(self.chance.randint(0, 3)):
            tag = next(self._turn)
            if self.oven.alive:
                self.oven.set(tag, not self.oven.tags[tag])
            else:
                self.oven.tags[tag] = not self.oven.tags[tag]

    def _wrong(self, session: Session) -> object:
        source = session.get_one(Source, self.plant.source_id)
        if source.state is not LinkState.CONNECTED:
            return source.state, source.fault
        known = dict(session.exec(select(AlarmState.rule_id, AlarmState.active)).all())
        return [tag for rule, tag in self.rules.items() if known.get(rule) is not self.oven.tags[tag]]

    def _told_twice(self, session: Session) -> list[str]:
        last: dict[UUID | None, str] = {}
        wrong = []
        order = col(Occurrence.rule_id), col(Occurrence.occurred_at), col(Occurrence.received_at), col(Occurrence.id)
        for rule, kind in session.exec(select(Occurrence.rule_id, Occurrence.kind).order_by(*order)):
            if last.get(rule, "return_to_normal") == kind:
                wrong.append(f"{rule}: {kind} twice")
            last[rule] = kind
        opened = session.exec(select(Occurrence.rule_id, Anomaly.id).join(Anomaly)).all()
        of_rule = Counter(rule for rule, _ in set(opened))
        return wrong + [f"{rule}: {many} anomalies" for rule, many in of_rule.items() if many > 1]
