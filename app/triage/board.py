"""What a screen in the hall shows: each line in one word, the three worst calls, and the day so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import Session, col, select

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly
from app.anomaly.queries import Card, cards, statement
from app.kit.columns import Names
from app.plant.models import Area, Board, Line, Site, Station

WORST = 3  # more than three nobody reads in passing
ROWS = 8  # lines that can be read from ten metres
ALL_CLEAR = timedelta(minutes=15)  # for so long a line that works again is shown, calmly
LOOKED_AT = timedelta(days=7)  # what was called earlier and checked today is missing from the day's figures


@dataclass(slots=True)
class Row:
    """One line. `state`, the worst first: stopped, waiting, owned, check, clear, normal."""

    line_id: UUID
    names: Names
    state: str = "normal"
    count: int = 0
    clear_at: datetime | None = None


@dataclass(slots=True)
class Wall:
    """Everything at once. `quiet_lines` are normal ones there is no room for; `worst` is what one can read."""

    rows: list[Row] = field(default_factory=list)
    quiet_lines: int = 0
    worst: list[Card] = field(default_factory=list)
    more: int = 0
    open: int = 0
    called: int = 0
    checked: int = 0


STATES = ("stopped", "waiting", "owned", "check", "clear", "normal")


def wall(session: Session, board: Board, *, now: datetime) -> Wall:
    """Return what `board` shows now."""
    rows = {line.id: Row(line.id, line.names) for line in _lines(session, board)}
    here = (
        col(Anomaly.in_queue).is_(True),
        col(Anomaly.practice).is_(False),
        col(Anomaly.line_id).in_(list(rows)),
    )
    seen = Wall()
    for line_id, severity, status, count in session.execute(_open(here)):
        row = rows[line_id]
        row.count += count
        row.state = min(row.state, _state(severity, Status(status)), key=STATES.index)
        seen.open += count
    for line_id, called, checked, last in session.execute(_day(session, board, rows, now)):
        seen.called += called
        seen.checked += checked
        if last and rows[line_id].state == "normal" and now - last < ALL_CLEAR:
            rows[line_id].state, rows[line_id].clear_at = "clear", last
    in_order = sorted(rows.values(), key=lambda row: row.state == "normal")
    seen.rows = [row for place, row in enumerate(in_order) if row.state != "normal" or place < ROWS]
    seen.quiet_lines = len(rows) - len(seen.rows)
    seen.worst = _worst(session, here)
    seen.more = max(seen.open - len(seen.worst), 0)
    return seen


def _state(severity: int, status: Status) -> str:
    if status == Status.RESOLVED:
        return "check"
    if severity == 1:
        return "stopped"
    return "waiting" if status == Status.REPORTED else "owned"


def _lines(session: Session, board: Board) -> Iterable[Line]:
    which = select(Line).join(Area, col(Area.id) == col(Line.area_id)).where(col(Area.site_id) == board.site_id)
    if board.area_id:
        which = which.where(col(Area.id) == board.area_id)
    return session.exec(which.order_by(col(Line.position), col(Line.id)))


def _open(here: Iterable[ColumnElement[bool]]) -> Any:
    kinds = (col(Anomaly.line_id), col(Anomaly.severity), col(Anomaly.status))
    return select(*kinds, func.count()).where(*here).group_by(*kinds)


def _day(session: Session, board: Board, rows: Iterable[UUID], now: datetime) -> Any:
    """Called and checked since midnight, and last checked, of each line. By station: its index knows the time."""
    zone = ZoneInfo(session.get_one(Site, board.site_id).timezone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    lately = and_(
        col(Anomaly.station_id) == col(Station.id),
        col(Anomaly.received_at) > now - LOOKED_AT,
        col(Anomaly.practice).is_(False),
    )
    return (
        select(
            col(Station.line_id),
            func.count().filter(col(Anomaly.received_at) >= midnight),
            func.count().filter(col(Anomaly.verified_at) >= midnight),
            func.max(col(Anomaly.verified_at)),
        )
        .join(Anomaly, lately)
        .where(col(Station.line_id).in_(list(rows)))
        .group_by(col(Station.line_id))
    )


def _worst(session: Session, here: Iterable[ColumnElement[bool]]) -> list[Card]:
    which = statement().where(*here, col(Anomaly.status) != Status.RESOLVED)
    order = (col(Anomaly.severity), col(Anomaly.status) != Status.REPORTED, col(Anomaly.received_at), col(Anomaly.id))
    return cards(session, which.order_by(*order).limit(WORST), viewer=None)
