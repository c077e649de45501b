"""A machine for tests: a real OPC UA server in a process of its own, so that it can really be killed.

Run as a program it is the machine; imported it is the remote control: `with Oven({"Temp": 20.0}) as oven`.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import IO, Any

URI = "urn:test:oven"


class Oven:
    """Start it, set its tags, freeze it, kill it, start it again: always at the same address."""

    def __init__(self, tags: dict[str, Any]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.tags = dict(tags)
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    @staticmethod
    def node(tag: str) -> str:
        return f"nsu={URI};s={tag}"

    @property
    def alive(self) -> bool:
        return self._process is not None

    def __enter__(self) -> "Oven":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, *, filler_namespaces: int = 0) -> None:
        """Begin with the values last set. `filler_namespaces` moves the number of our own one."""
        command = [sys.executable, __file__, str(self.port), json.dumps(self.tags), str(filler_namespaces)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def set(self, tag: str, value: Any, *, status: str = "Good", kind: str | None = None, age: float = 0) -> None:
        """Write a value. `kind` is an OPC UA type, where the tag is to change its own; `age` in seconds."""
        self.tags[tag] = value
        self._say(do="set", tag=tag, value=value, status=status, kind=kind, age=age)

    def remove(self, tag: str) -> None:
        del self.tags[tag]
        self._say(do="remove", tag=tag)

    def add(self, tag: str, value: Any) -> None:
        self.tags[tag] = value
        self._say(do="add", tag=tag, value=value)

    def sessions(self) -> int:
        """How many clients it believes to have."""
        return int(self._say(do="sessions"))

    def held(self) -> int:
        """How many sessions it keeps, those included whose client is gone without a word."""
        return int(self._say(do="held"))

    def _say(self, **order: Any) -> Any:
        assert self._process is not None, "it is not running"
        _write(self._process.stdin, order)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process is not None, "it is not running"
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the machine died"
        return json.loads(line)


async def be(port: int, tags: dict[str, Any], fillers: int) -> None:
    from asyncua import Server, ua

    server = Server()
    await server.init()
    server.iserver.aspace._is_expected_variant_type = lambda *_: True  # other makers' servers let a type change
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    for number in range(fillers):
        await server.register_namespace(f"urn:test:filler:{number}")
    number = await server.register_namespace(URI)
    nodes: dict[str, Any] = {}

    async def add(tag: str, value: Any) -> None:
        name = ua.QualifiedName(tag, number)
        nodes[tag] = await server.nodes.objects.add_variable(ua.NodeId(tag, number), name, value)
        await nodes[tag].set_writable()

    async def put(tag: str, value: Any, status: str, kind: str | None, age: float) -> None:
        variant = ua.Variant(value, ua.VariantType[kind]) if kind else ua.Variant(value)
        stamp = datetime.now(UTC) - timedelta(seconds=age)
        code = ua.StatusCode(getattr(ua.StatusCodes, status))
        await server.write_attribute_value(nodes[tag].nodeid, ua.DataValue(variant, code, stamp, stamp))

    for tag, value in tags.items():
        await add(tag, value)
    lines: asyncio.StreamReader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with server:
        _write(sys.stdout, True)
        while line := await lines.readline():
            match json.loads(line):
                case {"do": "set", **order}:
                    await put(**order)
                case {"do": "add", "tag": tag, "value": value}:
                    await add(tag, value)
                case {"do": "remove", "tag": tag}:
                    await server.delete_nodes([nodes.pop(tag)])
                case {"do": "sessions"}:
                    _write(sys.stdout, len(server.bserver.clients))
                    continue
                case {"do": "held"}:
                    _write(sys.stdout, len(server.iserver._external_sessions))
                    continue
            _write(sys.stdout, True)


def _write(pipe: IO[str] | None, message: Any) -> None:
    assert pipe is not None
    pipe.write(json.dumps(message) + "\n")
    pipe.flush()


if __name__ == "__main__":
    asyncio.run(be(int(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])))
