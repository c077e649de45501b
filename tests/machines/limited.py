"""A small machine: a server that refuses what many small ones refuse, and says when a queue of its was full.

Run as a program it is the machine; imported it is the remote control: `with Limited({"Temp": 20.0}, sessions=2)`.
"""

import asyncio
import dataclasses
import json
import subprocess
import sys
from typing import Any

from tests.machines.oven import Oven, be


class Limited(Oven):
    """`items` in one call (`named`: it says so), `sessions` and outstanding `publishes` at once, `queue` per tag."""

    def __init__(self, tags: dict[str, Any], **limits: int) -> None:
        super().__init__(tags)
        self.limits = limits

    def start(self, *, filler_namespaces: int = 0) -> None:
        command = [sys.executable, "-m", "tests.machines.limited", str(self.port), json.dumps(self.tags)]
        command.append(json.dumps(self.limits))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()


def limit(
    *, items: int = 10_000, named: int = 0, sessions: int = 1000, publishes: int = 1000, queue: int = 1000
) -> None:
    """Make every server of this process such a one."""
    from asyncua import Server, ua
    from asyncua.common.utils import ServiceError
    from asyncua.server.internal_session import InternalSession
    from asyncua.server.internal_subscription import InternalSubscription
    from asyncua.server.uaprocessor import UaProcessor

    start, create_session = Server.start, InternalSession.create_session
    create_items, read = InternalSession.create_monitored_items, InternalSession.read

    async def name_limits(self: Any) -> None:
        self.iserver.min_session_timeout_ms = 100
        for number in (11705, 11714):  # MaxNodesPerRead, MaxMonitoredItemsPerCall
            await self.get_node(ua.NodeId(number)).write_value(named, ua.VariantType.UInt32)
        await start(self)

    async def few_sessions(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(self.iserver._external_sessions) > sessions:  # this one is counted already
            self.iserver.unregister_external_session(self)
            raise ServiceError(ua.StatusCodes.BadTooManySessions)
        return await create_session(self, *args, **kwargs)

    async def few_items(self: Any, params: Any) -> Any:
        if self.external and len(params.ItemsToCreate) > items:
            raise ServiceError(ua.StatusCodes.BadTooManyOperations)
        return await create_items(self, params)

    async def few_reads(self: Any, params: Any) -> Any:
        if self.external and len(params.NodesToRead) > items:
            raise ServiceError(ua.StatusCodes.BadTooManyOperations)
        return await read(self, params)

    async def overflow(_: Any, mid: int, event: Any, wanted: int, queues: dict[int, list[Any]]) -> None:
        """As OPC 10000-4 has it: the oldest goes, and the one beside it carries the mark."""
        waiting = queues.setdefault(mid, [])
        waiting.append(event)
        if len(waiting) > min(wanted or queue, queue):
            del waiting[0]
            marked = dataclasses.replace(waiting[0].Value, StatusCode=ua.StatusCode(ua.UInt32(0x480)))
            waiting[0] = dataclasses.replace(waiting[0], Value=marked)

    Server.start = name_limits
    InternalSession.create_session, InternalSession.create_monitored_items = few_sessions, few_items
    InternalSession.read = few_reads
    InternalSubscription._enqueue_event = overflow
    UaProcessor.publish_request_limit = lambda *_: publishes


if __name__ == "__main__":
    limit(**json.loads(sys.argv[3]))
    asyncio.run(be(int(sys.argv[1]), json.loads(sys.argv[2]), 0))
