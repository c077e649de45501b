from collections.abc import Iterator

import pytest

from tests.machines.oven import Oven


@pytest.fixture(scope="module")
def oven() -> Iterator[Oven]:
    with Oven({"Temp": 20.0, "Door": False, "Count": 5}) as started:
        yield started
