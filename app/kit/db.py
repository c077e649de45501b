"""Where plain functions meet the event loop: one writer thread with group commit, and a few readers.

`await db.write(f, …)` answers when the transaction is on disk. Jobs that wait while another commit is under way share
the next one, so a hundred reports cost one fsync. A group that fails is rolled back and its jobs run one by one: one
bad job harms no other. Functions run here must therefore touch nothing but the session: they may run twice.

Longer than most files because group commit is one thought, from the queue of jobs to the settled answers.
"""

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from app.kit.errors import DomainError
from app.kit.pulse import Pulse

P = ParamSpec("P")
T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  (an item for a door)
R = TypeVar("R")

READERS = 4
GROUP = 256  # jobs in one transaction: bounds what a failing one makes run again
TRIES = 5  # for a job that lost a race against another process
# PostgreSQL keeps the plan it made while a table was small. What the writer looks for always has an index.
PLAN_FOR_MANY_ROWS = "-c enable_seqscan=off -c jit=off"

_json = msgspec.json.Encoder(enc_hook=str)


@dataclass(slots=True)
class _Job:
    run: Callable[[Session], Any] | None
    door: Callable[..., Sequence[Any]] | None
    item: Any
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class Overtaken(Exception):
    """Another process changed what this job had read; nothing is kept of it, and it runs again."""


class Database:
    """The plant's memory, on SQLite or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dialect = make_url(url).get_backend_name()
        self.engine = connect(url, writer=True)
        self._readers = connect(url, writer=False)
        self.pulse = Pulse(url)
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_for_ever, name="writer", daemon=True)
        self._writer.start()

    async def write(self, f: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f(session, …)` in a transaction and answer when it is on disk."""
        answer: T = await self._submit(run=lambda session: f(session, *args, **kwargs))
        return answer

    async def write_one_of_many(self, door: Callable[[Session, Sequence[I]], Sequence[T]], item: I) -> T:
        """Hand `item` to `door`, together with all items that wait for the same door; one answer for each item."""
        answer: T = await self._submit(door=door, item=item)
        return answer

    async def read(self, f: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f(session, …)` on a reader; what it changes is not kept."""
        loop = asyncio.get_running_loop()
        # In the caller's context: words are made in the reader's language wherever they are made.
        context = contextvars.copy_context()
        return await loop.run_in_executor(self._pool, partial(context.run, self._read, f, *args, **kwargs))

    def close(self) -> None:
        """Finish what was begun and let go of the files."""
        self._jobs.put(None)
        self._writer.join()
        self._pool.shutdown()
        self.engine.dispose()
        self._readers.dispose()

    def _read(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        with Session(self._readers, expire_on_commit=False) as session:
            return f(session, *args, **kwargs)

    async def _submit(
        self,
        *,
        run: Callable[[Session], Any] | None = None,
        door: Callable[..., Sequence[Any]] | None = None,
        item: Any = None,
    ) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._jobs.put(_Job(run, door, item, future, loop))
        return await future

    def _write_for_ever(self) -> None:
        while (first := self._jobs.get()) is not None:
            group = [first]
            last = False
            while len(group) < GROUP:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    last = True
                    break
                group.append(job)
            self._settle(group, self._carry_out(group))
            if last:
                return

    def _carry_out(self, group: list[_Job]) -> list[Any]:
        try:
            return self._transaction(group)
        except Exception as failure:
            if len(group) == 1:
                return [self._try_again(group[0], failure)]
        return [self._carry_out([job])[0] for job in group]

    def _try_again(self, job: _Job, failure: Exception) -> Any:
        """Another process was faster, or held the lock too long: what is true now may let this job through."""
        for _ in range(TRIES):
            if not isinstance(failure, OperationalError | IntegrityError | Overtaken):
                break
            try:
                return self._transaction([job])[0]
            except Exception as again:
                failure = again
        return failure

    def _transaction(self, group: list[_Job]) -> list[Any]:
        answers: list[Any] = [None] * len(group)
        doors: dict[Callable[..., Sequence[Any]], list[int]] = {}
        with Session(self.engine, expire_on_commit=False) as session:
            for place, job in enumerate(group):
                if job.run is not None:
                    answers[place] = job.run(session) if len(group) == 1 else _apart(session, job.run)
                elif job.door is not None:
                    doors.setdefault(job.door, []).append(place)
            for door, places in doors.items():
                for place, answer in zip(places, door(session, [group[p].item for p in places]), strict=True):
                    answers[place] = answer
            finish(session)
            if self.dialect == "postgresql" and session.in_transaction():
                self.pulse.commit(session.connection())
            session.commit()
        self.pulse.beat()
        return answers

    @staticmethod
    def _settle(group: list[_Job], answers: list[Any]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for job, answer in zip(group, answers, strict=True):
            by_loop.setdefault(job.loop, []).append((job.future, answer))
        for loop, settled in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, settled)


def at_commit(session: Session, f: Callable[[Session, list[R]], None], *rows: R) -> None:
    """Let `f(session, rows)` run as the last thing of this transaction, once for all rows that were handed in."""
    session.info.setdefault(f, []).extend(rows)


def _apart(session: Session, run: Callable[[Session], Any]) -> Any:
    """Run one of several jobs so that its refusal undoes its own writes and nobody else's."""
    left = {f: len(rows) for f, rows in session.info.items()}
    try:
        with session.begin_nested():
            return run(session)
    except DomainError as refusal:
        for f, rows in session.info.items():
            del rows[left.get(f, 0) :]
        return refusal


def finish(session: Session) -> None:
    """Run what was left for the end of the transaction. Who has a session of their own calls it."""
    session.flush()
    while session.info:
        f, rows = session.info.popitem()
        f(session, rows)


def connect(url: str, *, writer: bool) -> Engine:
    """Open an engine: on SQLite the one writer (or read-only readers) in WAL mode with every commit on disk."""
    parsed = make_url(url)
    options: dict[str, Any] = {"json_serializer": dumps, "json_deserializer": msgspec.json.decode}
    if parsed.get_backend_name() == "postgresql":
        if not writer:
            return create_engine(parsed, pool_size=READERS, pool_pre_ping=True, **options)
        # The writer tries again when its connection was cut; asking before each commit whether it lives costs more.
        return create_engine(parsed, pool_size=1, connect_args={"options": PLAN_FOR_MANY_ROWS}, **options)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": 20}, **options)

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute("PRAGMA wal_autocheckpoint=4000")  # 16 MB: in a flood the same pages change again and again
        if not writer:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def dumps(value: object) -> str:
    """JSON for columns: UUIDs, dates and times as text."""
    return _json.encode(value).decode()


def _answer(settled: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, answer in settled:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
