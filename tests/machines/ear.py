"""What a link tells, kept for the tests; and patience with a deadline."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from app.capture.sources.opcua import Link
from app.kit.ids import new_id
from app.machines.conditions import Repeated, Told
from app.machines.models import LinkState
from app.machines.plan import Item, LinkPlan, LinkSettings
from app.machines.rules import Quality, Sample

BRISK = {
    "publishing_ms": 20,
    "keep_alive_s": 0.2,
    "probe_s": 0.5,
    "patience_s": 2,
    "reread_s": 60,
    "longest_rest_s": 0.3,
    "person_rest_s": 60,
}


async def until(condition: Callable[[], Any], *, within: float = 15.0) -> Any:
    """Wait for something to become true, and return it."""
    async with asyncio.timeout(within):
        while not (found := condition()):
            await asyncio.sleep(0.01)
    return found


class Ear:
    """A sink. `samples` in order, `last` by tag, `states` in order."""

    def __init__(self, plan: LinkPlan) -> None:
        self.plan = plan
        self.link = Link(plan, self)
        self.samples: list[tuple[str, Sample]] = []
        self.last: dict[str, Sample] = {}
        self.states: list[tuple[LinkState, str]] = []
        self.told: list[Told] = []
        self.batches = 0
        self.open = asyncio.Event()
        self.open.set()
        self._names = {item.tag_id: item.node.rpartition("=")[2] for item in plan.items}

    async def take(self, samples: Sequence[tuple[UUID, Sample]]) -> None:
        await self.open.wait()
        self.batches += 1
        for tag_id, sample in samples:
            self.samples.append((self._names[tag_id], sample))
            self.last[self._names[tag_id]] = sample

    async def hear(self, news: Sequence[Told | Repeated]) -> None:
        self.told += [one for one in news if isinstance(one, Told)]

    async def link_is(self, state: LinkState, fault: str) -> None:
        self.states.append((state, fault))

    @property
    def connected(self) -> bool:
        return bool(self.states) and self.states[-1][0] is LinkState.CONNECTED

    @property
    def faults(self) -> list[str]:
        return [fault for _, fault in self.states if fault]

    def value(self, tag: str) -> object:
        return self.last[tag].value if tag in self.last else None

    def quality(self, tag: str) -> Quality | None:
        return self.last[tag].quality if tag in self.last else None


@asynccontextmanager
async def listening(url: str, *nodes: str, **settings: float) -> Any:
    """An ear at a server, for a while."""
    items = tuple(Item(new_id(), node, 20) for node in nodes)
    ear = Ear(LinkPlan(new_id(), "oven", url, LinkSettings(**{**BRISK, **settings}), items))
    task = asyncio.create_task(ear.link.run())
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
