"""An anomaly as a row, for tests that need no road."""

from typing import Any

from sqlmodel import Session, select

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly, Clock
from app.flows.models import Flow
from tests.factories import MONDAY, add, id_of

_numbers = iter(range(1001, 10**9))


def anomaly(session: Session, station: str = "Press 7", *, category: str = "machine", **more: Any) -> Anomaly:
    """Add a reported anomaly of severity 2 at a station of the plant of the tests."""
    version = session.exec(select(Flow.current_id).where(Flow.category == category)).one()
    values: dict[str, Any] = {
        "number": next(_numbers),
        "site_id": id_of("site", "Suzhou"),
        "line_id": id_of("line", "Line 4" if station == "Oven 1" else "Line 3"),
        "station_id": id_of("station", station),
        "flow_version_id": version,
        "category": category,
        "origin": "person",
        "severity": 2,
        "status": Status.REPORTED,
        "team_id": id_of("team", "maintenance"),
        "occurred_at": MONDAY,
        "received_at": MONDAY,
        "local_day": MONDAY.date(),
        "local_hour": 10,
        "clock": Clock.ACCEPTED,
        "clock_from": MONDAY,
        "next_clock_at": MONDAY,
        "round": 1,
    }
    made = Anomaly(**values | more)
    add(session, made)
    return made
