from collections.abc import Iterator

import pytest

from tests.machines.oven import Oven
from tests.machines.tank import Tank, missing


@pytest.fixture(scope="module")
def oven() -> Iterator[Oven]:
    with Oven({"Temp": 20.0, "Door": False, "Count": 5}) as started:
        yield started


@pytest.fixture(scope="module")
def running_tank() -> Iterator[Tank]:
    """A server of another maker. Without Node its tests are left out, and the summary says so."""
    if why := missing():
        pytest.skip(why)
    with Tank() as started:
        yield started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line when nothing was tried against a server of another maker."""
    asked = any("nodeopcua" in report.nodeid for report in terminalreporter.getreports("skipped"))
    if asked and (why := missing()):
        terminalreporter.write_line(f"Not tested against node-opcua, an independent OPC UA server: {why}.")
