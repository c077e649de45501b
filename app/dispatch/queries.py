"""Did it ring? What was planned, sent, shown and opened, for the people who look at an anomaly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from app.dispatch.models import Delivery, DeliveryState
from app.people.models import Person


@dataclass(frozen=True, slots=True)
class Call:
    person: str
    channel: str
    purpose: str
    why: dict[str, object]
    planned_at: datetime
    sent_at: datetime | None
    displayed_at: datetime | None
    opened_at: datetime | None
    state: DeliveryState
    error: str


def calls(session: Session, anomaly_id: UUID, *, limit: int = 60) -> list[Call]:
    """Return who was called because of an anomaly, latest first."""
    which = (
        select(Delivery, Person.name)
        .join(Person, col(Person.id) == col(Delivery.person_id))
        .where(col(Delivery.anomaly_id) == anomaly_id, col(Delivery.channel) != "log")
        .order_by(col(Delivery.planned_at).desc(), col(Person.name), col(Delivery.channel).desc())
        .limit(limit)
    )
    return [
        Call(
            name,
            d.channel,
            d.purpose,
            d.why,
            d.planned_at,
            d.sent_at,
            d.displayed_at,
            d.opened_at,
            d.state,
            d.error,
        )
        for d, name in session.exec(which)
    ]


def reached(found: Sequence[Call]) -> tuple[int, int]:
    """Return how many phones rang, and how many showed it. The stream inside the app rings no phone. Pure."""
    phones = [call for call in found if call.channel != "stream"]
    return sum(c.sent_at is not None for c in phones), sum(c.displayed_at is not None for c in phones)
