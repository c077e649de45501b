from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.kit.db import Database
from app.kit.migrate import upgrade
from tests.machines.oven import Oven


@pytest.fixture(scope="module")
def oven() -> Iterator[Oven]:
    with Oven({"Temp": 20.0, "Door": False, "Count": 5}) as started:
        yield started


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/pullcord.db"
    upgrade(url)
    database = Database(url)
    yield database
    database.close()
