"""When the next rung is due: after a restart, a standstill, a clock set back; each rung once and in its order."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dispatch.ladder import again_after, climb, look, not_shown
from app.flows.document import Audience, Rung
from tests.factories import MONDAY


def rungs(*minutes: float) -> list[Rung]:
    return [Rung(clock="accepted", after=int(m * 60), call=(Audience(team="owner"),)) for m in minutes]


def at(minutes: float):
    return MONDAY + timedelta(minutes=minutes)


LADDER = rungs(0, 5, 15)


def test_the_first_rung_is_due_at_once():
    strike = look(LADDER, 0, clock_from=MONDAY, now=MONDAY)

    assert (strike.due, strike.next_at) == (LADDER[:1], at(5))


def test_between_two_rungs_nothing_is_due():
    strike = look(LADDER, 1, clock_from=MONDAY, now=at(4.99))

    assert (strike.due, strike.next_at) == ([], at(5))


def test_a_rung_is_due_to_the_second():
    assert look(LADDER, 1, clock_from=MONDAY, now=at(5)).due == LADDER[1:2]


def test_after_a_standstill_all_that_were_missed_are_due_at_once():
    strike = look(LADDER, 1, clock_from=MONDAY, now=at(600))

    assert (strike.due, strike.next_at) == (LADDER[1:], None)


def test_a_clock_set_back_calls_none_again():
    strike = look(LADDER, 2, clock_from=MONDAY, now=at(-60))

    assert (strike.due, strike.next_at) == ([], at(15))


def test_at_the_end_of_the_ladder_nobody_is_left_to_call():
    assert look(LADDER, 3, clock_from=MONDAY, now=at(1000)).next_at is None


def test_a_ladder_without_rungs_never_strikes():
    strike = look([], 0, clock_from=MONDAY, now=at(1))

    assert (strike.due, strike.next_at) == ([], None)


def test_a_ladder_that_lost_its_upper_rungs_does_not_fail():
    assert look(LADDER[:1], 3, clock_from=MONDAY, now=at(10)).due == []


@given(
    after=st.lists(st.integers(0, 600), max_size=6).map(sorted),
    looks=st.lists(st.integers(-100, 700), max_size=30),
)
def test_whenever_one_looks_each_rung_is_called_once_in_its_order_and_never_too_early(after, looks):
    ladder, called = rungs(*after), []

    for minute in [*looks, 700]:
        strike = look(ladder, len(called), clock_from=MONDAY, now=at(minute))
        assert all(rung.after <= minute * 60 for rung in strike.due)
        called += strike.due
        rest = ladder[len(called) :]
        assert strike.next_at == (at(rest[0].after / 60) if rest else None)

    assert called == ladder


def test_reminders_after_the_last_rung_come_rarer_and_rarer_and_never_stop():
    waits = [again_after(called, LADDER).total_seconds() / 60 for called in range(3, 20)]

    assert waits[:4] == [15, 30, 60, 120]
    assert waits == sorted(waits)
    assert waits[-1] == 24 * 60


# --- climbing: what `look` finds is called, and what comes of nobody being there ---


class Floor:
    """Who is on duty for which rung; notes what is called."""

    def __init__(self, *empty: int) -> None:
        self.empty, self.called = set(empty), []

    def __call__(self, options, place) -> int:
        minutes = [rung.after // 60 for rung in options]
        reached = next((minute for minute in minutes if minute not in self.empty), None)
        self.called.append((place, reached))
        return 0 if reached is None else 1


def climbed(floor, *, called=0, minute=0.0, last=None, ladder=LADDER):
    last_at = None if last is None else at(last)
    now_called, next_at = climb(ladder, called, clock_from=MONDAY, now=at(minute), last_at=last_at, reach=floor)
    return now_called, None if next_at is None else (next_at - MONDAY).total_seconds() / 60


def test_nobody_on_duty_is_the_next_rung_at_once():
    floor = Floor(0, 5)

    assert climbed(floor) == (3, 15)
    assert floor.called == [(0, None), (1, None), (2, 15)]


def test_a_rung_that_was_called_early_is_not_called_at_its_time_too():
    floor = Floor(0)
    assert climbed(floor) == (2, 15)

    assert climbed(floor, called=2, minute=5) == (2, 15)
    assert climbed(floor, called=2, minute=15) == (3, 30)
    assert floor.called == [(0, None), (1, 5), (2, 15)]


@pytest.mark.parametrize(("minute", "calls"), [(29.99, []), (30, [(3, 15)]), (500, [(3, 15)])])
def test_after_the_last_rung_it_is_repeated_counted_from_its_latest_call(minute, calls):
    floor = Floor()

    called, next_at = climbed(floor, called=3, minute=minute, last=15)

    assert floor.called == calls
    assert (called, next_at) == ((4, minute + 30) if calls else (3, 30))


def test_looking_in_between_for_another_reason_repeats_nothing():
    floor = Floor()

    assert climbed(floor, called=5, minute=100, last=75) == (5, 75 + 60)
    assert floor.called == []


def test_a_repeat_that_reaches_nobody_takes_whoever_is_there_by_now():
    floor = Floor(0, 15)

    assert climbed(floor, called=3, minute=30, last=15) == (4, 60)
    assert floor.called == [(3, 5)]


def test_a_ladder_without_rungs_calls_nobody():
    floor = Floor()

    assert climbed(floor, ladder=[]) == (0, None)
    assert floor.called == []


# --- the clock "displayed" ---

CHECKS = rungs(1, 3)


@pytest.mark.parametrize(
    ("minute", "called", "since", "shown", "expected", "calls"),
    [
        (0.5, 0, 0, False, (0, 1), []),
        (1, 0, 0, False, (1, 3), [0]),
        (3, 1, 0, False, (2, None), [1]),
        (9, 0, 0, False, (2, None), [0, 1]),
        (9, 2, 0, False, (2, None), []),
        (1, 0, 0, True, (2, None), []),
        (9, 5, 0, True, (5, None), []),  # more than this severity has: it was graded down
        (9, 0, None, False, (0, None), []),  # nobody was called yet
        (9, 0, 8.5, False, (0, 9.5), []),
    ],
)
def test_what_was_not_shown_is_called_once_more_and_rests_when_it_was(minute, called, since, shown, expected, calls):
    floor = Floor()
    calling_since = None if since is None else at(since)

    done, next_at = not_shown(CHECKS, called, calling_since=calling_since, shown=shown, now=at(minute), reach=floor)

    assert (done, next_at and (next_at - MONDAY).total_seconds() / 60) == expected
    assert [place for place, _ in floor.called] == calls
