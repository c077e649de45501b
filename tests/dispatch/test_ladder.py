"""When the next rung is due: after a restart, a standstill, a clock set back; each rung once and in its order."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.dispatch.ladder import again_after, look
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
