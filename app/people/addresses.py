"""How a person is reached: kept when a phone subscribes, forgotten when it is gone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from app.kit.secret import digest
from app.people.models import Address, Person


def keep_address(
    session: Session,
    person: Person,
    channel: str,
    target: Mapping[str, object],
    *,
    unique: str,
    label: str,
    now: datetime,
) -> Address:
    """Remember an address; the same phone is the same row, and now belongs to whoever is logged in on it."""
    fingerprint = digest(unique)
    which = select(Address).where(Address.channel == channel, Address.fingerprint == fingerprint)
    address = session.exec(which).one_or_none() or Address(
        person_id=person.id, channel=channel, fingerprint=fingerprint, target={}, created_at=now, seen_at=now
    )
    address.person_id, address.target, address.seen_at, address.gone_at = person.id, dict(target), now, None
    address.label = label[:200] or address.label
    session.add(address)
    session.flush()
    return address


def of_person(session: Session, person_id: UUID) -> Sequence[Address]:
    """Return where a person is reached now, newest first."""
    which = select(Address).where(col(Address.person_id) == person_id, col(Address.gone_at).is_(None))
    return session.exec(which.order_by(col(Address.seen_at).desc())).all()


def forget(session: Session, person: Person, address_id: UUID, *, now: datetime) -> None:
    """Stop ringing one of one's own phones."""
    address = session.get(Address, address_id)
    if address and address.person_id == person.id:
        address.gone_at = now
        session.add(address)
