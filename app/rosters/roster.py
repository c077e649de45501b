"""Who is on duty at any minute: a snapshot of people, duties and absences. Pure; the past and next week alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
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
    return Spell(moment(day, hours.starts, zone), moment(last, hours.ends, zone), person_id, shift_id, day)


@lru_cache(10_000)  # a plant has few hours and many duties
def moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when the clock on the wall first shows this or, where it is set forward over it, a later time. In UTC."""
    wanted = datetime.combine(day, clock)
    shown = wanted.replace(tzinfo=zone).astimezone(UTC)
    if shown.astimezone(zone).replace(tzinfo=None) == wanted:
        return shown
    before = wanted.replace(tzinfo=zone, fold=1).astimezone(
        UTC
    )  # as far before the jump as the time is after its start
    while before.astimezone(zone).replace(tzinfo=None) < wanted:
        before += timedelta(minutes=1)
    return before


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
    _here: dict[datetime, list[Person]] = field(init=False, default_factory=dict, repr=False, compare=False)
    _red: dict[datetime, frozenset[UUID]] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        of: dict[UUID, list[Spell]] = {}
        for one in self.spells:
            of.setdefault(one.person_id, []).append(one)
        object.__setattr__(self, "_of", of)
        object.__setattr__(self, "members", {person.id: person for person in self.staff})

    def on_duty(self, at: datetime) -> list[Person]:
        """Return who works at this moment, by name."""
        if (here := self._here.get(at)) is None:  # asked for every rung of every anomaly of a batch
            today = at.astimezone(self.zone).date()
            here = self._here[at] = [person for person in self.staff if self._works(person.id, at, today)]
        return here

    def red(self, at: datetime) -> frozenset[UUID]:
        """Return who works at this moment and did not answer when the shift began."""
        if (red := self._red.get(at)) is None:
            red = self._red[at] = frozenset(
                one.person_id
                for one in self.spells
                if one.begins <= at < one.ends and (one.person_id, one.shift_id, one.day) in self.silent
            )
        return red

    def edges(self, since: datetime, until: datetime) -> list[datetime]:
        """Return the moments after `since` and before `until` at which the answer of `on_duty` may change, in order."""
        days = (since.astimezone(self.zone).date() + timedelta(n) for n in range((until - since).days + 2))
        midnights = (moment(day, time(0), self.zone) for day in days)
        moments = {edge for one in self.spells for edge in (one.begins, one.ends)} | set(midnights)
        return sorted(edge for edge in moments if since < edge < until)

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
