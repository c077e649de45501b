"""The handover from one shift to the next writes itself: what is open and whose, what came back, what failed most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from app.anomaly.models import Anomaly, Event
from app.anomaly.queries import Card, cards, statement
from app.kit.columns import Names
from app.kit.errors import NotFound
from app.people.models import Person
from app.plant.models import Line, Site, Station
from app.plant.queries import lines_of
from app.rosters.checkin import OVER, own_spell
from app.rosters.models import HandoverNote, Shift
from app.rosters.roster import spell
from app.rosters.shifts import shift_at
from app.triage.order import by_urgency

SHIFT = timedelta(hours=8)  # what counts as one where there are no shifts
SHOWN = 60
BUSIEST = 5


class Item(msgspec.Struct):
    """One anomaly as it stood when the shift was handed over."""

    id: UUID
    number: int
    severity: int
    status: str
    station: Names
    line: Names
    category: Names
    symptom: Names | None
    message: str
    owner: str
    offered_to: str
    received_at: datetime
    due_at: datetime | None
    held: bool
    hold_reason: str


class Busy(msgspec.Struct):
    station: Names
    line: Names
    count: int


class Summary(msgspec.Struct):
    """`open` is what somebody works on or should, worst first; `held` waits for its next look, the earliest first."""

    since: datetime
    open: list[Item]
    held: list[Item]
    back: list[Item]
    busiest: list[Busy]
    more: bool

    @property
    def quiet(self) -> bool:
        return not (self.open or self.held or self.back or self.busiest)


@dataclass(frozen=True, slots=True)
class Span:
    """The shift that is handed over."""

    shift_id: UUID | None
    names: Names | None
    day: date
    begins: datetime


def span(session: Session, giver: Person, *, now: datetime) -> Span:
    """Return the giver's own shift, also when it has just ended; else the one that runs; else the last eight hours."""
    zone = ZoneInfo(session.get_one(Site, giver.site_id).timezone)
    local = now.astimezone(zone)
    shifts = {one.id: one for one in session.exec(select(Shift).where(Shift.site_id == giver.site_id))}
    own = own_spell(session, giver, now=now, over=OVER)
    if own is not None and own.begins <= now:
        return Span(own.shift_id, shifts[own.shift_id].names, own.day, own.begins)
    if running := shift_at(shifts.values(), local.replace(tzinfo=None)):
        shift_id, day = running
        begins = spell(giver.id, shift_id, day, shifts[shift_id], zone).begins
        return Span(shift_id, shifts[shift_id].names, day, begins)
    return Span(None, None, local.date(), now - SHIFT)


def summary(session: Session, site_id: UUID, line_id: UUID | None, *, since: datetime) -> Summary:
    """Return what the next shift must know of a line, or of the whole site. The same question always costs the same."""
    here: ColumnElement[bool] = col(Anomaly.line_id) == line_id if line_id else col(Anomaly.site_id) == site_id
    which = statement().where(col(Anomaly.in_queue).is_(True), here).order_by(*by_urgency()).limit(SHOWN + 1)
    found = cards(session, which, viewer=None)
    shown = found[:SHOWN]
    held = [_item(card) for card in shown if card.held]
    places = _stations(session, site_id, line_id)
    return Summary(
        since=since,
        open=[_item(card) for card in shown if not card.held],
        held=sorted(held, key=lambda item: (item.due_at is None, item.due_at)),
        back=_back(session, shown, list(places), since=since),
        busiest=_busiest(session, places, since=since),
        more=len(found) > SHOWN,
    )


def hand_over(session: Session, note_id: UUID, line: str, text: str, *, by: Person, now: datetime) -> HandoverNote:
    """Give the shift to the next: the note, and what was open at this moment. The same id again is the same handover.

    `line` is its id; empty: of the whole site.

    Raises:
        NotFound: no such line.
    """
    if (given := session.get(HandoverNote, note_id)) and given.from_id == by.id:
        return given
    line_id = next((one.id for one in lines_of(session, by.site_id) if str(one.id) == line), None)
    if line and line_id is None:
        raise NotFound()
    what = span(session, by, now=now)
    note = HandoverNote(
        id=note_id,
        site_id=by.site_id,
        line_id=line_id,
        shift_id=what.shift_id,
        day=what.day,
        from_id=by.id,
        text=text.strip(),
        summary=msgspec.to_builtins(summary(session, by.site_id, line_id, since=what.begins)),
        given_at=now,
    )
    session.add(note)
    return note


def told(note: HandoverNote) -> Summary:
    """Return what was handed over, as it was then."""
    return msgspec.convert(note.summary, Summary)


def _stations(session: Session, site_id: UUID, line_id: UUID | None) -> dict[UUID, tuple[Names, Names]]:
    here = Station.line_id == line_id if line_id else Station.site_id == site_id
    which = select(Station.id, Station.names, Line.names).join(Line, col(Line.id) == col(Station.line_id)).where(here)
    return {one: (dict(station), dict(line)) for one, station, line in session.exec(which)}


def _busiest(session: Session, places: dict[UUID, tuple[Names, Names]], *, since: datetime) -> list[Busy]:
    """The machines with most anomalies since then. One alone is no sign of anything."""
    counted: Any = func.count()
    which = (
        select(Anomaly.station_id, counted)
        .where(col(Anomaly.station_id).in_(places), Anomaly.received_at >= since)
        .group_by(col(Anomaly.station_id))
        .having(counted > 1)
        .order_by(counted.desc(), col(Anomaly.station_id))
        .limit(BUSIEST)
    )
    return [Busy(*places[one], count) for one, count in session.exec(which)]


def _back(session: Session, shown: Sequence[Card], places: Sequence[UUID], *, since: datetime) -> list[Item]:
    """What had been put right before and rang again in this shift: the same anomaly, or a new one linked to it."""
    again = select(Event.anomaly_id).where(
        col(Event.anomaly_id).in_([card.id for card in shown]), Event.kind == "recur", Event.at >= since
    )
    linked = select(Anomaly.id).where(
        col(Anomaly.station_id).in_(places), Anomaly.received_at >= since, col(Anomaly.previous_id).is_not(None)
    )
    ids = {*session.exec(again), *session.exec(linked.where(Anomaly.end_reason != "duplicate").limit(SHOWN))}
    which = statement().where(col(Anomaly.id).in_(ids)).order_by(*by_urgency()).limit(SHOWN)
    return [_item(card) for card in cards(session, which, viewer=None)] if ids else []


def _item(card: Card) -> Item:
    return Item(
        id=card.id,
        number=card.number,
        severity=card.severity,
        status=str(card.status),
        station=card.station,
        line=card.line,
        category=card.category_names,
        symptom=card.symptom,
        message=card.message,
        owner=card.owner,
        offered_to=card.offered_to,
        received_at=card.received_at,
        due_at=card.held_until if card.held else card.next_clock_at,
        held=card.held,
        hold_reason=card.hold_reason,
    )
