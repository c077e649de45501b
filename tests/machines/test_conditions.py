"""What events of a server's own alarms mean, in every order in which they may come. Pure."""

import itertools
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.machines.conditions import Known, Repeated, Step, Told, forgotten, identity, judge, key, severity
from app.machines.plan import LinkSettings

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
RISE, CLEAR, WORSE, BRANCH, ACKED = Step


def told(**fields) -> Told:
    """An alarm that is active and that nobody has acknowledged, but for what `fields` say."""
    alarm = {"active": True, "acked": False, "retain": True, "severity": 700}
    return Told(node="nsu=urn:maker;s=Jam", at=NOW, **{**alarm, **fields})


def steps(*events: Told, **how) -> list[list[Step]]:
    """What becomes of these, one after the other."""
    known, found = None, []
    for event in events:
        known, now = judge(known, event, **how)
        found.append(now)
    return found


@pytest.mark.parametrize(
    ("server", "ours"),
    [(1000, 1), (801, 1), (800, 2), (601, 2), (600, 3), (401, 3), (400, 4), (201, 4), (200, None), (1, None)],
)
def test_a_thousand_severities_are_four(server, ours):
    assert severity(server) == ours


@pytest.mark.parametrize(("server", "ours"), [(0, 4), (-5, 4), (65535, 1)])
def test_a_severity_that_does_not_exist_is_the_nearest(server, ours):
    assert severity(server, (900, 500, 300, 1)) == ours


@pytest.mark.parametrize("wrong", [(1, 2, 3, 4), (1002, 600, 400, 200), (800, 600, 400, 0)])
def test_severities_must_fall(wrong):
    with pytest.raises(ValueError):
        LinkSettings(severities=wrong)


def test_it_rises_and_returns():
    assert steps(told(), told(active=False, retain=False, acked=True)) == [[RISE], [CLEAR]]


def test_told_twice_it_is_told_once():
    assert steps(told(), told(), told()) == [[RISE], [], []]


def test_it_returns_before_anybody_has_acknowledged():
    assert steps(told(), told(active=False)) == [[RISE], [CLEAR]]


def test_worse_is_the_same_alarm():
    assert steps(told(severity=500), told(severity=900), told(severity=900)) == [[RISE], [WORSE], []]


def test_less_severe_says_nothing():
    assert steps(told(severity=900), told(severity=500), told(severity=700)) == [[RISE], [], []]


def test_below_the_least_severity_nobody_is_called_until_it_is_worse():
    assert steps(told(severity=100), told(severity=300)) == [[], [RISE]]


@pytest.mark.parametrize("hidden", ["shelved", "suppressed", "out_of_service"])
def test_what_somebody_put_aside_at_the_machine_calls_when_it_comes_back_from_there(hidden):
    assert steps(told(hidden=hidden), told()) == [[], [RISE]]
    assert steps(told(hidden=hidden), told(active=False, retain=False)) == [[], []]


def test_put_aside_while_it_stands_it_stands_until_it_clears():
    assert steps(told(), told(hidden="shelved"), told(active=False, hidden="shelved")) == [[RISE], [], [CLEAR]]


def test_shelved_here_it_is_kept_and_calls_nobody():
    known, found = judge(None, told(), shelved=True)
    assert (known.announced, found) == (False, [])
    assert judge(known, told())[1] == [RISE]


@pytest.mark.parametrize(
    "quiet",
    [
        {"active": False, "acked": True, "confirmed": False},  # only a confirmation is missing
        {"active": False, "acked": True},  # only kept
        {"active": False, "acked": False},  # over, and nobody saw it
        {"retain": False},
        {"enabled": False},
    ],
)
def test_what_is_not_active_is_no_call(quiet):
    assert steps(told(**quiet)) == [[]]


def test_switched_off_it_clears():
    assert steps(told(), told(enabled=False)) == [[RISE], [CLEAR]]


def test_a_condition_that_is_never_active_stands_until_it_is_acknowledged():
    assert steps(told(active=None), told(active=None, acked=True)) == [[RISE], [ACKED, CLEAR]]


def test_a_dialog_waits_for_its_answer():
    assert steps(told(active=None, acked=None, asks=True), told(active=None, acked=None, asks=False)) == [
        [RISE],
        [CLEAR],
    ]


def test_a_branch_calls_nobody_and_is_told_once():
    branch = {"branch": "nsu=urn:maker;s=Jam-1", "active": True}
    assert steps(told(**branch), told(**branch), told(**branch, acked=True), told(**branch, acked=True, retain=False)) == [
        [BRANCH], [], [ACKED], []
    ]  # fmt: skip


def test_acknowledged_is_told_once():
    assert steps(told(), told(acked=True), told(acked=True)) == [[RISE], [ACKED], []]


def test_acknowledged_after_it_has_cleared():
    assert steps(told(), told(active=False), told(active=False, acked=True)) == [[RISE], [CLEAR], [ACKED]]


def test_acknowledged_before_we_came_is_no_news():
    assert steps(told(acked=True)) == [[RISE]]


def test_what_a_refresh_does_not_repeat_is_over_but_branches_are_not():
    stands = [("a", ""), ("b", ""), ("b", "branch")]

    assert forgotten(stands, Repeated(frozenset({("a", "")}))) == [("b", "")]


def test_a_condition_is_one_by_server_condition_and_branch():
    oven, press = uuid4(), uuid4()
    names = [(s, n, b) for s in (oven, press) for n in ("a", "b") for b in ("", "1")]

    assert len({identity(*name) for name in names}) == len(names)
    assert identity(oven, "a") == identity(oven, "a")


def test_each_step_has_a_key_of_its_own_and_it_is_always_the_same():
    id_ = uuid4()
    told_of = list(itertools.product(Step, ("e1", "e2"), (1, 2)))
    keys = [key(id_, step, event_id=event, number=number, at=NOW) for step, event, number in told_of]

    assert len(set(keys)) == len(keys)
    assert keys == [key(id_, step, event_id=event, number=number, at=NOW) for step, event, number in told_of]
    assert {(one.version, one.int >> 80) for one in keys} == {(7, int(NOW.timestamp() * 1000))}


_ANYTHING = st.builds(
    told,
    active=st.sampled_from([True, False, None]),
    acked=st.sampled_from([True, False, None]),
    retain=st.sampled_from([True, False, None]),
    enabled=st.sampled_from([True, False, None]),
    severity=st.integers(0, 1100),
    hidden=st.sampled_from(["", "shelved"]),
)


@given(st.lists(_ANYTHING, max_size=30))
def test_whatever_comes_it_rises_and_clears_in_turn(events):
    edges = [step for now in steps(*events) for step in now if step in (RISE, CLEAR)]

    assert edges == [RISE if n % 2 == 0 else CLEAR for n in range(len(edges))]


@given(st.lists(_ANYTHING, max_size=15))
def test_telling_everything_twice_changes_nothing(events):
    twice = [event for event in events for _ in range(2)]

    assert [now for now in steps(*twice) if now] == [now for now in steps(*events) if now]


@given(st.lists(_ANYTHING, max_size=15), st.integers(0, 15))
def test_a_restart_in_between_changes_nothing(events, at):
    known = None
    for event in events[:at]:
        known, _ = judge(known, event)
    stored = None if known is None else Known(known.announced, known.level, known.acked, known.changes)

    assert [judge(stored, event) for event in events[at : at + 1]] == [
        judge(known, event) for event in events[at : at + 1]
    ]
