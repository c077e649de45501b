"""What stands in the roster: for each person and local day, the shifts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from app.rosters.roster import HasHours, Spell, spell

Cells: TypeAlias = Mapping[tuple[UUID, date], frozenset[UUID]]
"""Person and day to shifts. An empty set: off. What is not named is not spoken of."""


BACK, AHEAD = timedelta(days=31), timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody would work twice at once: this duty begins before the other one, of the same or an earlier day, ends."""

    person_id: UUID
    day: date
    shift_id: UUID
    other_day: date
    other_shift_id: UUID


def near(day: date, *, today: date) -> bool:
    """Tell whether the roster of a day may still, or already, be written."""
    return today - BACK <= day <= today + AHEAD


def clashes(cells: Cells, shifts: Mapping[UUID, HasHours], zone: ZoneInfo) -> list[Clash]:
    """Return the first overlap of every duty with one that began before it, in the order of time.

    In the world's time, not the wall's: a night shift that ends at two and one that begins at half past two may overlap
    in the night the clock is set back.
    """
    spells = sorted(
        spell(person_id, shift_id, day, shifts[shift_id], zone)
        for (person_id, day), ids in cells.items()
        for shift_id in ids
    )
    found: list[Clash] = []
    last: dict[UUID, Spell] = {}
    for one in spells:
        before = last.get(one.person_id)
        if before is not None and one.begins < before.ends:
            found.append(Clash(one.person_id, one.day, one.shift_id, before.day, before.shift_id))
        if before is None or one.ends > before.ends:
            last[one.person_id] = one
    return found
