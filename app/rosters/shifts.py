"""Shifts in the wall clock of the site. Pure."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Protocol
from uuid import UUID


class HasHours(Protocol):
    id: UUID
    starts: time
    ends: time


def shift_at(shifts: Iterable[HasHours], local: datetime) -> tuple[UUID, date] | None:
    """Return the shift that runs at `local` (wall clock of the site) and the date it started; None between shifts.

    A shift that ends before it starts runs over midnight and belongs to the day it began.
    """
    clock, today = local.time(), local.date()
    for shift in shifts:
        if shift.starts < shift.ends:
            if shift.starts <= clock < shift.ends:
                return shift.id, today
        elif clock >= shift.starts:
            return shift.id, today
        elif clock < shift.ends:
            return shift.id, today - timedelta(days=1)
    return None
