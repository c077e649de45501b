"""What the station page shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from app.anomaly import queries as anomalies
from app.anomaly.models import Anomaly
from app.anomaly.queries import Card
from app.capture.intake import UnknownStation
from app.flows import queries as flows
from app.flows.document import FlowDocument
from app.people.models import Person
from app.plant import queries as plant
from app.plant.queries import Where

HISTORY = 5


@dataclass(frozen=True, slots=True)
class StationPage:
    station: Where
    open: list[Card]
    tiles: list[FlowDocument]
    history: list[Card]
    last_at: datetime | None


def station_page(session: Session, code: str, *, viewer: Person | None) -> StationPage:
    """Return what is open at a station, what can be called for, and what ended here lately.

    Raises:
        UnknownStation: no label carries this code, or the station is retired.
    """
    station = plant.where(session, code)
    if station is None or station.retired:
        raise UnknownStation()
    last = select(func.max(Anomaly.received_at)).where(col(Anomaly.station_id) == station.id)
    return StationPage(
        station=station,
        open=anomalies.at_station(session, station.id, is_open=True, limit=10, viewer=viewer),
        tiles=[document for _, document in flows.current(session)],
        history=anomalies.at_station(session, station.id, is_open=False, limit=HISTORY, viewer=viewer),
        last_at=session.exec(last).one(),
    )
