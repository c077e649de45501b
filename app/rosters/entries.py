"""What a sheet means: people down, days across, shift signs in the cells. Pure; nothing is read or written here.

Longer than most files because it is one walk over a sheet, with a sentence for everything that can be wrong in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from app.kit.errors import N_
from app.kit.secret import digest
from app.kit.sheets import Table, cell
from app.people.models import Person
from app.rosters.cells import Cells, clashes, near
from app.rosters.days import is_weekday, read_days
from app.rosters.models import Shift

NAME = {"name", "person", "people", "who", "姓名", "人员", "员工", "名字"}
BADGE = {"badge", "badge number", "badge no", "id", "工号", "卡号", "工牌", "工牌号"}
UNREAD = {"team", "group", "line", "role", "total", "remarks", "note", "notes", "no",
          "班组", "组", "部门", "产线", "线体", "岗位", "职务", "合计", "备注", "序号"}  # fmt: skip
OFF = {"", "off", "x", "-", "–", "—", "/", "o", "0", "休", "休息", "休假", "公休", "假", "无"}
HEADER_WITHIN = 6  # rows: some sheets begin with a title
ECHOED = 40  # characters of a wrong cell that are repeated

NO_DAYS = N_(
    "Row %(row)s: no days were found. The first row must name them, as 2026-11-23, 11/23 or 11月23日, "
    "and the first column the people."
)
DAY_TWICE = N_("Row %(row)s, cell %(cell)s: %(day)s stands in %(other)s already. Remove one of the two columns.")
FAR_DAY = N_(
    "Row %(row)s, cell %(cell)s: the roster goes from a month ago to a year ahead, and %(day)s is outside. Correct it."
)
UNKNOWN_HEADING = N_(
    "Row %(row)s, cell %(cell)s: “%(said)s” is neither a day nor a heading we know. "
    "Write days as 2026-11-23, 11/23 or 11月23日, and Name or Badge over the people."
)
NO_PEOPLE_COLUMN = N_(
    "Row %(row)s: there is no column for the people. Put their names or badge numbers into the first one."
)
NO_PEOPLE = N_("Row %(row)s: there are no people under the days. Copy their rows too.")
NO_DAY_ABOVE = N_("Row %(row)s, cell %(cell)s: there is no day above this cell. Write the day there, or clear it.")
UNKNOWN_PERSON = N_(
    "Row %(row)s, cell %(cell)s: nobody here is called “%(said)s” or has this badge number. Correct it."
)
SEVERAL_PEOPLE = N_(
    "Row %(row)s, cell %(cell)s: several people are called %(said)s. Write the badge number instead of the name."
)
OTHER_BADGE = N_(
    "Row %(row)s, cell %(cell)s: the badge number of this row belongs to somebody else than %(said)s. "
    "Correct one of the two."
)
NOBODY = N_("Row %(row)s, cell %(cell)s: whose row is this? Write the name or the badge number.")
ROW_TWICE = N_(
    "Row %(row)s, cell %(cell)s: %(name)s has row %(other)s already. Put all days of one person into one row."
)
TWO_PLACES = N_(
    "Row %(row)s, cell %(cell)s: on %(day)s %(name)s already works in row %(other)s, and nobody can be in two places. "
    "Remove one of the two."
)
UNKNOWN_SHIFT = N_(
    "Row %(row)s, cell %(cell)s: “%(said)s” is no shift here. Write one of %(known)s, or nothing for a day off."
)
OVERLAP = N_(
    "Row %(row)s, cell %(cell)s: %(name)s would work twice at once: %(shift)s of %(day)s begins before %(other)s of "
    "%(other_day)s has ended. Change one of the two."
)

_BETWEEN = re.compile(r"[\s+/,，、;]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence about one row, as a message with holes."""

    row: int
    message: str
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class Known:
    """What a sheet may speak of. `standing` is what the roster says on and around the days of the sheet."""

    staff: Sequence[Person]
    shifts: Sequence[Shift]
    zone: ZoneInfo
    today: date
    standing: Cells = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entries:
    """What the sheet says, or why not. With a problem there are no cells: nothing is half-imported."""

    cells: Cells
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class _Header:
    """Which column says what. `who` are those that name the person, the badge number first."""

    row: int
    who: tuple[int, ...]
    days: Mapping[int, date]
    unread: frozenset[int]


