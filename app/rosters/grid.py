"""The roster as people read it: names down, days across, what is missing in red. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.kit.columns import Names
from app.people.models import Person, Team
from app.rosters.holidays import PublicDays
from app.rosters.models import Shift
from app.rosters.roster import HORIZON, Roster, Spell, spell


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    today: bool
    holiday: Names | None
    extra: bool  # worked to make up for a holiday


@dataclass(frozen=True, slots=True)
class Cell:
    """`always`: in no roster around this day, and so on duty at all hours."""

    day: date
    shifts: list[Shift]
    away: bool
    always: bool


@dataclass(frozen=True, slots=True)
class Row:
    person: Person
    cells: list[Cell]
    red: bool
    phone: bool

    @property
    def always(self) -> bool:
        return all(cell.always for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Group:
    """A team, and for each day the shifts it usually works in which nobody of it is there."""

    team: Team | None
    rows: list[Row]
    gaps: list[list[Shift]]

    @property
    def key(self) -> str:
        """How an address names it."""
        return self.team.id.hex if self.team else "none"


@dataclass(frozen=True, slots=True)
class Week:
    days: list[Day]
    groups: list[Group]
    shifts: Sequence[Shift]

    @property
    def gaps(self) -> int:
        return sum(len(shifts) for group in self.groups for shifts in group.gaps)


def draw(
    roster: Roster,
    teams: Sequence[Team],
    shifts: Sequence[Shift],
    days: Sequence[date],
    public: PublicDays,
    *,
    phones: Collection[UUID],
    red: Collection[UUID],
    now: datetime,
) -> Week:
    """Put together what a week looks like. Gaps are told of shifts that have not ended."""
    today = now.astimezone(roster.zone).date()
    hours = {shift.id: shift for shift in shifts}
    worked: dict[UUID, dict[date, list[Shift]]] = {}
    usual: set[tuple[UUID | None, UUID]] = set()
    for one in sorted(roster.spells):
        if one.person_id in roster.members:
            worked.setdefault(one.person_id, {}).setdefault(one.day, []).append(hours[one.shift_id])
            usual.add((roster.members[one.person_id].team_id, one.shift_id))

    def row(person: Person) -> Row:
        mine = worked.get(person.id, {})
        cells = [
            Cell(
                day,
                mine.get(day, []),
                away=(person.id, day) in roster.away,
                always=not any(abs(other - day) <= HORIZON for other in mine),
            )
            for day in days
        ]
        return Row(person, cells, red=person.id in red, phone=person.id in phones)

    covered: dict[datetime, set[UUID | None]] = {}

    def missing(team: Team, shift: Shift, day: date) -> bool:
        when = spell(team.id, shift.id, day, shift, roster.zone)
        if (team.id, shift.id) not in usual or when.ends <= now:
            return False
        for moment in _moments(roster, when):
            if moment not in covered:
                covered[moment] = {person.team_id for person in roster.on_duty(moment)}
            if team.id not in covered[moment]:
                return True
        return False

    groups = []
    for team in (*teams, None):
        rows = [row(person) for person in roster.staff if person.team_id == (team.id if team else None)]
        gaps = [[shift for shift in shifts if team and missing(team, shift, day)] for day in days]
        if rows:
            groups.append(Group(team, rows, gaps))
    shown = [Day(day, day == today, public.free.get(day), day in public.extra) for day in days]
    return Week(shown, groups, shifts)


def _moments(roster: Roster, when: Spell) -> list[datetime]:
    """Return when a shift begins and whenever somebody comes or goes in it."""
    return [when.begins, *roster.edges(when.begins, when.ends)]
