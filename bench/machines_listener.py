"""Who listens to a machine, in a process of its own, and counts what arrives: the worker, or a bare iterator of asyncua.

`python -m bench.machines_listener worker|bare <url> <tags> [<database>]`, told on standard input which values to count;
answers with one line of JSON for each question. To see whether something is lost, one bit is kept for each value of
each tag: values are small whole numbers, and each is written once.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from time import time
from typing import Any, Self
from uuid import UUID

EVERY = 16  # of so many changes one is timed: a clock read for each would cost more than the rules


class Listener:
    """The remote control."""

    def __init__(self, kind: str, url: str, tags: int, database: str = "") -> None:
        self._command = [sys.executable, "-m", "bench.machines_listener", kind, url, str(tags), database]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process = self._stack.enter_context(process)
        self._stack.callback(process.kill)
        self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def counted(self, values: Sequence[float]) -> int:
        """How many different changes to these values have arrived so far."""
        return int(self._ask(values=list(values))["counted"])

    def latencies(self) -> list[float]:
        """Seconds from writing to arriving, of some of the changes since this was asked last."""
        return [float(one) for one in self._ask(values=[])["latencies"]]

    def _ask(self, **question: Any) -> Any:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the listener died"
        return json.loads(line)


class _Ledger:
    """One number for each tag, with a bit for each value that arrived."""

    def __init__(self) -> None:
        self.seen: dict[Any, int] = {}
        self.late: list[float] = []
        self._turn = 0

    def note(self, tag: Any, value: float, at: datetime | None) -> None:
        self.seen[tag] = self.seen.get(tag, 0) | 1 << int(value)
        self._turn += 1
        if at is not None and self._turn % EVERY == 0:
            self.late.append(time() - at.timestamp())

    def answer(self, values: Sequence[float]) -> dict[str, object]:
        mask = sum(1 << int(value) for value in values)
        late, self.late = (self.late, []) if not values else ([], self.late)
        return {"counted": sum((bits & mask).bit_count() for bits in self.seen.values()), "latencies": late}


async def _work(database: str, ledger: _Ledger) -> None:
    """Be `pullcord work machines`, and look over its shoulder."""
    from app import tables  # noqa: F401  (every table is known)
    from app.kit.db import Database
    from app.machines.samples import Sample
    from workers import machines, watcher

    class Counting(watcher.Watcher):
        async def take(self, samples: Sequence[tuple[UUID, Sample]]) -> None:
            for tag_id, sample in samples:
                ledger.note(tag_id, sample.value, None if sample.after_gap else sample.at)  # type: ignore[arg-type]
            await super().take(samples)

    machines.Watcher = Counting  # type: ignore[misc]
    await machines.main(Database(database), stop=asyncio.Event())


async def _iterate(url: str, tags: int, ledger: _Ledger) -> None:
    """Listen as the documentation of asyncua has it, with the same wishes as ours."""
    from asyncua import Client, ua

    from app.capture.sources.opcua import ITEM_QUEUE, node_id
    from app.machines.plan import LinkSettings
    from bench.machines_server import URI, node

    interval = LinkSettings().publishing_ms
    async with Client(url, timeout=60) as client:
        number = await client.get_namespace_index(URI)
        nodes = [client.get_node(node_id(node(tag), {URI: number})) for tag in range(tags)]
        wish = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval, RequestedMaxKeepAliveCount=50, RequestedLifetimeCount=600,
            MaxNotificationsPerPublish=5000, PublishingEnabled=True,
        )  # fmt: skip
        subscription = await client.create_subscription(wish, queue_maxsize=50_000)
        for start in range(0, tags, 1000):
            chunk = nodes[start : start + 1000]
            await subscription.subscribe_data_change(chunk, queuesize=ITEM_QUEUE, sampling_interval=interval)
        async for event in subscription:
            stamp = event.data.monitored_item.Value.SourceTimestamp
            ledger.note(event.node.nodeid, event.value, stamp.replace(tzinfo=UTC) if stamp else None)


async def main(kind: str, url: str, tags: int, database: str) -> None:
    ledger = _Ledger()
    listening = asyncio.create_task(_work(database, ledger) if kind == "worker" else _iterate(url, tags, ledger))
    while len(ledger.seen) < tags:
        await asyncio.wait([listening], timeout=0.1)
        if listening.done():
            listening.result()
    print(json.dumps(True), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(ledger.answer(json.loads(line)["values"])), flush=True)


if __name__ == "__main__":
    import uvloop

    from bench import machines_listener  # by its name, so that a class has one identity

    uvloop.run(machines_listener.main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
