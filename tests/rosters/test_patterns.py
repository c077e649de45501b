"""The patterns plants use: who works which shift, day by day."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from app.rosters.holidays import public_days
from app.rosters.patterns import PATTERNS, WORKDAYS, duties

MONDAY = date(2026, 9, 28)
EARLY, LATE, NIGHT = (UUID(int=n) for n in range(3))
SIGNS = {EARLY: "E", LATE: "L", NIGHT: "N"}
CREWS = [[UUID(int=100 + n)] for n in range(4)]


def lines(key, *, weeks=2, start=MONDAY, **more):
    """Each crew's days as a line of signs."""
    pattern = PATTERNS[key]
    crews, shifts = CREWS[: pattern.crews], [EARLY, LATE, NIGHT][: pattern.shifts]
    plan = duties(pattern, crews, shifts, start=start, weeks=weeks, **more)
    days = [start + timedelta(n) for n in range(weeks * 7)]
    return ["".join("".join(SIGNS[s] for s in plan[crew[0], day]) or "." for day in days) for crew in crews]


def test_three_shifts():
    assert lines("three") == ["EELLNN..EELLNN", "..EELLNN..EELL", "NN..EELLNN..EE", "LLNN..EELLNN.."]


def test_four_on_two_off():
    assert lines("four_two") == ["EEEE..LLLL..EE", "LL..EEEE..LLLL", "..LLLL..EEEE.."]


def test_two_shifts_change_every_week():
    assert lines("two", weekdays=WORKDAYS) == ["EEEEE..LLLLL..", "LLLLL..EEEEE.."]


def test_fixed_days():
    assert lines("fixed", weekdays={0, 2, 5}) == ["E.E..E.E.E..E."]


@pytest.mark.parametrize(("key", "each"), [("three", {"E", "L", "N"}), ("four_two", {"E", "L"})])
def test_patterns_that_run_on_leave_no_shift_of_any_day_to_nobody_or_to_two(key, each):
    for day in zip(*lines(key, weeks=12), strict=True):
        working = [sign for sign in day if sign != "."]
        assert (set(working), len(working)) == (each, len(each))


def test_the_week_of_the_national_day_and_the_saturday_that_makes_up_for_it():
    public = public_days("Asia/Shanghai", MONDAY, MONDAY + timedelta(13))
    given = {"free": public.free, "extra": public.extra}

    assert lines("fixed", weekdays=WORKDAYS, **given) == ["EEE.......EEE."]
    assert lines("three", **given)[0] == "EEL.......LLNN"


def test_days_off_are_named_so_that_what_stood_there_goes():
    plan = duties(PATTERNS["fixed"], [CREWS[0]], [EARLY], start=MONDAY, weeks=1, weekdays=WORKDAYS)

    assert plan[CREWS[0][0], MONDAY + timedelta(5)] == frozenset()
