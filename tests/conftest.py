"""What every test may ask for. A test that names a database runs twice: on SQLite and on PostgreSQL.

Databases live in memory where there is such a place: fsync is what tests would otherwise wait for.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from app import tables  # noqa: F401  (tables know each other only when all are imported)
from app.kit.db import Database
from app.settings import Settings
from tests import factories
from tests.databases import CommittingSession, Copies, SqliteCopies, postgres
from tests.journeys.harness import House, Plant
from tests.push.service import PushService

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def in_memory() -> Iterator[Path]:
    """A folder that is fast and gone after the tests."""
    place = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="pullcord-", dir=place) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def copies(in_memory: Path) -> Iterator[Callable[[str], Copies]]:
    """Where fresh databases come from; each kind is set up when the first test wants it."""
    running: dict[str, Copies] = {}
    servers = []

    def of(kind: str) -> Copies:
        if kind not in running and kind == "sqlite":
            running[kind] = SqliteCopies(in_memory)
        elif kind not in running:
            servers.append(postgres(in_memory / "postgresql"))
            running[kind] = servers[0].__enter__()
        return running[kind]

    yield of
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, copies: Callable[[str], Copies]) -> Iterator[str]:
    """The address of a database with this version's tables and nothing in them."""
    kind = copies(request.param)
    url = kind.fresh()
    yield url
    kind.throw_away(url)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def session(db: Database) -> Iterator[CommittingSession]:
    """For domain functions without an event loop. On SQLite nobody else can write before it commits."""
    with CommittingSession(db.engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture(scope="session")
def push_service() -> Iterator[PushService]:
    """One for all journeys. Over plain HTTP: what TLS adds is tested in tests/channels."""
    with PushService(tls=False) as service:
        yield service


@pytest.fixture(scope="session")
def houses(
    in_memory: Path, push_service: PushService, copies: Callable[[str], Copies]
) -> Iterator[Callable[[str], House]]:
    """The app on each kind of database, put together when the first journey wants it."""
    built: dict[str, House] = {}

    def of(kind: str) -> House:
        if kind not in built:
            places = {"data_dir": in_memory / kind, "push_hosts": [push_service.place]}
            settings = Settings(_env_file=None, language="en", **places)
            built[kind] = House.build(settings, copies(kind).fresh(), push_service)
        return built[kind]

    yield of
    for house in built.values():
        house.database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def plant(
    request: pytest.FixtureRequest, copies: Callable[[str], Copies], houses: Callable[[str], House]
) -> AsyncIterator[Plant]:
    """The plant of tests/factories.py on a Monday morning, everybody logged in and with a phone that rings."""
    house, kind = houses(request.param), copies(request.param)
    url = kind.fresh(factories.plant)
    async with Plant(house, url) as running:
        yield running
    house.push.faults.clear()
    house.database.moves_to("")
    kind.throw_away(url)


@pytest.fixture
def settings(database_url: str, in_memory: Path, tmp_path: Path) -> Settings:
    """An installation of its own: English, its own folder, this test's database."""
    return Settings(_env_file=None, data_dir=tmp_path, database_url=database_url, language="en")
