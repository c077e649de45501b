"""What a phone says back: shown, opened, accepted. It proves with a token that it is the one that was called.

A page that is open inside the app says it too: its reader is signed in, so it needs no token.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, or_, select

from app.anomaly.actions import Actor, advance
from app.anomaly.lifecycle import Action
from app.anomaly.models import Anomaly
from app.anomaly.queries import get
from app.dispatch.models import BELL, Delivery, DeliveryState
from app.kit.errors import N_, DomainError
from app.kit.secret import fits, token
from app.people.models import Address, Person
from app.rosters import checkin

PURPOSE = "delivery"
STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery was shown for the first time, so many seconds after it was planned."""

    channel: str
    seconds: float


class BadToken(DomainError):
    code = "dispatch.bad_token"
    message = N_("This link does not fit the call any more. Nothing was changed. Open the app and accept it there.")
    status = 403


def token_for(secret: bytes, delivery_id: UUID) -> str:
    """Return what the phone shows to prove that it was called. Nothing is stored: it follows from the secret."""
    return token(secret, PURPOSE, delivery_id.hex)


def displayed(session: Session, delivery_id: UUID, given: str, *, secret: bytes, now: datetime) -> list[Seen]:
    """The phone has shown it. Return it when that is news.

    Raises:
        BadToken
    """
    return _seen(session, [_checked(session, delivery_id, given, secret)], now)


def opened(session: Session, delivery_id: UUID, given: str, *, secret: bytes, now: datetime) -> list[Seen]:
    """The person has touched it; what was opened was also shown.

    Raises:
        BadToken
    """
    delivery = _checked(session, delivery_id, given, secret)
    _stamp(session, [delivery], "opened_at", now)
    return _seen(session, [delivery], now)


def unseen(
    session: Session,
    anomalies: Collection[UUID],
    *,
    person_id: UUID | None = None,
    outlet_id: UUID | None = None,
    now: datetime,
) -> Sequence[Delivery]:
    """Return what is out to this person's open page, or to a screen in the hall, about these anomalies, unopened."""
    to: ColumnElement[bool] = col(Delivery.outlet_id) == outlet_id
    if person_id:
        to = (col(Delivery.person_id) == person_id) & (col(Delivery.channel) == STREAM)
    which = (
        select(Delivery)
        .join(Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id))
        .where(col(Delivery.anomaly_id).in_(anomalies), to, col(Delivery.round) == col(Anomaly.round))
        .where(col(Delivery.opened_at).is_(None), col(Delivery.state) != DeliveryState.DROPPED)
        .where(or_(col(Delivery.attempts) > 0, col(Delivery.due_at) <= now))  # else it is not out yet
    )
    return session.exec(which).all()


def shown(
    session: Session,
    anomalies: Collection[UUID],
    *,
    person_id: UUID | None = None,
    outlet_id: UUID | None = None,
    opened: Collection[UUID] = (),
    now: datetime,
) -> list[Seen]:
    """A page that somebody looks at has these anomalies on it; the `opened` ones are what it is about.

    Return what was shown for the first time.
    """
    out = unseen(session, anomalies, person_id=person_id, outlet_id=outlet_id, now=now)
    _stamp(session, [delivery for delivery in out if delivery.anomaly_id in opened], "opened_at", now)
    return _seen(session, out, now)


def accept(session: Session, delivery_id: UUID, given: str, *, secret: bytes, now: datetime) -> tuple[Anomaly, Person]:
    """Accept from the notification: once, by the person who was called.

    Raises:
        BadToken: not the token of this call, or used before for somebody who is not the owner any more.
        NotAllowedNow: somebody was faster; it says who.
    """
    delivery = _checked(session, delivery_id, given, secret)
    person = session.get(Person, delivery.person_id) if delivery.person_id else None
    if person is None or person.left_at is not None or delivery.anomaly_id is None:
        raise BadToken()
    anomaly = get(session, delivery.anomaly_id)
    if delivery.token_used_at is not None:
        if anomaly.owner_id == person.id:
            return anomaly, person  # the answer got lost on its way: the same tap again
        raise BadToken()
    changes = {"owner_id": person.id, "offered_to_id": None}
    advance(session, anomaly, Action.ACCEPT, by=Actor.of(person), now=now, changes=changes, via=delivery.channel)
    for column in ("opened_at", "token_used_at"):
        _stamp(session, [delivery], column, now)
    _seen(session, [delivery], now)
    return anomaly, person


def called(session: Session, delivery_id: UUID, given: str, *, secret: bytes) -> UUID:
    """Return the anomaly a link is about. Looking at it changes nothing.

    Raises:
        BadToken: not the token of this call.
    """
    delivery = _checked(session, delivery_id, given, secret)
    if delivery.anomaly_id is None:
        raise BadToken()
    return delivery.anomaly_id


def present(session: Session, delivery_id: UUID, given: str, *, secret: bytes, now: datetime) -> None:
    """The tap on the bell: its owner is on duty, and this phone rings. The same tap again changes nothing.

    Raises:
        BadToken: not the token of this ring.
        ShiftOver: the shift it was rung for has ended.
    """
    delivery = _checked(session, delivery_id, given, secret)
    if delivery.purpose != BELL or delivery.checkin_id is None:
        raise BadToken()
    checkin.answer(session, delivery.checkin_id, now=now)
    for column in ("opened_at", "token_used_at"):
        _stamp(session, [delivery], column, now)
    _seen(session, [delivery], now)


def _checked(session: Session, delivery_id: UUID, given: str, secret: bytes) -> Delivery:
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or not fits(given, token_for(secret, delivery_id)):
        raise BadToken()
    return delivery


def _seen(session: Session, deliveries: Sequence[Delivery], now: datetime) -> list[Seen]:
    """Write down that they were shown, and that what showed them can be trusted to ring."""
    fresh = [delivery for delivery in deliveries if delivery.displayed_at is None]
    _stamp(session, fresh, "displayed_at", now)
    for delivery in fresh:
        proven = col(Address.id) == delivery.address_id, col(Address.person_id) == delivery.person_id
        session.execute(update(Address).where(*proven).values(proven_at=now))
    return [Seen(one.channel, max((now - one.planned_at).total_seconds(), 0)) for one in fresh]


def _stamp(session: Session, deliveries: Sequence[Delivery], column: str, now: datetime) -> None:
    first = col(Delivery.id).in_([delivery.id for delivery in deliveries]), getattr(Delivery, column).is_(None)
    if deliveries:
        session.execute(update(Delivery).where(*first).values({column: now}))
