"""From when until when evidence is kept. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

BEFORE = AFTER = timedelta(minutes=15)
LEAD_IN = timedelta(minutes=5)  # shown before the return to normal
MOST = 5  # snapshots of alarms of one anomaly: what chatters is seen by then


class Kept(Protocol):
    @property
    def until(self) -> datetime: ...


def around(at: datetime) -> tuple[datetime, datetime]:
    """Return the time to keep for an alarm."""
    return at - BEFORE, at + AFTER


def after_return(at: datetime, *, minutes: int) -> tuple[datetime, datetime]:
    """Return the time to keep that shows so many minutes of normal values."""
    return at - LEAD_IN, at + timedelta(minutes=minutes)


def wanted(kept: Sequence[Kept], at: datetime) -> bool:
    """Does an alarm at this moment need a snapshot of its own? Not while one before it is still running."""
    return len(kept) < MOST and all(at > one.until for one in kept)
