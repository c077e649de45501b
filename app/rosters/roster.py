"""Who is on duty at any minute: a snapshot of people, duties and absences. Pure; the past and next week alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from app.people.models import Person

HORIZON = timedelta(days=7)


class HasHours(Protocol):
    starts: time
    ends: time


@dataclass(frozen=True, slots=True, order=True)
class Spell:
    """One duty in the world's time: from `begins` to just before `ends`, both in UTC."""

    begins: datetime
    ends: datetime
    person_id: UUID
    shift_id: UUID
    day: date


def spell(person_id: UUID, shift_id: UUID, day: date, hours: HasHours, zone: ZoneInfo) -> Spell:
    """Return when somebody works who stands in the roster of `day`.

    A shift is as long as the clock on the wall says: nine hours on the night it is set back, seven when it is set
    forward. One that ends before or when it starts runs over midnight.
    """
    last = day if hours.starts < hours.ends else day + timedelta(1)
    begins, ends = (datetime.combine(d, t, zone).astimezone(UTC) for d, t in ((day, hours.starts), (last, hours.ends)))
    return Spell(begins, ends, person_id, shift_id, day)


@dataclass(frozen=True, slots=True)
class Roster:
    """`staff` is everybody who has not left, by name. Whoever stands in no roster within a week of a moment counts as
    on duty then: a small plant needs no roster. `away` holds pairs of person and local day; `silent` those whose phone
    did not answer at the start of the shift, as (person, shift, day).
    """

    zone: ZoneInfo
    staff: Sequence[Person]
    spells: Sequence[Spell]
    away: frozenset[tuple[UUID, date]] = frozenset()
    silent: frozenset[tuple[UUID, UUID, date]] = frozenset()
    squads: dict[str, frozenset[UUID]] = field(default_factory=dict)
    members: dict[UUID, Person] = field(init=False)
    _of: dict[UUID, list[Spell]] = field(init=False)

    def __post_init__(self) -> None:
        of: dict[UUID, list[Spell]] = {}
        for one in self.spells:
            of.setdefault(one.person_id, []).append(one)
        object.__setattr__(self, "_of", of)
        object.__setattr__(self, "members", {person.id: person for person in self.staff})

    def on_duty(self, at: datetime) -> list[Person]:
        """Return who works at this moment, by name."""
        today = at.astimezone(self.zone).date()
        return [person for person in self.staff if self._works(person.id, at, today)]

    def red(self, at: datetime) -> frozenset[UUID]:
        """Return who works at this moment and did not answer when the shift began."""
        return frozenset(
            one.person_id
            for one in self.spells
            if one.begins <= at < one.ends and (one.person_id, one.shift_id, one.day) in self.silent
        )

    def edges(self, since: datetime, until: datetime) -> list[datetime]:
        """Return the moments after `since` and before `until` at which the answer of `on_duty` may change, in order."""
        days = (since.astimezone(self.zone).date() + timedelta(n) for n in range((until - since).days + 2))
        midnights = (datetime.combine(day, time(0), self.zone).astimezone(UTC) for day in days)
        moments = {moment for one in self.spells for moment in (one.begins, one.ends)} | set(midnights)
        return sorted(moment for moment in moments if since < moment < until)

    def _works(self, person_id: UUID, at: datetime, today: date) -> bool:
        duties = self._of.get(person_id, ())
        running = [one for one in duties if one.begins <= at < one.ends]
        if running:
            return any((person_id, one.day) not in self.away for one in running)
        return (person_id, today) not in self.away and not any(abs(one.day - today) <= HORIZON for one in duties)


def away_days(absences: Iterable[tuple[UUID, date, date]]) -> frozenset[tuple[UUID, date]]:
    """Return each day of each absence (person, first day, last day)."""
    return frozenset(
        (person_id, first + timedelta(n)) for person_id, first, last in absences for n in range((last - first).days + 1)
    )
