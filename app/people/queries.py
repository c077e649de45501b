"""Who is here, and how they are reached."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from app.people.models import Address, Login, Person


def addresses(session: Session, people: Iterable[UUID]) -> dict[UUID, list[Address]]:
    """Return the live addresses of these people."""
    found: dict[UUID, list[Address]] = {}
    which = select(Address).where(col(Address.person_id).in_(list(people)), col(Address.gone_at).is_(None))
    for address in session.exec(which.order_by(col(Address.created_at))):
        found.setdefault(address.person_id, []).append(address)
    return found


def logged_in(session: Session, token_digest: str, *, now: datetime) -> Person | None:
    """Return the person behind a session cookie, unless it has ended or the person has left."""
    which = (
        select(Person)
        .join(Login, col(Login.person_id) == col(Person.id))
        .where(Login.token == token_digest, col(Login.expires_at) > now, col(Person.left_at).is_(None))
    )
    return session.exec(which).first()
