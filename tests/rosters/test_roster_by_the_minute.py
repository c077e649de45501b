"""Who is on duty, against an oracle that looks at the clock on the wall, minute by minute, in the nights it jumps.

The oracle knows no arithmetic with time zones: it walks through the minutes of the world, asks what the wall shows, and
a shift begins when the wall first shows its start or something later, and ends in the same way.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.people.models import Person
from app.rosters.models import Shift
from app.rosters.roster import Roster, away_days, spell

SITE = UUID(int=9)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
# Around these days every zone that changes its clock does so: forward, back, and never.
NIGHTS = {
    "Asia/Shanghai": [date(2026, 11, 24)],
    "Europe/Berlin": [date(2026, 10, 25), date(2027, 3, 28)],
    "America/New_York": [date(2026, 11, 1), date(2027, 3, 14)],
}
PEOPLE = [Person(id=UUID(int=100 + n), site_id=SITE, name=f"Person {n}") for n in range(3)]
MINUTES = 3 * 24 * 60


class Wall:
    """The minutes of three days around a night, and what the clock on the wall shows at each."""

    def __init__(self, zone: str, night: date) -> None:
        self.zone, self.night = ZoneInfo(zone), night
        start = datetime.combine(night - timedelta(2), time(12), UTC)
        self.minutes = [start + timedelta(minutes=n) for n in range(MINUTES + 4 * 24 * 60)]
        self.shows = [minute.astimezone(self.zone).replace(tzinfo=None) for minute in self.minutes]
        self._latest = list(accumulate(self.shows, max))

    def reaches(self, day: date, clock: time) -> int:
        """Which minute is the first to show this or something later."""
        return bisect_left(self._latest, datetime.combine(day, clock))


WALLS = {(zone, night): Wall(zone, night) for zone, nights in NIGHTS.items() for night in nights}

clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
days = st.integers(-1, 1)


@st.composite
def plants(draw):
    """A wall, shifts at any hours (most of them over midnight), and a roster with absences."""
    wall = WALLS[draw(st.sampled_from(sorted(WALLS)))]
    hours = draw(st.lists(st.tuples(clocks, clocks), min_size=1, max_size=4))
    shifts = [Shift(id=UUID(int=n), site_id=SITE, names={}, starts=a, ends=b) for n, (a, b) in enumerate(hours)]
    entries = draw(st.sets(st.tuples(st.integers(0, 1), st.integers(0, len(shifts) - 1), days), max_size=6))
    away = draw(st.lists(st.tuples(st.integers(0, 2), days, st.integers(0, 1)), max_size=2))
    duties = [(PEOPLE[who].id, shifts[which], wall.night + timedelta(n)) for who, which, n in sorted(entries)]
    absences = [(PEOPLE[who].id, wall.night + timedelta(n), wall.night + timedelta(n + more)) for who, n, more in away]
    return wall, duties, absences


def on_duty(wall, duties, absences, minute):
    """The oracle: whom the minute belongs to."""
    today = wall.shows[minute].date()

    def is_away(person, day):
        return any(who == person and first <= day <= last for who, first, last in absences)

    def works(person):
        running = []
        for who, shift, day in duties:
            until = day if shift.starts < shift.ends else day + timedelta(1)
            if who == person and wall.reaches(day, shift.starts) <= minute < wall.reaches(until, shift.ends):
                running.append(day)
        if running:
            return any(not is_away(person, day) for day in running)
        rostered = any(who == person and abs((day - today).days) <= 7 for who, _, day in duties)
        return not rostered and not is_away(person, today)

    return {person.name for person in PEOPLE if works(person.id)}


def roster_of(wall, duties, absences):
    return Roster(
        zone=wall.zone,
        staff=PEOPLE,
        spells=[spell(person, shift.id, day, shift, wall.zone) for person, shift, day in duties],
        away=away_days(absences),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plants(), st.integers(0, 59))
def test_every_minute_has_the_people_the_wall_clock_says(plant, offset):
    wall, duties, absences = plant
    roster = roster_of(wall, duties, absences)
    edges = {wall.minutes.index(edge) for edge in roster.edges(wall.minutes[0], wall.minutes[MINUTES])}
    looked_at = sorted({0, *range(offset, MINUTES, 60), *(n for edge in edges for n in (edge - 1, edge, edge + 1))})

    for minute in looked_at:
        names = {person.name for person in roster.on_duty(wall.minutes[minute])}
        assert names == on_duty(wall, duties, absences, minute), f"at {wall.shows[minute]}"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plants())
def test_nobody_comes_or_goes_between_two_edges(plant):
    wall, duties, absences = plant
    roster = roster_of(wall, duties, absences)
    edges = {*roster.edges(wall.minutes[0], wall.minutes[MINUTES])}
    before = on_duty(wall, duties, absences, 0)

    for minute in range(1, MINUTES, 1):
        now = on_duty(wall, duties, absences, minute)
        assert now == before or wall.minutes[minute] in edges, f"at {wall.shows[minute]}"
        before = now


@pytest.mark.parametrize(
    ("zone", "night", "hours"),
    [
        ("Asia/Shanghai", date(2026, 11, 23), 8),
        ("Europe/Berlin", date(2026, 10, 24), 9),
        ("Europe/Berlin", date(2027, 3, 27), 7),
        ("America/New_York", date(2026, 10, 31), 9),
        ("America/New_York", date(2027, 3, 13), 7),
    ],
)
def test_a_night_shift_is_as_long_as_the_wall_says(zone, night, hours):
    shift = Shift(id=UUID(int=1), site_id=SITE, names={}, starts=time(22), ends=time(6))
    one = spell(PEOPLE[0].id, shift.id, night, shift, ZoneInfo(zone))

    assert one.ends - one.begins == timedelta(hours=hours)


def test_a_shift_that_begins_in_the_hour_that_is_left_out_begins_when_the_clock_jumps():
    shift = Shift(id=UUID(int=1), site_id=SITE, names={}, starts=time(2, 30), ends=time(10))
    one = spell(PEOPLE[0].id, shift.id, date(2027, 3, 28), shift, ZoneInfo("Europe/Berlin"))

    assert one.begins == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
