"""Who works which shift by turns: the patterns plants use. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from app.kit.errors import N_
from app.rosters.cells import Cells

WEEK = range(7)
WORKDAYS = range(5)


@dataclass(frozen=True, slots=True)
class Pattern:
    """`cycle` says day by day which of the shifts a crew works; None: it is off.

    The crews follow each other through it at equal distances. `by_weekday`: only on chosen days of the week, so public
    holidays mean something to it, and working days that make up for one do too.
    """

    words: str
    cycle: tuple[int | None, ...]
    crews: int
    by_weekday: bool = False

    @property
    def shifts(self) -> int:
        """How many shifts take turns."""
        return max(turn for turn in self.cycle if turn is not None) + 1

    def turn(self, crew: int, n: int) -> int | None:
        """Return which shift a crew works on the `n`th day, both from 0."""
        return self.cycle[(n - crew * len(self.cycle) // self.crews) % len(self.cycle)]


_OFF = (None, None)
PATTERNS: dict[str, Pattern] = {
    "three": Pattern(N_("Three shifts: four crews, two days each and two off"), (0, 0, 1, 1, 2, 2, *_OFF), 4),
    "four_two": Pattern(N_("4 on, 2 off: three crews, day and night"), (*(0,) * 4, *_OFF, *(1,) * 4, *_OFF), 3),
    "two": Pattern(N_("Two shifts: two crews that change every week"), (*(0,) * 7, *(1,) * 7), 2, by_weekday=True),
    "fixed": Pattern(N_("Fixed days: always the same shift"), (0,), 1, by_weekday=True),
}


def duties(
    pattern: Pattern,
    crews: Sequence[Collection[UUID]],
    shifts: Sequence[UUID],
    *,
    start: date,
    weeks: int,
    weekdays: Collection[int] = WEEK,
    free: Collection[date] = (),
    extra: Collection[date] = (),
) -> Cells:
    """Return what the people of each crew work from `start` on; their days off are named too, as empty.

    Nobody works on a `free` day. On an `extra` day whoever goes by the days of the week works, whatever day it is.
    """
    plan: dict[tuple[UUID, date], frozenset[UUID]] = {}
    for n in range(weeks * 7):
        day = start + timedelta(n)
        open_today = day not in free and (not pattern.by_weekday or day.weekday() in weekdays or day in extra)
        for crew, people in enumerate(crews):
            turn = pattern.turn(crew, n) if open_today else None
            worked = frozenset() if turn is None else frozenset({shifts[turn]})
            plan |= {(person_id, day): worked for person_id in people}
    return plan