@dataclass(slots=True)
class _Reading:
    known: Known
    problems: dict[int, Problem] = field(default_factory=dict)
    cells: dict[tuple[UUID, date], frozenset[UUID]] = field(default_factory=dict)
    at: dict[tuple[UUID, date], tuple[int, int]] = field(default_factory=dict)
    rows: dict[UUID, int] = field(default_factory=dict)

    def wrong(self, message: str, row: int, column: int = 0, **details: object) -> None:
        """Say what is wrong with a row, once: after the first thing the rest of a row is guessing."""
        said = {"row": row + 1, "cell": cell(row, column), **details}
        self.problems.setdefault(row, Problem(row + 1, message, said))


def days_of(table: Table, *, today: date) -> list[date]:
    """Return the days a sheet speaks of that can be in the roster, in order."""
    header = _header(_Reading(Known((), (), ZoneInfo("UTC"), today)), table)
    return sorted(day for day in header.days.values() if near(day, today=today)) if header else []


def understand(table: Table, known: Known) -> Entries:
    """Return what the sheet puts into the roster, or one sentence for every row that cannot be meant."""
    reading = _Reading(known)
    header = _header(reading, table)
    if header is not None and not reading.problems:
        finder, words = _finder(known.staff), _words(known.shifts)
        for row, values in enumerate(table[header.row + 1 :], header.row + 1):
            if any(values) and not _says_weekdays(values, header):
                _row(reading, header, finder, words, row, values)
        _overlaps(reading)
        if not reading.rows and not reading.problems:
            reading.wrong(NO_PEOPLE, header.row)
    problems = [reading.problems[row] for row in sorted(reading.problems)]
    return Entries({} if problems else reading.cells, problems)


def _header(reading: _Reading, table: Table) -> _Header | None:
    """Find the row of the days, which is the first one that names any, and what its columns are."""
    today = reading.known.today
    for row, values in enumerate(table[:HEADER_WITHIN]):
        named = read_days(values, today=today)
        if any(named):
            return _headings(reading, row, values, named)
    reading.wrong(NO_DAYS, 0)
    return None


def _headings(reading: _Reading, row: int, values: Sequence[str], named: Sequence[date | None]) -> _Header:
    days: dict[int, date] = {}
    name: list[int] = []
    badge: list[int] = []
    unread: set[int] = set()
    for column, (said, day) in enumerate(zip(values, named, strict=True)):
        word = said.casefold().strip(" .:：")
        if day is not None:
            other = next((c for c, known in days.items() if known == day), None)
            if other is not None:
                reading.wrong(DAY_TWICE, row, column, day=day.isoformat(), other=cell(row, other))
            if not near(day, today=reading.known.today):
                reading.wrong(FAR_DAY, row, column, day=day.isoformat())
            days[column] = day
        elif word in BADGE:
            badge.append(column)
        elif word in NAME or (not word and not days and not name):
            name.append(column)
        elif word in UNREAD:
            unread.add(column)
        elif word:
            reading.wrong(UNKNOWN_HEADING, row, column, said=said[:ECHOED])
    if not name and not badge:
        reading.wrong(NO_PEOPLE_COLUMN, row)
    return _Header(row, (*badge, *name), days, frozenset(unread))


def _says_weekdays(values: Sequence[str], header: _Header) -> bool:
    """Tell the second line some headers have from people: it only says which days of the week they are."""
    return not any(_at(values, column) for column in header.who) and all(is_weekday(value) for value in values if value)


