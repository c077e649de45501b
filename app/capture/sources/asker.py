"""Asks machines on behalf of the pages. The OPC UA library is loaded when the first question comes, not at start."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from app.kit.clock import utcnow
from app.machines import certificates
from app.machines.asking import Discovery, Health, Level, Seen
from app.machines.certificates import Keys
from app.machines.faults import Fault
from app.machines.plan import LinkPlan

AT_ONCE = 4
"""Questions of this process: a page must not become a way to keep the plant's network busy."""


class OpcUaAsker:
    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._places = asyncio.Semaphore(AT_ONCE)

    async def keys(self) -> Keys:
        """Who we are; made at the first call."""
        return await asyncio.to_thread(certificates.keys, self._data_dir, now=utcnow())

    async def meet(self, url: str) -> Discovery | Fault:
        from app.capture.sources.opcua_browse import meet

        async with self._places:
            return await meet(url)

    async def test(self, plan: LinkPlan) -> Health | Fault:
        from app.capture.sources.opcua_browse import test

        async with self._places:
            return await test(plan, await self.keys())

    async def browse(self, plan: LinkPlan, node: str, skip: int) -> Level | Fault:
        from app.capture.sources.opcua_browse import browse

        async with self._places:
            return await browse(plan, await self.keys(), node, skip)

    async def look(self, plan: LinkPlan, nodes: Sequence[str]) -> tuple[Seen, ...] | Fault:
        from app.capture.sources.opcua_browse import look

        async with self._places:
            return await look(plan, await self.keys(), nodes)
