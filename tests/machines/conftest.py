from collections.abc import Iterator

import pytest

from tests.machines.oven import Oven
from tests.machines.tank import missing


@pytest.fixture(scope="module")
def oven() -> Iterator[Oven]:
    with Oven({"Temp": 20.0, "Door": False, "Count": 5}) as started:
        yield started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line when alarms were not tried against a server of another maker."""
    asked = any("test_conditions_nodeopcua" in report.nodeid for report in terminalreporter.getreports("skipped"))
    if asked and (why := missing()):
        terminalreporter.write_line(f"Not tested against node-opcua, an independent OPC UA server: {why}.")
