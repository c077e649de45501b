"""When a rung is due, and what is called then. Pure: clocks are columns, a strike is a comparison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from app.flows.document import Rung

FIRST_REPEAT = timedelta(minutes=15)
LAST_REPEAT = timedelta(days=1)

Reach: TypeAlias = Callable[[Sequence[Rung], int], int]
"""Calls the first of these rungs that reaches anybody, as the one at this place; says how many people it reached."""


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


def climb(
    rungs: Sequence[Rung],
    called: int,
    *,
    clock_from: datetime,
    now: datetime,
    last_at: datetime | None = None,
    reach: Reach,
) -> tuple[int, datetime | None]:
    """Call what is due at `now`; return how many rungs are called then, and when to look again (None: never).

    A rung that reaches nobody passes on to the next at once. After the last, that one is repeated ever more rarely; if
    it reaches nobody, whichever other does. `last_at` is when the latest rung was called (None: at its time).
    """
    if not rungs:
        return called, None
    strike = look(rungs, called, clock_from=clock_from, now=now)
    reached = 0
    for rung in strike.due:
        reached += reach((rung,), called)
        called += 1
    while strike.due and not reached and called < len(rungs):
        reached += reach((rungs[called],), called)
        called += 1
    if called < len(rungs):
        return called, clock_from + timedelta(seconds=rungs[called].after)
    if strike.due:
        return called, now + again_after(called, rungs)
    repeat_at = (last_at or clock_from + timedelta(seconds=rungs[-1].after)) + again_after(called, rungs)
    if repeat_at > now:
        return called, repeat_at
    reach((rungs[-1], *rungs[:-1]), called)
    return called + 1, now + again_after(called + 1, rungs)


def not_shown(
    rungs: Sequence[Rung],
    called: int,
    *,
    calling_since: datetime | None,
    shown: bool,
    now: datetime,
    reach: Reach,
) -> tuple[int, datetime | None]:
    """The same for the clock "displayed": it runs from the first call of a round, until one phone has shown it.

    It does not run before anybody was called (`calling_since` None), and rests for the round once one phone has.
    """
    if shown:
        return max(called, len(rungs)), None
    if calling_since is None:
        return called, None
    strike = look(rungs, called, clock_from=calling_since, now=now)
    for rung in strike.due:
        reach((rung,), called)
        called += 1
    return called, strike.next_at


def again_after(called: int, rungs: Sequence[Rung]) -> timedelta:
    """Return how long to wait before the last rung is called once more: nobody is forgotten at the end of a ladder.

    A quarter of an hour, then twice as long each time, at most a day: a reminder, not a siren.
    """
    repeats = min(max(called - len(rungs), 0), 10)
    return min(FIRST_REPEAT * int(2**repeats), LAST_REPEAT)
