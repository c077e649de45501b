"""What a phone says back: shown, opened, accepted. It proves with a token that it is the one that was called."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col

from app.anomaly.actions import Actor, advance
from app.anomaly.lifecycle import Action
from app.anomaly.models import Anomaly
from app.anomaly.queries import get
from app.dispatch.models import Delivery
from app.kit.errors import N_, DomainError
from app.kit.secret import fits, token
from app.people.models import Person

PURPOSE = "delivery"


class BadToken(DomainError):
    code = "dispatch.bad_token"
    message = N_("This link does not fit the call any more. Nothing was changed. Open the app and accept it there.")
    status = 403


def token_for(secret: bytes, delivery_id: UUID) -> str:
    """Return what the phone shows to prove that it was called. Nothing is stored: it follows from the secret."""
    return token(secret, PURPOSE, delivery_id.hex)


def displayed(session: Session, delivery_id: UUID, given: str, *, secret: bytes, now: datetime) -> None:
    """The phone has shown it."""
    _stamp(session, _checked(session, delivery_id, given, secret), "displayed_at", now)


def opened(session: Session, delivery_id: UUID, given: str, *, secret: bytes, now: datetime) -> None:
    """The person has touched it; what was opened was also shown."""
    delivery = _checked(session, delivery_id, given, secret)
    _stamp(session, delivery, "displayed_at", now)
    _stamp(session, delivery, "opened_at", now)


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
    for column in ("displayed_at", "opened_at", "token_used_at"):
        _stamp(session, delivery, column, now)
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


def _checked(session: Session, delivery_id: UUID, given: str, secret: bytes) -> Delivery:
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or not fits(given, token_for(secret, delivery_id)):
        raise BadToken()
    return delivery


def _stamp(session: Session, delivery: Delivery, column: str, now: datetime) -> None:
    first = col(Delivery.id) == delivery.id, getattr(Delivery, column).is_(None)
    session.execute(update(Delivery).where(*first).values({column: now}))
