"""The pulse: loops and live pages do not poll, they are woken when anybody commits.

Inside the process the writer beats it. A commit of another process is seen by `PRAGMA data_version` on SQLite and by
LISTEN/NOTIFY on PostgreSQL. A pulse is a hint, never a message: who wakes looks at the database, and looks anyway
after a while.
"""

import asyncio
import sqlite3
import threading

import structlog
from sqlalchemy import Connection, make_url

from app.kit.direct import run

CHANNEL = "pullcord"
LOOK_EVERY = 0.02  # seconds between two looks at SQLite's data_version: one look costs some 10 µs
RETRY_AFTER = 1.0

log = structlog.get_logger()


class Pulse:
    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._beats = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def beats(self) -> int:
        """How often it beat; read it before looking, so that nothing falls between looking and waiting."""
        return self._beats

    def beat(self) -> None:
        """Wake everybody who waits, from any thread."""
        with self._lock:
            self._beats += 1
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def after(self, beats: int, *, rest: float) -> None:
        """Return as soon as it has beaten since `beats`, at the latest after `rest` seconds."""
        event = asyncio.Event()
        with self._lock:
            if self._beats != beats:
                return
            ticket = (asyncio.get_running_loop(), event)
            self._waiting.add(ticket)
        try:
            await asyncio.wait_for(event.wait(), rest)
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(ticket)

    @staticmethod
    def commit(connection: Connection) -> None:
        """Commit, and tell the other processes (PostgreSQL): both in one way there and back."""
        run(connection, f"NOTIFY {CHANNEL}; COMMIT", None)

    async def listen(self) -> None:
        """Feel the commits of other processes until cancelled, also when the database was away meanwhile."""
        while True:
            try:
                if self._url.get_backend_name() == "postgresql":
                    await self._listen_postgresql()
                elif self._url.database:
                    await self._watch_sqlite(self._url.database)
                else:
                    return  # in memory: nobody else can commit
            except Exception as error:
                log.warning("pulse.lost", reason=str(error))
                await asyncio.sleep(RETRY_AFTER)

    async def _watch_sqlite(self, path: str) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        seen = None
        try:
            while True:
                (version,) = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    self.beat()
                await asyncio.sleep(LOOK_EVERY)
        finally:
            connection.close()

    async def _listen_postgresql(self) -> None:
        import psycopg  # a tenth of a second at start, which SQLite does not need

        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self.beat()  # what was committed before we listened
            while True:
                async for _ in connection.notifies(stop_after=1):
                    pass
                self.beat()
                # In a flood one beat for many commits: being told of each costs more than the beat.
                await asyncio.sleep(LOOK_EVERY)
