"""What somebody sees of their own times, read from the database: duties to come, what is asked of them, absences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from app.people.models import Person
from app.plant.models import Site
from app.rosters.models import Absence, Duty, Shift, Swap, SwapState
from app.rosters.queries import staff
from app.rosters.roster import Spell, away_days, spell

DAY = timedelta(days=1)
CALENDAR_BACK = timedelta(days=30)
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Turn:
    """One duty of a person. `asked` is who was asked to take it over and has not answered."""

    duty: Duty
    shift: Shift
    when: Spell
    away: bool = False
    swap: Swap | None = None
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A colleague asks to take a duty over."""

    swap: Swap
    name: str
    duty: Duty
    shift: Shift


@dataclass(frozen=True, slots=True)
class Own:
    person: Person
    turns: list[Turn]
    requests: list[Request]
    absences: Sequence[Absence]
    colleagues: list[Person]
    today: date


def own(session: Session, person: Person, *, now: datetime) -> Own:
    """Return the next duties of a person, what is asked of them, and when they are away."""
    zone = _zone(session, person)
    today = now.astimezone(zone).date()
    here = staff(session, person.site_id)
    names = {one.id: one.name for one in here}
    absences = _absences(session, person, since=today)
    away = _away(absences)
    waiting = select(Swap).where(col(Swap.state) == SwapState.ASKED)
    asked = {swap.duty_id: swap for swap in session.exec(waiting.where(col(Swap.from_id) == person.id))}
    turns = []
    for turn in _turns(session, col(Duty.person_id) == person.id, zone, since=now)[:SHOWN]:
        swap = asked.get(turn.duty.id)
        name = names.get(swap.to_id, "") if swap else ""
        turns.append(Turn(turn.duty, turn.shift, turn.when, (person.id, turn.duty.day) in away, swap, name))
    of_me = {swap.duty_id: swap for swap in session.exec(waiting.where(col(Swap.to_id) == person.id))}
    requests = [
        Request(of_me[turn.duty.id], names.get(turn.duty.person_id, ""), turn.duty, turn.shift)
        for turn in _turns(session, col(Duty.id).in_(list(of_me)), zone, since=now)
        if turn.when.begins > now
    ]
    return Own(person, turns, requests, absences, [one for one in here if one.id != person.id], today)


def calendar(session: Session, person_id: UUID, *, now: datetime) -> tuple[Person, list[Turn]] | None:
    """Return a person and their duties from a month ago on, without those of days they are away; None: has left."""
    person = session.get(Person, person_id)
    if person is None or person.left_at is not None:
        return None
    zone, since = _zone(session, person), now - CALENDAR_BACK
    away = _away(_absences(session, person, since=since.date()))
    turns = _turns(session, col(Duty.person_id) == person.id, zone, since=since)
    return person, [turn for turn in turns if (person.id, turn.duty.day) not in away]


def _turns(session: Session, which: ColumnElement[bool], zone: ZoneInfo, *, since: datetime) -> list[Turn]:
    """Return the duties that had not ended at that time, in the order in which they begin."""
    first = since.astimezone(zone).date() - DAY
    found = select(Duty, Shift).join(Shift, col(Shift.id) == col(Duty.shift_id)).where(which, col(Duty.day) >= first)
    timed = [
        Turn(duty, shift, spell(duty.person_id, shift.id, duty.day, shift, zone)) for duty, shift in session.exec(found)
    ]
    return sorted((turn for turn in timed if turn.when.ends > since), key=lambda turn: turn.when)


def _absences(session: Session, person: Person, *, since: date) -> Sequence[Absence]:
    which = select(Absence).where(col(Absence.person_id) == person.id, col(Absence.last_day) >= since - DAY)
    return session.exec(which.order_by(col(Absence.first_day))).all()


def _away(absences: Sequence[Absence]) -> frozenset[tuple[UUID, date]]:
    return away_days((one.person_id, one.first_day, one.last_day) for one in absences)


def _zone(session: Session, person: Person) -> ZoneInfo:
    return ZoneInfo(session.get_one(Site, person.site_id).timezone)
