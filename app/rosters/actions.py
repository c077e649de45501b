"""Writing the roster: who works when. All or nothing."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, insert
from sqlmodel import Session, col, select

from app.kit.errors import N_, DomainError, NotFound
from app.kit.ids import new_id
from app.people.models import Person
from app.plant.models import Site
from app.rosters import queries
from app.rosters.cells import Cells, Clash, clashes, near
from app.rosters.models import Duty, Shift

DAY = timedelta(days=1)


class Overlap(DomainError):
    code = "rosters.overlap"
    message = N_(
        "%(name)s would work twice at once: %(shift)s of %(day)s begins before %(other)s of %(other_day)s has ended. "
        "Nothing was changed. Change one of the two."
    )


class FarDay(DomainError):
    code = "rosters.far_day"
    message = N_(
        "%(day)s is too far away: the roster goes from a month ago to a year ahead. Nothing was changed. "
        "Choose another day."
    )
    status = 400


class Changed(DomainError):
    code = "rosters.changed"
    message = N_(
        "Somebody else has changed %(name)s on %(day)s meanwhile. Nothing of yours was stored. "
        "Load the week again and look at it."
    )


@dataclass(frozen=True, slots=True)
class Written:
    """How many duties are new and how many are gone, for each person for whom anything changes."""

    added: Mapping[str, int]
    removed: Mapping[str, int]

    @property
    def names(self) -> list[str]:
        return sorted({*self.added, *self.removed})


def publish(
    session: Session, cells: Cells, *, site_id: UUID, was: Cells | None = None, dry: bool = False, now: datetime
) -> Written:
    """Let the roster say what `cells` say; of days they do not name nothing changes.

    `was` is what the writer saw there: if it is no longer so, they are told instead of overwriting it. `dry`: only say
    what would change.

    Raises:
        Overlap, FarDay, Changed
        NotFound: a person or shift that is not of this site.
    """
    names = {person.id: person.name for person in queries.staff(session, site_id)}
    shifts = {shift.id: shift for shift in queries.shifts(session, site_id)}
    people, days = sorted({person_id for person_id, _ in cells}), sorted({day for _, day in cells})
    if not names.keys() >= set(people) or not shifts.keys() >= frozenset[UUID]().union(*cells.values()):
        raise NotFound()
    if not days:
        return Written({}, {})
    for day in (days[0], days[-1]):
        check_near(day, now=now)
    if not dry:
        lock(session, people)
    before = queries.cells(session, people, days[0] - 2 * DAY, days[-1] + 2 * DAY)
    for (person_id, day), seen in (was or {}).items():
        if before.get((person_id, day), frozenset()) != seen:
            raise Changed(name=names[person_id], day=day.isoformat())
    zone = ZoneInfo(session.get_one(Site, site_id).timezone)
    for clash in clashes({**before, **cells}, shifts, zone):
        if not {(clash.person_id, clash.day), (clash.person_id, clash.other_day)}.isdisjoint(cells):
            raise overlap(names[clash.person_id], clash, shifts)
    standing = {at: before.get(at, frozenset()) for at in cells}
    new = [(*at, shift_id) for at, wanted in cells.items() for shift_id in wanted - standing[at]]
    gone = [(*at, shift_id) for at, wanted in cells.items() for shift_id in standing[at] - wanted]
    if not dry:
        _write(session, new, gone)
    return Written(*(Counter(names[person_id] for person_id, _, _ in rows) for rows in (new, gone)))


def overlap(name: str, clash: Clash, shifts: Mapping[UUID, Shift]) -> Overlap:
    """Say who would work twice at once."""
    return Overlap(
        name=name,
        shift=shifts[clash.shift_id].mark,
        day=clash.day.isoformat(),
        other=shifts[clash.other_shift_id].mark,
        other_day=clash.other_day.isoformat(),
    )


def lock(session: Session, people: Collection[UUID]) -> None:
    """Let nobody else write the duties of these people before this transaction ends: overlaps are looked for first."""
    session.exec(select(Person.id).where(col(Person.id).in_(people)).order_by(col(Person.id)).with_for_update()).all()


def check_near(day: date, *, now: datetime) -> None:
    """Refuse days whose roster nobody plans yet, or any more.

    Raises:
        FarDay
    """
    if not near(day, today=now.date()):
        raise FarDay(day=day.isoformat())


def _write(session: Session, new: Sequence[tuple[UUID, date, UUID]], gone: Sequence[tuple[UUID, date, UUID]]) -> None:
    connection, duty = session.connection(), Duty.__table__  # type: ignore[attr-defined]
    if gone:
        which = (
            duty.c.person_id == bindparam("who"),
            duty.c.day == bindparam("on"),
            duty.c.shift_id == bindparam("what"),
        )
        rows = [{"who": person_id, "on": day, "what": shift_id} for person_id, day, shift_id in gone]
        connection.execute(delete(duty).where(*which), rows)
    if new:
        rows = [{"id": new_id(), "person_id": who, "day": day, "shift_id": shift_id} for who, day, shift_id in new]
        connection.execute(insert(duty), rows)
