"""When the next rung is due. Pure: clocks are columns, a strike is a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.flows.document import Rung

FIRST_REPEAT = timedelta(minutes=15)
LAST_REPEAT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Strike:
    """What a look at the clock found: the rungs that are due now, and when to look again (None: never)."""

    due: list[Rung]
    next_at: datetime | None


def look(rungs: Sequence[Rung], called: int, *, clock_from: datetime, now: datetime) -> Strike:
    """Return the rungs due at `now` of a clock started at `clock_from`, of which `called` were called already.

    After a standstill several may be due: all are called at once, none twice. A clock set back calls none again.
    """
    ahead = list(rungs[called:])
    due = [rung for rung in ahead if clock_from + timedelta(seconds=rung.after) <= now]
    rest = ahead[len(due) :]
    return Strike(due, clock_from + timedelta(seconds=rest[0].after) if rest else None)


def again_after(called: int, rungs: Sequence[Rung]) -> timedelta:
    """Return how long to wait before the last rung is called once more: nobody is forgotten at the end of a ladder.

    A quarter of an hour, then twice as long each time, at most a day: a reminder, not a siren.
    """
    repeats = min(max(called - len(rungs), 0), 10)
    return min(FIRST_REPEAT * int(2**repeats), LAST_REPEAT)
