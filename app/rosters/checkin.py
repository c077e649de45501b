"""Going on duty: one tap at the start of the shift, which also proves that the phone rings."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from app.kit.errors import N_, DomainError, NotFound
from app.people.models import Address, Person
from app.plant.models import Site
from app.rosters.models import Absence, CheckIn, Duty, Shift
from app.rosters.roster import Spell, spell

LATE = timedelta(minutes=30)  # a shift that began longer ago has found itself: no bell wakes it after an outage
EARLY = timedelta(minutes=30)  # who comes before the shift begins may say so, and is not rung
OVER = timedelta(hours=1)  # who hands over a little late still speaks of the shift that was
DAY = timedelta(days=1)
NO_PHONES = frozenset({"stream", "email", "log"})  # channels that ring in nobody's pocket


class NoShift(DomainError):
    code = "rosters.no_shift"
    message = N_(
        "You stand in no shift now, and in none that begins within half an hour. Nothing was changed. "
        "Ask your team lead to put you into the roster."
    )


class ShiftOver(DomainError):
    code = "rosters.shift_over"
    message = N_(
        "This ring was for a shift that is over. Nothing was changed. Open the duty page to see your next one."
    )


def beginners(
    session: Session, *, channels: Collection[str], now: datetime, limit: int
) -> list[tuple[Person, Duty, Shift]]:
    """Return who began a shift within `LATE`, is there, can be reached by one of `channels`, and was not asked yet."""
    begun = _begun(session, now=now)
    if not begun:
        return []
    same = (
        col(CheckIn.person_id) == col(Duty.person_id),
        col(CheckIn.shift_id) == col(Duty.shift_id),
        col(CheckIn.day) == col(Duty.day),
    )
    away = select(Absence.id).where(
        col(Absence.person_id) == col(Duty.person_id),
        col(Absence.first_day) <= col(Duty.day),
        col(Absence.last_day) >= col(Duty.day),
    )
    phone = select(Address.id).where(
        col(Address.person_id) == col(Duty.person_id),
        col(Address.gone_at).is_(None),
        col(Address.channel).in_(channels),
    )
    which = (
        select(Person, Duty, Shift)
        .join(Duty, col(Duty.person_id) == col(Person.id))
        .join(Shift, col(Shift.id) == col(Duty.shift_id))
        .where(or_(*begun), col(Person.left_at).is_(None))
        .where(~select(CheckIn.id).where(*same).exists(), ~away.exists(), phone.exists())
        .order_by(col(Duty.id))
        .limit(limit)
    )
    return list(session.exec(which))


def own_spell(session: Session, person: Person, *, now: datetime, over: timedelta = timedelta(0)) -> Spell | None:
    """Return the duty of `person` that runs now, else the one about to begin, else one that ended within `over`."""
    zone = ZoneInfo(session.get_one(Site, person.site_id).timezone)
    today = now.astimezone(zone).date()
    duties = (
        select(Duty, Shift)
        .join(Shift, col(Shift.id) == col(Duty.shift_id))
        .where(col(Duty.person_id) == person.id, col(Duty.day).between(today - 2 * DAY, today + DAY))
    )
    away = session.exec(
        select(Absence).where(col(Absence.person_id) == person.id, col(Absence.last_day) >= today - 2 * DAY)
    ).all()
    spells = sorted(
        spell(person.id, duty.shift_id, duty.day, shift, zone)
        for duty, shift in session.exec(duties)
        if not any(one.first_day <= duty.day <= one.last_day for one in away)
    )
    running = [one for one in spells if one.begins <= now < one.ends]
    coming = [one for one in spells if now < one.begins <= now + EARLY]
    ended = [one for one in reversed(spells) if one.ends <= now < one.ends + over]
    return next(iter([*running, *coming, *ended]), None)


def checkin_of(session: Session, duty: Spell) -> CheckIn | None:
    """Return the check-in to a duty, None when nobody has rung or tapped yet."""
    which = select(CheckIn).where(
        CheckIn.person_id == duty.person_id, CheckIn.shift_id == duty.shift_id, CheckIn.day == duty.day
    )
    return session.exec(which).one_or_none()


def check_in(session: Session, person: Person, *, now: datetime) -> CheckIn:
    """Put `person` on duty for the shift that runs or is about to begin, rung or not. Twice is once.

    Raises:
        NoShift: the roster has none for them.
    """
    return _answered(session, _mine(session, person, now=now), now=now)


def answer(session: Session, checkin_id: UUID, *, now: datetime) -> CheckIn:
    """The tap on the ring: on duty, the phone is proven, and if it was red it is green at once.

    Raises:
        ShiftOver: it came when the shift had ended.
    """
    checkin = session.get(CheckIn, checkin_id, populate_existing=True)
    if checkin is None:
        raise NotFound()
    person, shift = session.get_one(Person, checkin.person_id), session.get_one(Shift, checkin.shift_id)
    zone = ZoneInfo(session.get_one(Site, person.site_id).timezone)
    if spell(checkin.person_id, checkin.shift_id, checkin.day, shift, zone).ends <= now:
        raise ShiftOver()
    return _answered(session, checkin, now=now)


def check_out(session: Session, person: Person, *, now: datetime) -> CheckIn:
    """Let `person` go before the shift ends by itself: from now on others are called.

    Raises:
        NoShift: there is nothing to leave.
    """
    checkin = _mine(session, person, now=now)
    checkin.left_at = checkin.left_at or now
    session.add(checkin)
    return checkin


def _mine(session: Session, person: Person, *, now: datetime) -> CheckIn:
    duty = own_spell(session, person, now=now)
    if duty is None:
        raise NoShift()
    return checkin_of(session, duty) or CheckIn(person_id=person.id, shift_id=duty.shift_id, day=duty.day, rung_at=now)


def _answered(session: Session, checkin: CheckIn, *, now: datetime) -> CheckIn:
    checkin.answered_at, checkin.left_at = checkin.answered_at or now, None
    session.add(checkin)
    return checkin


def _begun(session: Session, *, now: datetime) -> Sequence[ColumnElement[bool]]:
    """Return, as conditions on Duty, the shifts that began within `LATE`: each with the local date of its roster."""
    shifts = session.exec(select(Shift, Site.timezone).join(Site, col(Site.id) == col(Shift.site_id)))
    return [
        and_(col(Duty.shift_id) == shift.id, col(Duty.day) == day)
        for shift, timezone in shifts
        if (day := _day_begun(shift, ZoneInfo(timezone), now=now)) is not None
    ]


def _day_begun(shift: Shift, zone: ZoneInfo, *, now: datetime) -> date | None:
    today = now.astimezone(zone).date()
    for day in (today, today - DAY):  # one that began before midnight
        if now - LATE < spell(shift.id, shift.id, day, shift, zone).begins <= now:
            return day
    return None
