"""The table of the life of an anomaly, row by row; and everything that is not in it."""

import pytest

from app.anomaly.actions import CLOCKS, REACHED
from app.anomaly.lifecycle import (
    OPEN,
    OWNED,
    STATUS_WORDS,
    TRANSITIONS,
    Action,
    NotAllowedNow,
    OwnedByOther,
    Status,
    allowed,
    next_status,
)

S, A = Status, Action

LEAVES_BY = {
    S.REPORTED: {A.ACCEPT: S.ACCEPTED, A.CANCEL: S.CANCELLED},
    S.ACCEPTED: {
        A.ARRIVE: S.ON_SITE,
        A.RESOLVE: S.RESOLVED,
        A.HAND_OVER: S.ACCEPTED,
        A.RELEASE: S.REPORTED,
        A.CANCEL: S.CANCELLED,
    },
    S.ON_SITE: {
        A.CONTAIN: S.CONTAINED,
        A.RESOLVE: S.RESOLVED,
        A.HAND_OVER: S.ON_SITE,
        A.RELEASE: S.REPORTED,
        A.CANCEL: S.CANCELLED,
    },
    S.CONTAINED: {A.RESOLVE: S.RESOLVED, A.HAND_OVER: S.CONTAINED, A.RELEASE: S.REPORTED},
    S.RESOLVED: {A.VERIFY: S.WATCHING, A.SEND_BACK: S.ACCEPTED},
    S.WATCHING: {A.RECUR: S.REPORTED, A.CLOSE: S.CLOSED},
    S.CLOSED: {A.RECUR: S.REPORTED},
    S.CANCELLED: {},
}


@pytest.mark.parametrize("status", Status)
def test_each_status_is_left_as_the_design_says(status):
    assert {action: next_status(status, action) for action in allowed(status)} == LEAVES_BY[status]


@pytest.mark.parametrize(("status", "action"), [(s, a) for s in Status for a in Action if (s, a) not in TRANSITIONS])
def test_everything_else_is_refused(status, action):
    assert next_status(status, action) is None


def test_every_status_can_be_reached_and_every_action_leads_somewhere():
    assert {S.REPORTED, *TRANSITIONS.values()} == set(Status)
    assert {action for _, action in TRANSITIONS} == set(Action)


def test_nothing_is_ever_verified_without_having_been_resolved():
    assert [before for (before, _), after in TRANSITIONS.items() if after == S.WATCHING] == [S.RESOLVED]
    assert {before for (before, _), after in TRANSITIONS.items() if after == S.CLOSED} == {S.WATCHING}


def test_what_has_ended_waits_for_no_clock_and_everything_else_does():
    assert {status for status, clock in CLOCKS.items() if clock is None} == {S.CLOSED, S.CANCELLED}
    assert set(CLOCKS) == set(Status)


def test_open_owned_and_ended_are_told_apart():
    assert OWNED < OPEN
    assert set(Status) - OPEN == {S.WATCHING, S.CLOSED, S.CANCELLED}
    assert set(REACHED) == set(Status) - {S.REPORTED}


@pytest.mark.parametrize("status", Status)
def test_a_refusal_names_the_owner_where_there_is_one(status):
    refusal = NotAllowedNow.of(status, "Wang Lei")

    assert isinstance(refusal, OwnedByOther) == (status in OWNED)
    assert refusal.details["status"] == STATUS_WORDS[status]
