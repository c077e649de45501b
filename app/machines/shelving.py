"""Alarms that a person has hidden: for once, for some hours, or out of service; always with a name and a reason.

A shelved alarm is watched all the same. What it does is kept (Withheld), but opens and rings nothing; what is still
active when the shelf is over is told then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from app.kit.errors import N_, DomainError, NotAllowed
from app.machines.models import Shelf, ShelfKind, Subject
from app.machines.rules import Shelving
from app.people.models import Person, Role

LONGEST = timedelta(hours=8)
LONGEST_REASON = 300
SHELVERS = frozenset({Role.ENGINEER, Role.ADMIN})


class NoReason(DomainError):
    code = "machines.shelf_reason"
    message = N_(
        "Nobody hides an alarm without saying why. It was not shelved. Write a reason of at most %(most)s characters."
    )
    status = 400


class TooLongShelved(DomainError):
    code = "machines.shelf_too_long"
    message = N_(
        "An alarm is shelved for at least one minute and at most %(hours)s hours. It was not shelved. "
        "Choose a shorter time, or take it out of service."
    )
    status = 400


def may_change(person: Person) -> bool:
    """Tell whether somebody may change rules and shelve alarms; managers may look."""
    return person.role in SHELVERS


def require_may_change(person: Person) -> None:
    """
    Raises:
        NotAllowed
    """
    if not may_change(person):
        raise NotAllowed()


def shelve(
    session: Session,
    subject: Subject,
    subject_id: UUID,
    kind: ShelfKind,
    *,
    minutes: float = 0,
    reason: str,
    by: Person,
    now: datetime,
) -> Shelf:
    """Hide an alarm from now on; a shelf it is on already ends.

    Raises:
        NotAllowed, NoReason, TooLongShelved
    """
    require_may_change(by)
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise NoReason(most=LONGEST_REASON)
    length = timedelta(minutes=minutes)
    if kind is ShelfKind.TIMED and not timedelta(minutes=1) <= length <= LONGEST:
        raise TooLongShelved(hours=LONGEST // timedelta(hours=1))
    unshelve(session, subject, subject_id, by=by, now=now)
    until = now + length if kind is ShelfKind.TIMED else None
    made = Shelf(subject=subject, subject_id=subject_id, kind=kind, reason=reason, by=by.name, since=now, until=until)
    session.add(made)
    session.flush()
    return made


def unshelve(session: Session, subject: Subject, subject_id: UUID, *, by: Person, now: datetime) -> None:
    """Show an alarm again. One that is on no shelf stays as it is.

    Raises:
        NotAllowed
    """
    require_may_change(by)
    this = col(Shelf.subject) == subject, col(Shelf.subject_id) == subject_id, col(Shelf.ended_at).is_(None)
    over = col(Shelf.until) <= now
    session.execute(update(Shelf).where(*this, over).values(ended_at=col(Shelf.until)))
    session.execute(update(Shelf).where(*this).values(ended_at=now, ended_by=by.name))


def spend(session: Session, rule_ids: Sequence[UUID], *, now: datetime) -> None:
    """A one-shot shelf is over when its alarm is normal again."""
    once = col(Shelf.kind) == ShelfKind.ONE_SHOT, col(Shelf.ended_at).is_(None)
    session.execute(update(Shelf).where(col(Shelf.subject_id).in_(rule_ids), *once).values(ended_at=now))


def shelved(session: Session, *, now: datetime) -> dict[UUID, Shelf]:
    """Return what is shelved, by the rule or condition it is about; what is over soonest first."""
    stands = col(Shelf.ended_at).is_(None), or_(col(Shelf.until).is_(None), col(Shelf.until) > now)
    order = col(Shelf.until).is_(None), col(Shelf.until), col(Shelf.since)
    return {one.subject_id: one for one in session.exec(select(Shelf).where(*stands).order_by(*order))}


def shelvings(session: Session, rule_ids: Sequence[UUID]) -> dict[UUID, Shelving]:
    """Return the shelves of these rules as they are judged by; whether one is over is told by the clock."""
    rows = session.exec(select(Shelf).where(Shelf.subject == Subject.RULE, col(Shelf.ended_at).is_(None))).all()
    wanted = set(rule_ids) if rows else set()
    return {
        one.subject_id: Shelving(one.since, one.until, one.kind is ShelfKind.ONE_SHOT)
        for one in rows
        if one.subject_id in wanted
    }
