"""The order of the one queue: the worst first, then what escalates next. What waits for no clock comes last. Pure."""

from datetime import UTC, datetime
from typing import Any, Protocol

from sqlmodel import col

from app.anomaly.models import Anomaly

NEVER = datetime.max.replace(tzinfo=UTC)


class Waiting(Protocol):
    severity: int
    next_clock_at: datetime | None
    number: int


def urgency(item: Waiting) -> tuple[int, datetime, int]:
    """Sort key of a card, for lists that are put together from several queries."""
    return item.severity, item.next_clock_at or NEVER, item.number


def by_urgency() -> tuple[Any, ...]:
    """The same order in SQL, as the queue's indexes have it."""
    return col(Anomaly.severity), col(Anomaly.next_clock_at).is_(None), col(Anomaly.next_clock_at), col(Anomaly.id)
