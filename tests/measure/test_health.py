"""Figures against their benchmarks: enumerated."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.machines.proposals import Numbers, Proposal
from app.machines.replay import BackTest
from app.measure import words
from app.measure.health import Behaviour, Row, Verdict, figures, judge, load, spark, totals

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
NEXT = MONDAY + timedelta(days=7)
FIRST = int(MONDAY.timestamp()) // 600
A, B, HERE = UUID(int=1), UUID(int=2), UUID(int=9)


def row(key: UUID, period: int, alarms: int) -> Row:
    return Row(key, HERE, FIRST + period, alarms)


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("per_day", 150, "good"),
        ("per_day", 151, "edge"),
        ("per_day", 301, "bad"),
        ("per_hour", 6, "good"),
        ("per_hour", 12.5, "bad"),
        ("per_ten_minutes", 1.5, "edge"),
        ("peak", 10, "good"),
        ("peak", 11, "edge"),
        ("flood_share", 0.009, "good"),
        ("flood_share", 0.06, "bad"),
        ("worst_share", 0.05, "good"),
        ("chattering", 0, "good"),
        ("chattering", 1, "bad"),
        ("fleeting", 1, "bad"),
        ("stale", 4, "good"),
        ("stale", 5, "edge"),
        ("urgent_share", 0.06, "good"),
        ("urgent_share", 0.2, "bad"),
    ],
)
def test_each_figure_has_its_benchmark(name, value, verdict):
    assert judge(name, value) == verdict


def test_a_quiet_week_with_one_flood():
    found = load([(FIRST, 40), (FIRST + 5, 3), (FIRST + 5, 6)], since=MONDAY, until=NEXT)

    assert (found.alarms, found.per_day, found.peak) == (49, 7, 40)
    assert found.flood_share == pytest.approx(1 / (7 * 144))
    assert found.verdict is Verdict.BAD


def test_nothing_at_all_is_good():
    found = {one.name: one for one in figures([], {}, {}, stale=0, since=MONDAY, until=NEXT)}

    assert {one.verdict for name, one in found.items() if name != "worst_share"} == {Verdict.GOOD}
    assert words.overall(list(found.values()))[0] is Verdict.GOOD


def test_the_worst_come_first_and_ten_of_ten_say_nothing():
    rows = [row(A, 0, 2), row(B, 0, 5), row(A, 1, 4)]

    assert totals(rows) == [(A, 6), (B, 5)]
    behaviour = {A: Behaviour(6, 3, 1), B: Behaviour(5, 0, 0)}
    found = {one.name: one for one in figures(rows, behaviour, {1: 6, 4: 5}, stale=0, since=MONDAY, until=NEXT)}
    assert (found["worst_share"].value, found["worst_share"].verdict) == (1, Verdict.OPEN)
    assert (found["chattering"].value, found["fleeting"].value) == (1, 1)
    assert found["urgent_share"].verdict is Verdict.BAD


def test_ten_of_many():
    rows = [row(UUID(int=n), n, 1) for n in range(100, 300)]

    found = {one.name: one for one in figures(rows, {}, {}, stale=0, since=MONDAY, until=NEXT)}

    assert (found["worst_share"].value, found["worst_share"].verdict) == (0.05, Verdict.GOOD)


def test_bars_hold_everything_from_the_first_to_the_last_moment():
    bars = spark([row(A, 0, 1), row(A, 7 * 144 - 1, 2), row(A, 7 * 144, 4), row(A, -1, 8)], since=MONDAY, until=NEXT)

    assert (len(bars), bars[0], bars[-1], sum(bars)) == (56, 9, 6, 15)


def proposal(removed: int, real: int, later: float) -> Proposal:
    return Proposal(Numbers(0, 5, 0), 412, removed, real, later, MONDAY, MONDAY + timedelta(days=1))


def test_a_proposal_says_what_it_would_have_done_and_what_it_costs():
    said = " ".join(words.outcome(proposal(393, 19, 7.4)))

    assert said == (
        "In the last 24 hours it would have removed 393 of 412 alarms. "
        "All 19 real events would still be told, none more than 8 s later."
    )
    assert words.outcome(proposal(412, 0, 0))[1] == "There was no real event among them."
    assert words.outcome(proposal(411, 1, 0))[1] == "The 1 real event would still be told, no later than now."


def test_it_names_only_the_numbers_that_change():
    assert words.changed(Numbers(0, 0, 5), Numbers(2.5, 8, 5), "°C") == (
        "On-delay 8 s instead of 0 s, Dead-band 2.5 °C instead of 0 °C"
    )


@pytest.mark.parametrize(
    ("days", "alarms", "close", "said"),
    [
        (7, 7, 5, "Would have fired 7 times in the last 7 days, 5 of them within a minute of another."),
        (7, 1, 0, "Would have fired 1 time in the last 7 days."),
        (0.5, 2, 1, "Would have fired 2 times in the last 12 hours, 1 of them within a minute of another."),
        (7, 0, 0, "Would not have fired in the last 7 days."),
        (0.1, 0, 0, "Would not have fired in the last 2 hours."),
    ],
)
def test_a_back_test_in_one_sentence(days, alarms, close, said):
    assert words.tested(BackTest(MONDAY, MONDAY + timedelta(days=days), 9, alarms, close, 0)) == said


@pytest.mark.parametrize(("value", "said"), [(0, "0"), (0.42, "0.4"), (12, "12"), (150.4, "150"), (1234.5, "1234")])
def test_numbers_have_no_more_digits_than_they_are_worth(value, said):
    assert words.number(value) == said


@pytest.mark.parametrize(("part", "said"), [(0, "0 %"), (0.004, "0.4 %"), (0.38, "38 %"), (1, "100 %")])
def test_shares(part, said):
    assert words.percent(part) == said
