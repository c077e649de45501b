"""Who is here, and how they are reached."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from app.people.models import Address, Login, Person, Team


def addresses(session: Session, people: Iterable[UUID]) -> dict[UUID, list[Address]]:
    """Return the live addresses of these people."""
    found: dict[UUID, list[Address]] = {}
    which = select(Address).where(col(Address.person_id).in_(list(people)), col(Address.gone_at).is_(None))
    for address in session.exec(which.order_by(col(Address.created_at))):
        found.setdefault(address.person_id, []).append(address)
    return found


def last_proven(session: Session, people: Iterable[UUID]) -> dict[UUID, datetime]:
    """Return when a device of each of them last showed a message. Who is missing was never proven to be reached."""
    shown = func.max(col(Address.proven_at))
    which = select(Address.person_id, shown).where(
        col(Address.person_id).in_(list(people)), col(Address.gone_at).is_(None), col(Address.proven_at).is_not(None)
    )
    return {person: at for person, at in session.exec(which.group_by(col(Address.person_id))) if at}


def colleagues(session: Session, person: Person) -> Sequence[tuple[Person, Team | None]]:
    """Return everybody else of the site who has not left, by name, with their team."""
    here = col(Person.site_id) == person.site_id, col(Person.left_at).is_(None), col(Person.id) != person.id
    which = select(Person, Team).outerjoin(Team, col(Team.id) == col(Person.team_id)).where(*here)
    return session.exec(which.order_by(col(Person.name))).all()


def logged_in(session: Session, token_digest: str, *, now: datetime) -> Person | None:
    """Return the person behind a session cookie, unless it has ended or the person has left."""
    which = (
        select(Person)
        .join(Login, col(Login.person_id) == col(Person.id))
        .where(Login.token == token_digest, col(Login.expires_at) > now, col(Person.left_at).is_(None))
    )
    return session.exec(which).first()
