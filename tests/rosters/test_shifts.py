"""Shifts in the wall clock of the site: over midnight, and on the two nights a year when the clock jumps."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.plant.models import Site
from app.rosters import queries
from app.rosters.models import Duty, Shift
from app.rosters.shifts import shift_at
from tests import factories
from tests.factories import ZONE, add, id_of


@dataclass
class Hours:
    id: UUID
    starts: time
    ends: time


EARLY, LATE, NIGHT = (UUID(int=n) for n in range(3))
SHIFTS = [Hours(EARLY, time(6), time(14)), Hours(LATE, time(14), time(22)), Hours(NIGHT, time(22), time(6))]
DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)


def wall(*moment: int) -> datetime:
    """What the clock on the wall shows there."""
    return datetime(*moment, tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("moment", "shift"),
    [
        (wall(2026, 11, 23, 5, 59, 59), (NIGHT, date(2026, 11, 22))),
        (wall(2026, 11, 23, 6, 0), (EARLY, DAY)),
        (wall(2026, 11, 23, 13, 59, 59), (EARLY, DAY)),
        (wall(2026, 11, 23, 14, 0), (LATE, DAY)),
        (wall(2026, 11, 23, 22, 0), (NIGHT, DAY)),
        (wall(2026, 11, 24, 0, 0), (NIGHT, DAY)),
        (wall(2026, 11, 24, 5, 59), (NIGHT, DAY)),
        (wall(2026, 11, 24, 6, 0), (EARLY, NEXT)),
    ],
)
def test_each_moment_has_one_shift_and_the_night_belongs_to_the_day_it_began(moment, shift):
    assert shift_at(SHIFTS, moment) == shift


def test_between_shifts_there_is_none():
    assert shift_at(SHIFTS[:2], wall(2026, 11, 23, 23, 0)) is None
    assert shift_at([], wall(2026, 11, 23, 12, 0)) is None


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), date(2026, 10, 24)),  # half past two, the first time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 24)),  # half past two, the second time
        (datetime(2026, 10, 25, 4, 59, tzinfo=UTC), date(2026, 10, 24)),
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), date(2027, 3, 27)),  # one minute before three o'clock
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), date(2027, 3, 27)),  # three o'clock
    ],
)
def test_when_the_clock_jumps_the_night_shift_stays_one_shift(moment, day):
    assert shift_at(SHIFTS, moment.astimezone(BERLIN)) == (NIGHT, day)


def test_when_the_clock_jumps_the_early_shift_starts_at_six_on_the_wall():
    assert shift_at(SHIFTS, datetime(2027, 3, 28, 3, 59, tzinfo=UTC).astimezone(BERLIN)) == (NIGHT, date(2027, 3, 27))
    assert shift_at(SHIFTS, datetime(2027, 3, 28, 4, 0, tzinfo=UTC).astimezone(BERLIN)) == (EARLY, date(2027, 3, 28))


@pytest.fixture
def berlin(session):
    """Two people who share a site in Berlin: one in the roster of nights, the other in none."""
    site = id_of("site", "Suzhou")
    add(session, Site(id=site, names={"en": "Berlin"}, timezone="Europe/Berlin"))
    add(session, Shift(id=NIGHT, site_id=site, names={"en": "Night"}, starts=time(22), ends=time(6)))
    for name in ("Li Wei", "Wang Lei"):
        factories.person(session, name)
    add(session, Duty(person_id=id_of("person", "Li Wei"), shift_id=NIGHT, day=date(2026, 10, 24)))
    return session, site


@pytest.mark.parametrize(
    ("moment", "names"),
    [
        (datetime(2026, 10, 24, 19, 59, tzinfo=UTC), ["Wang Lei"]),
        (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), ["Li Wei", "Wang Lei"]),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), ["Li Wei", "Wang Lei"]),
        (datetime(2026, 10, 25, 4, 59, tzinfo=UTC), ["Li Wei", "Wang Lei"]),
        (datetime(2026, 10, 25, 5, 0, tzinfo=UTC), ["Wang Lei"]),
        (datetime(2026, 10, 25, 21, 0, tzinfo=UTC), ["Wang Lei"]),
        (datetime(2026, 12, 1, 12, 0, tzinfo=UTC), ["Li Wei", "Wang Lei"]),  # in no roster of this week: on duty
    ],
)
def test_on_duty_is_who_the_roster_names_or_who_stands_in_none(berlin, moment, names):
    session, site = berlin

    assert [person.name for person in queries.on_duty(session, site, now=moment)] == names
