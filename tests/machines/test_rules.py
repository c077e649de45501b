"""Every case of the pure decision: is it an alarm, since when, and when to look again."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf, nan
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.machines.rules import BAD, GOOD, SILENT, BadRule, Kind, Rule, Sample, State, evaluate, next_due

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ID = UUID(int=7)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def rule(kind: str, **fields: object) -> Rule:
    return Rule(ID, Kind(kind), **fields)  # type: ignore[arg-type]


def play(watched: Rule, *steps: tuple[float, object], state: State | None = None) -> list[tuple[float, bool]]:
    """Show values, one after the other, at their seconds. Return the edges with their seconds.

    `bad` and `silent` stand for no value; between two steps the clock strikes whenever `next_due` asks for it.
    """
    state, edges, sample = state or State(), [], None

    def look(now: datetime) -> None:
        nonlocal state
        state, edge = evaluate(watched, state, sample, now=now)
        if edge:
            edges.append(((edge.at - NOON).total_seconds(), edge.active))

    for second, value in steps:
        while sample and (due := next_due(watched, state, sample)) and due < at(second):
            before = state
            look(due)
            assert state != before, "a timer that has no effect strikes for ever"
        if value == "wait":
            continue
        quality = {"bad": BAD, "silent": SILENT}.get(value, GOOD) if isinstance(value, str) else GOOD
        sample = Sample(value, quality, at(second))
        look(at(second))
    return edges


HIGH = {"setpoint": 80.0, "deadband": 5.0}
LOW = {"setpoint": 20.0, "deadband": 5.0}


@pytest.mark.parametrize(
    ("watched", "steps", "edges"),
    [
        # A limit is left when the value is beyond it, not when it is on it; it is back when past the dead-band.
        (rule("high", **HIGH), [(0, 80.0), (1, 80.1)], [(1, True)]),
        (rule("high", **HIGH), [(0, 81.0), (1, 80.0), (2, 75.1), (3, 75.0)], [(0, True), (3, False)]),
        (rule("high", **HIGH), [(0, 81.0), (1, 74.0), (2, 78.0)], [(0, True), (1, False)]),
        (rule("low", **LOW), [(0, 20.0), (1, 19.9)], [(1, True)]),
        (rule("low", **LOW), [(0, 19.0), (1, 20.0), (2, 24.9), (3, 25.0)], [(0, True), (3, False)]),
        (rule("high", setpoint=0), [(0, 0), (1, 1), (2, 0)], [(1, True), (2, False)]),
        # On or off.
        (rule("discrete"), [(0, False), (1, True), (2, False)], [(1, True), (2, False)]),
        (rule("discrete", active_when=False), [(0, True), (1, False), (2, True)], [(1, True), (2, False)]),
        (rule("discrete"), [(0, 0), (1, 1), (2, 0)], [(1, True), (2, False)]),
        # On-delay: it rises when the delay is over, without a further value, and not if the value came back.
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (60, "wait")], [(10, True)]),
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (9, 79.0), (60, "wait")], []),
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (9, 79.0), (12, 90.0), (60, "wait")], [(22, True)]),
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (5, 95.0), (60, "wait")], [(10, True)]),
        # Off-delay: the same, backwards.
        (rule("high", **HIGH, off_delay=10), [(0, 90.0), (5, 20.0), (60, "wait")], [(0, True), (15, False)]),
        (rule("high", **HIGH, off_delay=10), [(0, 90.0), (5, 20.0), (9, 90.0), (60, "wait")], [(0, True)]),
        (
            rule("discrete", on_delay=2, off_delay=3),
            [(0, True), (5, False), (60, "wait")],
            [(2, True), (8, False)],
        ),
        # Bad quality holds: it raises nothing, clears nothing, and lets no delay pass until it is over.
        (rule("high", **HIGH), [(0, "bad"), (1, 50.0)], []),
        (rule("high", **HIGH), [(0, 90.0), (1, "bad"), (2, "silent"), (60, "wait")], [(0, True)]),
        (rule("high", **HIGH), [(0, 90.0), (1, "bad"), (2, 50.0)], [(0, True), (2, False)]),
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (5, "bad"), (60, "wait")], []),
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (5, "hot"), (60, "wait")], []),
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (5, "bad"), (12, 90.0)], [(12, True)]),
        (rule("high", **HIGH, on_delay=10), [(0, 90.0), (5, "bad"), (12, 50.0), (60, "wait")], []),
        # So does what is no value to compare.
        *[
            (rule("high", **HIGH), [(0, 90.0), (1, odd), (2, 90.0)], [(0, True)])
            for odd in (nan, inf, -inf, "hot", None, True, [90.0], {"v": 1}, b"x", ())
        ],
        *[
            (rule("discrete"), [(0, True), (1, odd)], [(0, True)])
            for odd in (2, -1, 0.0, 1.0, nan, "true", None, [True])
        ],
        # Bad status, by what the server says of the value; nobody saying anything is not its business.
        (rule("bad_status", on_delay=5), [(0, 1.0), (10, "bad"), (60, "wait")], [(15, True)]),
        (rule("bad_status", on_delay=5), [(0, "bad"), (4, 1.0), (60, "wait")], []),
        (rule("bad_status"), [(0, "bad"), (4, 1.0)], [(0, True), (4, False)]),
        (rule("bad_status"), [(0, "bad"), (4, "silent"), (60, "wait")], [(0, True)]),
        (rule("bad_status"), [(0, "silent"), (60, "wait")], []),
        # Stale: no usable value, for whatever reason; it is never "all good".
        (rule("stale", on_delay=30), [(0, 1.0), (10, "silent"), (90, "wait")], [(40, True)]),
        (rule("stale", on_delay=30), [(0, 1.0), (10, "bad"), (20, "silent"), (90, "wait")], [(40, True)]),
        (rule("stale", on_delay=30), [(0, "silent"), (29, 1.0), (90, "wait")], []),
        (rule("stale", on_delay=30), [(0, "silent"), (50, 1.0)], [(30, True), (50, False)]),
        (rule("stale"), [(0, 1.0), (3600, "wait")], []),
        # Stale by age: the source still answers, but has not stamped the value for too long.
        (rule("stale", setpoint=20), [(0, 1.0), (60, "wait")], [(20, True)]),
        (rule("stale", setpoint=20, on_delay=5), [(0, 1.0), (60, "wait")], [(25, True)]),
        (rule("stale", setpoint=20), [(0, 1.0), (19, 1.0), (38, 1.0)], []),
        (rule("stale", setpoint=20), [(0, 1.0), (30, 1.0)], [(20, True), (30, False)]),
        # Huge integers are numbers too.
        (rule("high", **HIGH), [(0, 10**400)], [(0, True)]),
    ],
)
def test_each_case(watched, steps, edges):
    assert play(watched, *steps) == edges


def test_an_alarm_known_from_before_clears_when_the_value_is_back():
    known = State(active=True, since=at(-100), changes=5)

    assert play(rule("high", **HIGH), (0, 90.0), (1, 50.0), state=known) == [(1, False)]


def test_it_began_when_the_source_says_so():
    watched = rule("high", **HIGH, on_delay=10)

    state, edge = evaluate(watched, State(), Sample(90.0, GOOD, at(-30)), now=at(0))

    assert edge is not None
    assert (edge.since, edge.at, edge.number) == (at(-30), at(0), 1)
    assert state == State(active=True, since=at(-30), changes=1)


@pytest.mark.parametrize("stamp", [at(5), at(-3601), datetime(1601, 1, 1, tzinfo=UTC)])
def test_a_time_stamp_that_cannot_be_true_is_not_believed(stamp):
    _, edge = evaluate(rule("high", **HIGH), State(), Sample(90.0, GOOD, stamp), now=at(0))

    assert edge is not None
    assert edge.since == at(0)


def test_a_clock_turned_back_does_not_stretch_a_delay():
    watched, sample = rule("high", **HIGH, on_delay=10), Sample(90.0, GOOD, at(0))
    state, _ = evaluate(watched, State(), sample, now=at(0))

    earlier = at(-7200)
    state, _ = evaluate(watched, state, sample, now=earlier)

    assert next_due(watched, state, sample) == earlier + timedelta(seconds=10)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "high"},
        {"kind": "low"},
        {"kind": "high", "setpoint": nan},
        {"kind": "low", "setpoint": inf},
        {"kind": "high", "setpoint": 1, "deadband": -1},
        {"kind": "discrete", "on_delay": -1},
        {"kind": "discrete", "off_delay": nan},
        {"kind": "stale", "setpoint": 0},
        {"kind": "stale", "setpoint": -5},
    ],
)
def test_a_rule_that_cannot_work_is_refused(fields):
    with pytest.raises(BadRule):
        rule(**fields)


values = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3), st.just("bad"), st.just("silent")
)
rules = st.builds(
    rule,
    st.sampled_from([Kind.HIGH, Kind.LOW, Kind.DISCRETE, Kind.BAD_STATUS, Kind.STALE]),
    setpoint=st.floats(min_value=0.5, max_value=100),
    deadband=st.floats(min_value=0, max_value=10),
    on_delay=st.floats(min_value=0, max_value=100),
    off_delay=st.floats(min_value=0, max_value=100),
)


@given(rules, st.lists(st.tuples(st.floats(min_value=0.1, max_value=50), values), max_size=30))
def test_whatever_comes_edges_alternate_are_numbered_and_delays_are_kept(watched, history):
    second, steps = 0.0, []
    for rest, value in history:
        second += rest
        steps.append((second, value))

    edges = play(watched, *steps, (second + 1000, "wait"))

    assert [active for _, active in edges] == [n % 2 == 0 for n in range(len(edges))]
    for (before, _), (after, active) in pairwise(edges):
        assert after - before >= (watched.on_delay if active else watched.off_delay) - 1e-5


@given(rules, values, st.booleans(), st.floats(min_value=0, max_value=100))
def test_what_was_known_is_not_changed_and_looking_again_changes_nothing(watched, value, active, seconds):
    before = State(active, at(-1), None, 3)
    sample = Sample(value, GOOD, at(0))

    once, edge = evaluate(watched, before, sample, now=at(seconds))
    twice, again = evaluate(watched, once, sample, now=at(seconds))

    assert before == State(active, at(-1), None, 3)
    assert again is None or edge is None
    assert twice == once or again is not None


@given(rules, values, values, st.floats(min_value=0, max_value=100))
def test_a_timer_that_strikes_has_its_effect(watched, first, then, seconds):
    """Otherwise it would strike for ever."""
    state, _ = evaluate(watched, State(), Sample(first, GOOD, at(0)), now=at(0))
    sample = Sample(then, GOOD, at(seconds))
    state, _ = evaluate(watched, state, sample, now=at(seconds))
    if (due := next_due(watched, state, sample)) is None:
        return

    later, _ = evaluate(watched, state, sample, now=due)

    assert due >= at(seconds)
    assert later != state
