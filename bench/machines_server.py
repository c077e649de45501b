"""A machine with very many tags, in a process of its own: what it costs is not what is measured.

Run as a program it is the machine; imported it is the remote control: `with Machine(10_000) as machine`. Values are
written at the pace asked for whatever becomes of them, each with the moment it was written.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, Self

from bench.house import free_port

URI = "urn:pullcord:bench"
BEAT_S = 0.01
MOST = 200  # written in one go: what was written has to get out in between


def node(number: int) -> str:
    """Return the address of a tag, as a rule of Pullcord has it."""
    return f"nsu={URI};s=T{number}"


class Machine:
    """All its tags begin at 0.0."""

    def __init__(self, tags: int) -> None:
        self.tags, self.port = tags, free_port()
        self._told = ""
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "bench.machines_server", str(self.port), str(self.tags)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process = self._stack.enter_context(process)
        self._stack.callback(process.kill)
        self.answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, sweeps: Sequence[Sequence[float]], *, tags: range, rate: float) -> None:
        """Begin to write into these tags in turn, once for each sweep, `rate` changes a second.

        A sweep says what to write; of several values the tags take one after the other. `answer` waits for the end and
        returns the seconds it took.
        """
        assert self.process.stdin
        order = {"sweeps": sweeps, "first": tags.start, "last": tags.stop, "rate": rate}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self) -> float:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the machine died"
        return float(line)


async def be(port: int, tags: int) -> None:
    from asyncua import Server, ua

    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    number = await server.register_namespace(URI)
    nodes = []
    for tag in range(tags):
        name = ua.QualifiedName(f"T{tag}", number)
        made = await server.nodes.objects.add_variable(ua.NodeId(f"T{tag}", number), name, 0.0)
        nodes.append(made.nodeid)

    async def write(sweeps: Sequence[Sequence[float]], first: int, last: int, rate: float) -> float:
        wanted = [(nodes[tag], sweep[tag % len(sweep)]) for sweep in sweeps for tag in range(first, last)]
        began, done = time.perf_counter(), 0
        good, double = ua.StatusCode(), ua.VariantType.Double
        while done < len(wanted):
            due = min(int((time.perf_counter() - began) * rate) + 1, done + MOST, len(wanted))
            for where, value in wanted[done:due]:
                now = datetime.now(UTC)
                await server.write_attribute_value(where, ua.DataValue(ua.Variant(value, double), good, now, now))
            await asyncio.sleep(BEAT_S if due < done + MOST else 0)
            done = due
        return time.perf_counter() - began

    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with server:
        print(0.0, flush=True)
        while line := await lines.readline():
            order: dict[str, Any] = json.loads(line)
            print(await write(**order), flush=True)


if __name__ == "__main__":
    asyncio.run(be(int(sys.argv[1]), int(sys.argv[2])))
