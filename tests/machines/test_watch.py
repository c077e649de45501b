"""Many alarms on many tags: who is judged by which value, and when to look again."""

from datetime import UTC, datetime, timedelta
from math import nan
from uuid import UUID

import pytest

from app.machines.rules import BAD, GOOD, Kind, Rule, Sample, State
from app.machines.watch import Alarm, Edge, Watch

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEMP, DOOR, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def alarm(number: int, tag: UUID, kind: str, **fields: object) -> Alarm:
    rule = Rule(UUID(int=number), Kind(kind), **fields)  # type: ignore[arg-type]
    return Alarm(rule, source_id=UUID(int=90), tag_id=tag, station_id=UUID(int=91), tag={"en": "Temp"})


def good(tag: UUID, value: object, second: float) -> tuple[UUID, Sample]:
    return tag, Sample(value, GOOD, at(second))


def seen(edges: list[Edge]) -> list[tuple[int, bool]]:
    return [(edge.alarm.rule.id.int, edge.transition.active) for edge in edges]


WARM = alarm(10, TEMP, "high", setpoint=80.0)
HOT = alarm(11, TEMP, "high", setpoint=100.0, on_delay=5)
OPEN = alarm(12, DOOR, "discrete")
LOST = alarm(13, TEMP, "stale", on_delay=30)
INVALID = alarm(14, TEMP, "bad_status")


def test_a_value_is_judged_by_all_alarms_of_its_tag_and_no_other():
    watch = Watch([WARM, HOT, OPEN], {}, now=NOON)

    edges = watch.take([good(TEMP, 120.0, 0), good(OTHER, 999.0, 0), good(DOOR, False, 0)], now=at(0))

    assert seen(edges) == [(10, True)]
    assert watch.due == at(5)
    assert seen(watch.tick(now=at(4))) == []
    assert seen(watch.tick(now=at(5))) == [(11, True)]
    assert watch.due is None


def test_of_a_batch_every_value_counts_in_its_order():
    watch = Watch([OPEN], {}, now=NOON)

    edges = watch.take([good(DOOR, value, n) for n, value in enumerate([True, False, True])], now=at(3))

    assert seen(edges) == [(12, True), (12, False), (12, True)]
    assert [edge.transition.number for edge in edges] == [1, 2, 3]


def test_a_delay_that_was_broken_off_strikes_in_vain():
    watch = Watch([HOT], {}, now=NOON)
    watch.take([good(TEMP, 120.0, 0)], now=at(0))
    watch.take([good(TEMP, 20.0, 3)], now=at(3))
    watch.take([good(TEMP, 120.0, 4)], now=at(4))

    assert seen(watch.tick(now=at(5))) == []
    assert watch.due == at(9)
    assert seen(watch.tick(now=at(9))) == [(11, True)]


def test_what_is_known_from_before_the_restart_is_no_news_and_clears():
    watch = Watch([WARM], {WARM.rule.id: State(True, at(-100), None, 7)}, now=NOON)

    assert watch.take([good(TEMP, 95.0, 0)], now=at(0)) == []
    (edge,) = watch.take([good(TEMP, 20.0, 1)], now=at(1))
    assert (edge.transition.active, edge.transition.number) == (False, 8)


def test_silence_holds_process_alarms_and_raises_the_lost_signal_after_its_delay():
    watch = Watch([WARM, INVALID, LOST], {}, now=NOON)
    watch.take([good(TEMP, 95.0, 0)], now=at(0))

    assert watch.silence(status="BadNoCommunication", now=at(10)) == []
    assert watch.silence(status="BadNoCommunication", now=at(20)) == []
    assert seen(watch.tick(now=at(40))) == [(13, True)]
    assert seen(watch.take([good(TEMP, 95.0, 50)], now=at(50))) == [(13, False)]


def test_nothing_heard_at_the_start_is_a_lost_signal_once_the_link_has_failed():
    watch = Watch([WARM, LOST], {}, now=NOON)

    assert watch.due is None
    watch.silence(status="BadNoCommunication", now=at(1))
    assert seen(watch.tick(now=at(31))) == [(13, True)]


@pytest.mark.parametrize("odd", ["hot", True, None, nan, [1.0]])
def test_a_value_that_is_no_number_is_bad_where_a_number_is_due(odd):
    watch = Watch([WARM, INVALID], {}, now=NOON)

    assert seen(watch.take([good(TEMP, 95.0, 0)], now=at(0))) == [(10, True)]
    (edge,) = watch.take([good(TEMP, odd, 1)], now=at(1))

    assert edge.alarm is INVALID
    assert edge.transition.sample.quality is BAD
    assert edge.transition.sample.status == "BadTypeMismatch"


@pytest.mark.parametrize("odd", ["open", 7, 0.5, None])
def test_a_value_that_is_neither_on_nor_off_is_bad_where_that_is_due(odd):
    invalid = alarm(15, DOOR, "bad_status")
    watch = Watch([OPEN, invalid], {}, now=NOON)

    assert seen(watch.take([good(DOOR, odd, 0)], now=at(0))) == [(15, True)]


def test_new_limits_count_at_once_and_what_is_known_stays():
    watch = Watch([WARM, OPEN], {}, now=NOON)
    watch.take([good(TEMP, 95.0, 0), good(DOOR, True, 0)], now=at(0))

    stricter = alarm(11, TEMP, "high", setpoint=90.0)
    looser = alarm(10, TEMP, "high", setpoint=96.0)

    assert seen(watch.change([looser, stricter, OPEN], {}, now=at(1))) == [(10, False), (11, True)]
    assert watch.take([good(DOOR, True, 2)], now=at(2)) == []


def test_an_alarm_on_a_tag_not_yet_read_waits_for_its_first_value():
    watch = Watch([OPEN], {}, now=NOON)

    impatient = alarm(13, TEMP, "stale")

    assert watch.change([OPEN, impatient], {}, now=at(1)) == []
    assert watch.take([good(TEMP, 1.0, 2)], now=at(2)) == []


def test_a_clock_turned_back_does_not_stop_a_delay():
    watch = Watch([HOT], {}, now=NOON)
    watch.take([good(TEMP, 120.0, 0)], now=at(0))

    watch.tick(now=at(-3600))

    assert watch.due == at(-3595)
    assert seen(watch.tick(now=at(-3595))) == [(11, True)]
