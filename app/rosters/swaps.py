"""Swaps: somebody asks a colleague to take a duty over, and only who is asked may agree."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.kit.errors import N_, DomainError, NotFound
from app.people.models import Person
from app.plant.models import Site
from app.rosters import queries
from app.rosters.actions import lock, overlap
from app.rosters.cells import clashes
from app.rosters.models import Absence, Duty, Swap, SwapState
from app.rosters.roster import spell

DAY = timedelta(days=1)


class NotYours(DomainError):
    code = "rosters.not_yours"
    message = N_("This is not yours to decide. Nothing was changed. Load your shifts again.")
    status = 403


class Begun(DomainError):
    code = "rosters.begun"
    message = N_("This shift has begun, so it cannot be handed on any more. Nothing was changed. Ask your team lead.")


class AlreadyAsked(DomainError):
    code = "rosters.already_asked"
    message = N_("You have asked somebody to take this shift. Nothing was changed. Withdraw that first.")


class AskedYourself(DomainError):
    code = "rosters.asked_yourself"
    message = N_("You work this shift yourself. Nothing was changed. Choose a colleague.")


class WorksAlready(DomainError):
    code = "rosters.works_already"
    message = N_("%(name)s works this shift already. Nothing was changed. Ask somebody else.")


class IsAway(DomainError):
    code = "rosters.is_away"
    message = N_("%(name)s is away on %(day)s. Nothing was changed. Ask somebody else.")


class Answered(DomainError):
    code = "rosters.answered"
    message = N_("This request was answered or withdrawn already. Nothing was changed. Load your shifts again.")


def ask(session: Session, duty_id: UUID, to_id: UUID, *, by: Person, now: datetime) -> Swap:
    """Ask a colleague to take over a duty of one's own. Until they agree, nothing moves.

    Raises:
        NotYours, Begun, AlreadyAsked, AskedYourself, WorksAlready, IsAway
        Overlap: the colleague works at that time.
    """
    duty = session.get(Duty, duty_id, populate_existing=True)
    if duty is None:
        raise NotFound()
    if duty.person_id != by.id:
        raise NotYours()
    if to_id == by.id:
        raise AskedYourself()
    lock(session, [by.id, to_id])
    waiting = select(Swap.id).where(Swap.duty_id == duty.id, Swap.state == SwapState.ASKED)
    if session.exec(waiting).first():
        raise AlreadyAsked()
    _check(session, duty, queries.here(session, to_id, by), now=now)
    swap = Swap(duty_id=duty.id, from_id=by.id, to_id=to_id, asked_at=now)
    session.add(swap)
    return swap


def agree(session: Session, swap_id: UUID, *, by: Person, now: datetime) -> None:
    """Take the duty over: from now on it is theirs who was asked.

    Raises:
        NotYours, Answered, Begun, WorksAlready, IsAway, Overlap
    """
    swap = _waiting(session, swap_id, by.id, "to_id")
    duty = session.get_one(Duty, swap.duty_id, populate_existing=True)
    if duty.person_id != swap.from_id:  # it has gone to somebody else since
        raise Answered()
    _check(session, duty, by, now=now)
    duty.person_id = by.id
    swap.state, swap.answered_at = SwapState.AGREED, now
    session.add_all([duty, swap])


def refuse(session: Session, swap_id: UUID, *, by: Person, now: datetime) -> None:
    """Leave the duty where it is."""
    swap = _waiting(session, swap_id, by.id, "to_id")
    swap.state, swap.answered_at = SwapState.REFUSED, now
    session.add(swap)


def withdraw(session: Session, swap_id: UUID, *, by: Person, now: datetime) -> None:
    """Take back what one has asked."""
    swap = _waiting(session, swap_id, by.id, "from_id")
    swap.state, swap.answered_at = SwapState.WITHDRAWN, now
    session.add(swap)


def _waiting(session: Session, swap_id: UUID, person_id: UUID, whose: str) -> Swap:
    swap = session.get(Swap, swap_id)
    if swap is None:
        raise NotFound()
    if getattr(swap, whose) != person_id:
        raise NotYours()
    lock(session, sorted([swap.from_id, swap.to_id]))
    session.refresh(swap)
    if swap.state != SwapState.ASKED:
        raise Answered()
    return swap


def _check(session: Session, duty: Duty, person: Person, *, now: datetime) -> None:
    """Make sure that `person` can take it over."""
    zone = ZoneInfo(session.get_one(Site, person.site_id).timezone)
    shifts = {shift.id: shift for shift in queries.shifts(session, person.site_id)}
    if spell(person.id, duty.shift_id, duty.day, shifts[duty.shift_id], zone).begins <= now:
        raise Begun()
    away = select(Absence.id).where(
        Absence.person_id == person.id, col(Absence.first_day) <= duty.day, col(Absence.last_day) >= duty.day
    )
    if session.exec(away).first():
        raise IsAway(name=person.name, day=duty.day.isoformat())
    theirs = queries.cells(session, [person.id], duty.day - 2 * DAY, duty.day + 2 * DAY)
    own = theirs.get((person.id, duty.day), frozenset())
    if duty.shift_id in own:
        raise WorksAlready(name=person.name)
    for clash in clashes({**theirs, (person.id, duty.day): own | {duty.shift_id}}, shifts, zone):
        if (duty.day, duty.shift_id) in {(clash.day, clash.shift_id), (clash.other_day, clash.other_shift_id)}:
            raise overlap(person.name, clash, shifts)
