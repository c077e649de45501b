"""The one queue: what needs me, what my team has, everything."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column
from sqlmodel import Session, col, select

from app.anomaly.lifecycle import OWNED, Status
from app.anomaly.models import Anomaly, Event
from app.anomaly.queries import Card, cards, statement
from app.people.models import Person, Role
from app.triage.order import by_urgency, urgency

SHOWN = 50
COUNTED = 100  # more than this nobody reads as a number
SHIFT = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Count:
    n: int
    more: bool


@dataclass(frozen=True, slots=True)
class Queue:
    cards: list[Card]
    counts: dict[str, Count]
    more: bool
    handled: int


def queue(session: Session, tab: str, viewer: Person, *, now: datetime) -> Queue:
    """Return a tab of the queue, the worst first, at most `SHOWN`.

    Every part is an equality on the leading columns of an index that is already in the page's order: the page costs the
    same with a thousand anomalies and with a million.
    """
    parts = _parts(tab, viewer)
    found: dict[UUID, Card] = {}
    for part in parts:
        which = statement().where(*part).order_by(*by_urgency()).limit(SHOWN + 1)
        found |= {card.id: card for card in cards(session, which, viewer=viewer)}
    shown = sorted(found.values(), key=urgency)
    return Queue(
        cards=shown[:SHOWN],
        counts={name: _count(session, _parts(name, viewer)) for name in ("mine", "team", "all")},
        more=len(shown) > SHOWN,
        handled=_handled(session, viewer, now=now),
    )


def _parts(tab: str, viewer: Person) -> list[list[ColumnElement[bool]]]:
    """Return the conditions whose union is a tab."""
    waiting = col(Anomaly.in_queue).is_(True)
    lead = viewer.role.rank >= Role.TEAM_LEAD.rank
    if tab == "all":
        return [[waiting]]
    team: list[ColumnElement[bool]] = [waiting, col(Anomaly.team_id) == viewer.team_id]
    line: list[ColumnElement[bool]] = [waiting, col(Anomaly.line_id) == viewer.line_id]
    if tab == "team":
        return [team] if viewer.team_id and not viewer.line_id else [line] if viewer.line_id else [[waiting]]
    mine: list[ColumnElement[bool]] = [
        waiting,
        col(Anomaly.owner_id) == viewer.id,
        col(Anomaly.status).in_(OWNED),
    ]
    offered: list[ColumnElement[bool]] = [waiting, col(Anomaly.offered_to_id) == viewer.id]
    parts = [mine, offered]
    if viewer.team_id:
        parts.append([*team, col(Anomaly.status) == Status.REPORTED])
    if lead:
        verify = col(Anomaly.status) == literal_column(f"'{Status.RESOLVED}'")  # a literal: the index is partial
        mine_to_judge = (
            col(Anomaly.line_id) == viewer.line_id if viewer.line_id else col(Anomaly.team_id) == viewer.team_id
        )
        # Not "waiting" too, which follows from it: SQLite would walk the whole queue of the line instead.
        parts.append([mine_to_judge, verify, col(Anomaly.resolver_id).is_distinct_from(viewer.id)])
        if viewer.line_id:
            parts.append([*line, col(Anomaly.status) == Status.REPORTED])
    return parts


def _count(session: Session, parts: list[list[ColumnElement[bool]]]) -> Count:
    ids: set[UUID] = set()
    for part in parts:
        ids.update(session.exec(select(Anomaly.id).where(*part).limit(COUNTED)))
    return Count(min(len(ids), COUNTED - 1), len(ids) >= COUNTED)


def _handled(session: Session, viewer: Person, *, now: datetime) -> int:
    done: Any = select(func.count()).where(
        col(Event.by_id) == viewer.id, col(Event.at) > now - SHIFT, col(Event.kind).in_(("resolve", "verify"))
    )
    return int(session.exec(done).one())
