"""Pullcord as processes of their own, so that they can really be killed."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

PATIENCE = 60.0  # seconds; on a busy machine a start takes some


@dataclass
class Installation:
    """Where the processes of one plant find each other: database, folder, port, push services."""

    database_url: str
    folder: Path
    push_hosts: list[str] = field(default_factory=list)
    port: int = 0
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = self.port or free_port()
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Ours, and nothing of whoever runs the tests."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("PULLCORD_")}
        return others | {
            "PULLCORD_DATABASE_URL": self.database_url,
            "PULLCORD_DATA_DIR": str(self.folder),
            "PULLCORD_PORT": str(self.port),
            "PULLCORD_PUSH_HOSTS": json.dumps(self.push_hosts),
            "PULLCORD_LANGUAGE": "en",
            **self.more,
        }


class Process:
    """`pullcord web`, `pullcord work dispatch`, …; ended at the latest when the block ends."""

    def __init__(
        self,
        installation: Installation,
        *arguments: str,
        module: str = "workers.cli",
        limit: Callable[[], None] | None = None,
    ) -> None:
        self.installation, self.arguments = installation, arguments
        self._module, self._limit = module, limit
        self._log = installation.folder / f"{'-'.join(arguments)}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        command = [sys.executable, "-m", self._module, *self.arguments]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self.installation.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=self._limit,
            )
        return self

    def kill(self) -> None:
        """As a power cut does: no goodbye."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """As an administrator does; return the exit code."""
        if not self._process:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def answers(self) -> Self:
        """Wait until the web server does."""

        def ready() -> bool:
            assert not self.ended, self.log()
            try:
                return httpx.get(f"{self.installation.url}/readyz", timeout=2).status_code == 200
            except httpx.TransportError:
                return False

        until(ready, self.log)
        return self

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")[-3000:]


def until(condition: Callable[[], object], otherwise: Callable[[], object] = str, *, within: float = PATIENCE) -> None:
    """Ask again until it is so; fail when it never is."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.02)


async def until_true(condition: Callable[[], object], *, within: float = PATIENCE) -> None:
    """The same, where an event loop has other things to do."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
