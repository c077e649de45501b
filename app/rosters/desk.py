"""What a lead fills in: a week of cells, or a pattern with its crews. Forms to and from what the roster says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from app.kit.errors import BadInput
from app.plant.models import Site
from app.rosters.actions import check_near
from app.rosters.cells import Cells
from app.rosters.grid import Row
from app.rosters.holidays import public_days
from app.rosters.models import Shift
from app.rosters.patterns import PATTERNS, Pattern, duties

MOST_WEEKS = 52


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing a cell may say. `value` also names whose cell it is, and what stood there when the page was made."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A pattern, filled in: which shifts take turns, and who is in which crew."""

    pattern: Pattern
    shifts: Sequence[UUID]
    crews: Sequence[Collection[UUID]]
    start: date
    weeks: int
    weekdays: Collection[int]
    holidays: bool


def choices(row: Row, like: Row, shifts: Sequence[Shift]) -> list[list[Choice]]:
    """Return what each cell of a row may say; chosen is what stands in the cell of `like`."""
    return [
        _choices(row, cell.day, cell.shifts, wanted.shifts, shifts)
        for cell, wanted in zip(row.cells, like.cells, strict=True)
    ]


def cells_of(values: Sequence[str]) -> tuple[Cells, Cells]:
    """Return what was changed in a week, and what stood there before.

    Raises:
        BadInput: this is not what the page has written.
    """
    cells: dict[tuple[UUID, date], frozenset[UUID]] = {}
    was: dict[tuple[UUID, date], frozenset[UUID]] = {}
    for value in values:
        try:
            person, day, before, after = value.split("|")
            at = UUID(person), date.fromisoformat(day)
            old, new = _ids(before), _ids(after)
        except ValueError:
            raise BadInput() from None
        if old != new:
            cells[at], was[at] = new, old
    return cells, was


def plan_of(
    key: str,
    shifts: Sequence[str],
    crews: Sequence[str],
    *,
    start: date,
    weeks: int,
    weekdays: Sequence[str],
    holidays: bool,
) -> Plan:
    """Return a pattern as it was filled in. `crews` are "person:number", 0 for nobody's.

    Raises:
        BadInput
    """
    pattern = PATTERNS.get(key)
    try:
        chosen = [UUID(one) for one in shifts]
        placed = [(UUID(person), int(crew)) for person, crew in (one.split(":") for one in crews)]
        days = [int(one) for one in weekdays]
    except ValueError:
        raise BadInput() from None
    if pattern is None or len(chosen) != pattern.shifts or not 1 <= weeks <= MOST_WEEKS:
        raise BadInput()
    members = [[person for person, crew in placed if crew == n + 1] for n in range(pattern.crews)]
    return Plan(pattern, chosen, members, start, weeks, days, holidays)


def lay_out(session: Session, plan: Plan, *, site_id: UUID, now: datetime) -> Cells:
    """Return the duties of a pattern, with the public holidays of the site left out if that is wanted.

    Raises:
        FarDay
    """
    check_near(plan.start, now=now)
    last = plan.start + timedelta(weeks=plan.weeks)
    public = public_days(session.get_one(Site, site_id).timezone, plan.start, last)
    return duties(
        plan.pattern, plan.crews, plan.shifts, start=plan.start, weeks=plan.weeks,
        weekdays=plan.weekdays if plan.pattern.by_weekday else range(7),
        free=public.free.keys() if plan.holidays else (), extra=public.extra if plan.holidays else (),
    )  # fmt: skip


def _choices(
    row: Row, day: date, before: Sequence[Shift], wanted: Sequence[Shift], shifts: Sequence[Shift]
) -> list[Choice]:
    offered = [[], *([shift] for shift in shifts)]
    offered += [several for several in (list(before), list(wanted)) if several not in offered]
    return [
        Choice(
            value=f"{row.person.id.hex}|{day.isoformat()}|{_text(before)}|{_text(one)}",
            words="+".join(shift.mark for shift in one) or "–",
            chosen=one == list(wanted),
        )
        for one in offered
    ]


def _text(shifts: Sequence[Shift]) -> str:
    return ",".join(sorted(shift.id.hex for shift in shifts))


def _ids(text: str) -> frozenset[UUID]:
    return frozenset(UUID(part) for part in text.split(",") if part)
