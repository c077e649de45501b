"""Where things are: stations by their code, the tree of lines, paths for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from app.kit.columns import Names
from app.kit.errors import NotFound
from app.kit.secret import digest
from app.plant.models import Area, Board, Line, Site, Station


@dataclass(frozen=True, slots=True)
class Where:
    """A station with the path to it."""

    id: UUID
    code: str
    names: Names
    line: Names
    area: Names
    site: Names
    timezone: str
    retired: bool


@dataclass(frozen=True, slots=True)
class LineOfStations:
    id: UUID
    names: Names
    area: Names
    stations: list[Station]


def where(session: Session, code: str) -> Where | None:
    """Return the station with this code, in upper case; None when no label ever carried it."""
    statement: Any = (
        select(Station, Line.names, Area.names, Site.names, Site.timezone)  # type: ignore[call-overload]
        .join(Line, col(Line.id) == col(Station.line_id))
        .join(Area, col(Area.id) == col(Line.area_id))
        .join(Site, col(Site.id) == col(Station.site_id))
        .where(Station.code == code)
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    station, line, area, site, timezone = found
    return Where(station.id, station.code, station.names, line, area, site, timezone, station.retired_at is not None)


def lines(session: Session) -> list[LineOfStations]:
    """Return every line with its stations, in the order of the shop floor."""
    statement = (
        select(Line, Area.names)
        .join(Area, col(Area.id) == col(Line.area_id))
        .order_by(col(Line.position), col(Line.id))
    )
    found = {line.id: LineOfStations(line.id, line.names, dict(area), []) for line, area in session.exec(statement)}
    stations = (
        select(Station).where(col(Station.retired_at).is_(None)).order_by(col(Station.position), col(Station.code))
    )
    for station in session.exec(stations):
        found[station.line_id].stations.append(station)
    return list(found.values())


def lines_of(session: Session, site_id: UUID) -> Sequence[Line]:
    """Return the lines of a site, in the order of the shop floor."""
    which = select(Line).join(Area, col(Area.id) == col(Line.area_id)).where(Area.site_id == site_id)
    return session.exec(which.order_by(col(Line.position), col(Line.id))).all()


def sites(session: Session) -> Sequence[Site]:
    """Return the sites, the oldest first: a plant starts with one."""
    return session.exec(select(Site).order_by(col(Site.id))).all()


def count_stations(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Station)).one()


def board(session: Session, token: str) -> Board:
    """Return the screen whose address this is.

    Raises:
        NotFound: there is none, or not any more.
    """
    found = session.exec(select(Board).where(Board.token == digest(token), col(Board.revoked_at).is_(None))).first()
    if found is None:
        raise NotFound()
    return found


def areas(session: Session) -> Sequence[Area]:
    """Return the halls, the oldest first."""
    return session.exec(select(Area).order_by(col(Area.id))).all()
