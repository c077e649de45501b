"""The network between us and a machine: a TCP proxy that can be cut, mended, and torn."""

import asyncio
import contextlib
from typing import Self


class Wire:
    """`async with Wire(port) as wire`: connect to `wire.url` instead."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.made = 0  # how many connections there have been

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.tear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Nothing goes through any more, and nobody is told. What is sent meanwhile arrives when it is mended."""
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def tear(self) -> None:
        """End every connection, without a word of farewell."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._open.add(writer)
        self.made += 1
        try:
            await self._whole.wait()
            with contextlib.suppress(OSError):
                # From another address: to a port nobody listens at, a connection can by chance be one to itself.
                far_reader, far_writer = await asyncio.open_connection(
                    "127.0.0.1", self._to, local_addr=("127.0.0.2", 0)
                )
                self._open.add(far_writer)
                await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
                self._open.discard(far_writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