def _row(
    reading: _Reading,
    header: _Header,
    finder: Mapping[str, list[Person]],
    words: Mapping[str, UUID],
    row: int,
    values: Sequence[str],
) -> None:
    person = _person(reading, header, finder, row, values)
    for column, said in enumerate(values):
        if said and column not in {*header.who, *header.days, *header.unread}:
            reading.wrong(NO_DAY_ABOVE, row, column)
    if person is None:
        return
    first = reading.rows.setdefault(person.id, row)
    for column, day in header.days.items():
        said = _at(values, column)
        shifts = _shifts(words, said)
        if shifts is None:
            known = ", ".join(shift.mark for shift in reading.known.shifts)
            reading.wrong(UNKNOWN_SHIFT, row, column, said=said[:ECHOED], known=known)
        elif first == row:
            reading.cells[person.id, day] = shifts
            reading.at[person.id, day] = (row, column)
        elif shifts and reading.cells.get((person.id, day)):
            reading.wrong(TWO_PLACES, row, column, name=person.name, day=day.isoformat(), other=first + 1)
    if first != row:
        reading.wrong(ROW_TWICE, row, header.who[0], name=person.name, other=first + 1)


def _person(
    reading: _Reading, header: _Header, finder: Mapping[str, list[Person]], row: int, values: Sequence[str]
) -> Person | None:
    """Find whose row it is, by badge number or name; where both are said they must be the same person's."""
    found: Person | None = None
    for column in header.who:
        said = _at(values, column)
        if not said:
            continue
        people = finder.get(said.casefold()) or finder.get(digest(said), [])
        if not people:
            reading.wrong(UNKNOWN_PERSON, row, column, said=said[:ECHOED])
        elif found is not None and found not in people:
            reading.wrong(OTHER_BADGE, row, column, said=said[:ECHOED])
        elif found is None and len(people) > 1:
            reading.wrong(SEVERAL_PEOPLE, row, column, said=said[:ECHOED])
        else:
            found = found or people[0]
            continue
        return None
    if found is None:
        reading.wrong(NOBODY, row, header.who[0])
    return found


def _overlaps(reading: _Reading) -> None:
    """Nobody works twice at once, neither inside the sheet nor with what stands around it."""
    known = reading.known
    shifts = {shift.id: shift for shift in known.shifts}
    names = {person.id: person.name for person in known.staff}
    for clash in clashes({**known.standing, **reading.cells}, shifts, known.zone):
        places = [reading.at.get((clash.person_id, day)) for day in (clash.day, clash.other_day)]
        place = next(filter(None, places), None)
        if place is not None:  # else it stands there already
            reading.wrong(
                OVERLAP, *place, name=names[clash.person_id],
                shift=shifts[clash.shift_id].mark, day=clash.day.isoformat(),
                other=shifts[clash.other_shift_id].mark, other_day=clash.other_day.isoformat(),
            )  # fmt: skip


def _finder(staff: Sequence[Person]) -> Mapping[str, list[Person]]:
    """Return people by name and by what is stored of their badge."""
    found: dict[str, list[Person]] = {}
    for person in staff:
        found.setdefault(person.name.casefold(), []).append(person)
        if person.badge:
            found.setdefault(person.badge, []).append(person)
    return found


def _words(shifts: Sequence[Shift]) -> Mapping[str, UUID]:
    """Return what shifts may be called: their signs, then their names in any language."""
    words: dict[str, UUID] = {}
    for shift in shifts:
        words.setdefault(shift.sign.casefold(), shift.id)
    for shift in shifts:
        for name in shift.names.values():
            words.setdefault(name.casefold(), shift.id)
    words.pop("", None)
    return words


def _shifts(words: Mapping[str, UUID], said: str) -> frozenset[UUID] | None:
    """Return the shifts a cell names: one, several with + between them, none for a day off. None: unknown."""
    if said.casefold() in OFF:
        return frozenset()
    if said.casefold() in words:
        return frozenset({words[said.casefold()]})
    parts = [words.get(part.casefold()) for part in _BETWEEN.split(said)]
    return frozenset(shift for shift in parts if shift) if all(parts) else None


def _at(values: Sequence[str], column: int) -> str:
    return values[column] if column < len(values) else ""
