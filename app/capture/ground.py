"""What intake must know of the plant: stations, flows, teams, shifts. Read at most every two seconds.

The plant changes a few times a day and reports may come a thousand times a second. A station that is missing is looked
for at once; one that was retired a second ago may still take a report, which harms nobody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.flows import queries as flows
from app.flows.document import FlowDocument
from app.people.models import Team
from app.plant.models import Site, Station
from app.rosters.models import Shift

GOOD_FOR = timedelta(seconds=2)
ASKED_AGAIN = timedelta(milliseconds=200)
NONE: Any = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    line_id: UUID
    site_id: UUID
    zone: ZoneInfo
    retired: bool


@dataclass(frozen=True, slots=True)
class Ground:
    read_at: datetime
    places: dict[UUID, Place]
    codes: dict[str, UUID]
    flows: dict[str, tuple[UUID, FlowDocument]]
    teams: dict[str, UUID]
    shifts: dict[UUID, list[Shift]]
    merge_window: timedelta

    def has(self, stations: set[UUID], codes: set[str], categories: set[str]) -> bool:
        return stations <= self.places.keys() and codes <= self.codes.keys() and categories <= self.flows.keys()


def ground(
    session: Session,
    *,
    stations: set[UUID] = NONE,
    codes: set[str] = NONE,
    categories: set[str] = NONE,
    now: datetime,
) -> Ground:
    """Return what is known of the plant: read just now, or complete for what is asked."""
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    known = _known.get(engine)
    fresh = known is not None and abs(now - known.read_at) < GOOD_FOR
    if known and now - known.read_at < ASKED_AGAIN and fresh:
        return known  # somebody tries codes that do not exist: that must not keep the writer busy
    if known is None or not fresh or not known.has(stations, codes, categories):
        known = _known[engine] = _read(session, now=now)
    return known


def _read(session: Session, *, now: datetime) -> Ground:
    rows = session.connection().execute(_STATIONS).all()
    places = {
        station: Place(line, site, ZoneInfo(zone), retired is not None)
        for station, line, site, zone, retired, _ in rows
    }
    documents = {document.category: (version, document) for version, document in flows.current(session)}
    shifts: dict[UUID, list[Shift]] = {}
    for shift in session.exec(select(Shift)):
        session.expunge(shift)  # it is kept longer than this session: a rollback must not empty it
        shifts.setdefault(shift.site_id, []).append(shift)
    return Ground(
        read_at=now,
        places=places,
        codes={code: station for station, *_, code in rows},
        flows=documents,
        teams=dict(session.exec(select(Team.key, Team.id)).all()),
        shifts=shifts,
        merge_window=timedelta(minutes=max((d.merge_minutes for _, d in documents.values()), default=0)),
    )


_STATIONS: Any = select(
    Station.id,
    Station.line_id,
    Station.site_id,
    Site.timezone,
    Station.retired_at,
    Station.code,  # type: ignore[call-overload]
).join(Site, col(Site.id) == col(Station.site_id))
_known: WeakKeyDictionary[Engine, Ground] = WeakKeyDictionary()
