"""How a person is reached: kept when a phone subscribes, forgotten when it is gone.

A row that is gone keeps its target when the push service let it go, and has none when its owner took it off the list:
the one phone makes itself a new address at its next opening, the other stays silent until somebody turns it on again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session, col, select

from app.kit.secret import digest
from app.people.models import Address, Person


class Renewal(StrEnum):
    """What a phone hears that says which address it has."""

    LIVE = "live"
    GONE = "gone"  # dead for ever: make a new one
    REMOVED = "removed"  # taken off the list: stay silent


def keep_address(
    session: Session,
    person: Person,
    channel: str,
    target: Mapping[str, object],
    *,
    unique: str,
    label: str,
    now: datetime,
    replaces: str = "",
) -> Address:
    """Remember an address; the same phone is the same row, and now belongs to whoever is logged in on it.

    `replaces` is the id, or what was unique, of the address this phone had before: nobody is called on it any more.
    """
    address = _find(session, channel, unique) or Address(
        person_id=person.id, channel=channel, fingerprint=digest(unique), target={}, created_at=now, seen_at=now
    )
    if address.person_id != person.id:
        address.proven_at = None  # it rang, but for somebody else
    address.person_id, address.target, address.seen_at, address.gone_at = person.id, dict(target), now, None
    address.label = label[:200] or address.label
    for old in _replaced(session, person, channel, replaces) if replaces else ():
        if old.id != address.id:
            old.gone_at = old.gone_at or now
            address.label = address.label or old.label
            session.add(old)
    session.add(address)
    session.flush()
    return address


def renew(
    session: Session,
    person: Person,
    channel: str,
    target: Mapping[str, object],
    *,
    unique: str,
    label: str,
    now: datetime,
    replaces: str = "",
) -> tuple[Renewal, UUID | None]:
    """Take note of the address a phone has at its opening; nobody has pressed a button. Return what it must do."""
    known = _find(session, channel, unique)
    if known and known.gone_at:
        return (Renewal.GONE if known.target else Renewal.REMOVED), None
    kept = keep_address(session, person, channel, target, unique=unique, label=label, now=now, replaces=replaces)
    return Renewal.LIVE, kept.id


def keep_own(
    session: Session, person: Person, channel: str, target: Mapping[str, object], *, unique: str, now: datetime
) -> None:
    """Remember a number or name somebody typed, as their only one on this channel; "" forgets it.

    What is typed proves nothing, so two people may give the same one: it takes nothing away from anybody.
    """
    mine = f"{person.id}:{unique}"
    for old in of_person(session, person.id):
        if old.channel == channel and old.fingerprint != digest(mine):
            forget(session, person, old.id, now=now)
    if unique:
        keep_address(session, person, channel, target, unique=mine, label="", now=now)


def of_person(session: Session, person_id: UUID) -> Sequence[Address]:
    """Return where a person is reached now, newest first."""
    which = select(Address).where(col(Address.person_id) == person_id, col(Address.gone_at).is_(None))
    return session.exec(which.order_by(col(Address.seen_at).desc())).all()


def forget(session: Session, person: Person, address_id: UUID, *, now: datetime) -> None:
    """Stop ringing one of one's own phones, until it is turned on again."""
    address = session.get(Address, address_id)
    if address and address.person_id == person.id:
        address.gone_at, address.target = now, {}
        session.add(address)


def _find(session: Session, channel: str, unique: str) -> Address | None:
    which = select(Address).where(Address.channel == channel, Address.fingerprint == digest(unique))
    return session.exec(which).one_or_none()


def _replaced(session: Session, person: Person, channel: str, named: str) -> Sequence[Address]:
    try:
        this = col(Address.id) == UUID(named)
    except ValueError:
        this = col(Address.fingerprint) == digest(named)
    which = select(Address).where(this, col(Address.channel) == channel, col(Address.person_id) == person.id)
    return session.exec(which).all()
