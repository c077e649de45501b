"""What must be remembered of one tag to know how fast it changes, or how often it went on. Pure, bounded, immutable.

A value holds until the next one is sent: what it was at any moment of the window is known, also while nothing comes.
"""

from datetime import datetime, timedelta
from math import ceil

Points = tuple[tuple[datetime, float], ...]
Rises = tuple[bool, tuple[datetime, ...]]

MOST_POINTS = 32
LEAST_SHARE = 0.25  # of the window must have been seen before anything is said


def noted(points: Points, value: float, at: datetime, window: timedelta) -> Points:
    """Remember a value. Values close together share a point: the newest of them counts."""
    if points and at <= points[-1][0]:
        return points if points[-1][1] == value else (*points[:-1], (points[-1][0], value))
    close = len(points) > 1 and at - points[-2][0] < window / MOST_POINTS
    points = (*(points[:-1] if close else points), (at, value))
    first = 0
    while first + 1 < len(points) and points[first + 1][0] <= at - window:
        first += 1
    return points[first:] if first else points


def change(points: Points, window: timedelta, *, now: datetime) -> float | None:
    """By how much does it change in a whole window, at the pace of what was seen? None: too little was seen."""
    if not points:
        return None
    begin, seen = now - window, now - points[0][0]
    if seen < window * LEAST_SHARE:
        return None
    before = points[0][1]
    for at, value in points:
        if at > begin:
            break
        before = value
    return (points[-1][1] - before) * (window / min(seen, window))


def changes_next(points: Points, window: timedelta, *, now: datetime) -> datetime | None:
    """When does `change` become another, if nothing more is sent?"""
    if not points:
        return None
    if now - points[0][0] < window * LEAST_SHARE:
        return points[0][0] + window * LEAST_SHARE
    return next((at + window for at, _ in points if at + window > now), None)


def counted(rises: Rises | None, on: bool, at: datetime, most: int) -> Rises:
    """Remember that it is on or off; only going on counts, and only the last `most` times."""
    if rises is None:
        return on, ()
    if on is rises[0]:
        return rises
    return on, (*rises[1], at)[-most:] if on else rises[1]


def lasts_until(rises: Rises | None, often: float, window: timedelta) -> datetime | None:
    """Until when did it go on so often within the window, if it does not go on again? None: it never did."""
    most = ceil(often)
    return rises[1][-most] + window if rises and 0 < most <= len(rises[1]) else None
