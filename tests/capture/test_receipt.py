"""The steps of a receipt, from the status and what has happened."""

from datetime import timedelta

import pytest

from app.anomaly.lifecycle import Status
from app.anomaly.models import Event
from app.capture.receipt import steps
from tests.factories import MONDAY

S = Status
HAPPENED = ["called", "accept", "arrive", "resolve", "verify"]


def events(*kinds: str) -> list[Event]:
    return [
        Event(kind=kind, at=MONDAY + timedelta(minutes=n + 1), by="Li Wei", details={"called": ["Li Wei", "Wang Lei"]})
        for n, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("status", "happened", "states"),
    [
        (S.REPORTED, 0, "done now todo todo todo todo"),
        (S.REPORTED, 1, "done done now todo todo todo"),
        (S.ACCEPTED, 2, "done done done now todo todo"),
        (S.ON_SITE, 3, "done done done done now todo"),
        (S.CONTAINED, 3, "done done done done now todo"),
        (S.RESOLVED, 4, "done done done done done now"),
        (S.WATCHING, 5, "done done done done done done"),
        (S.CLOSED, 5, "done done done done done done"),
    ],
)
def test_each_status_has_its_steps(status, happened, states):
    found = steps(status, MONDAY, events(*HAPPENED[:happened]))

    assert [step.kind for step in found] == ["received", "called", "accepted", "on_site", "fixed", "checked"]
    assert " ".join(step.state for step in found) == states


def test_each_step_has_the_time_and_the_name_of_its_event():
    found = steps(S.WATCHING, MONDAY, events(*HAPPENED))

    assert [step.at for step in found] == [MONDAY + timedelta(minutes=n) for n in range(6)]
    assert [step.names for step in found] == ["", "Li Wei, Wang Lei", *["Li Wei"] * 4]


def test_what_was_called_off_ends_there():
    assert [(step.kind, step.state) for step in steps(S.CANCELLED, MONDAY, events("called", "cancel"))] == [
        ("received", "done"),
        ("cancelled", "bad"),
    ]


def test_sent_back_it_is_on_its_way_again():
    found = steps(S.ACCEPTED, MONDAY, events("called", "accept", "arrive", "resolve", "send_back"))

    told = ["received", "called", "accepted", "sent_back", "on_site", "fixed", "checked"]
    assert [step.kind for step in found] == told
    assert " ".join(step.state for step in found) == "done done done done now todo todo"


def test_what_happens_beside_the_road_is_told_in_its_place():
    found = steps(S.CONTAINED, MONDAY, events("called", "accept", "hold", "arrive", "contain"))

    told = ["received", "called", "accepted", "held", "on_site", "contained", "fixed", "checked"]
    assert [step.kind for step in found] == told


def test_everybody_is_named_once_and_the_first_call_counts():
    found = steps(S.REPORTED, MONDAY, events("called", "called"))

    assert (found[1].names, found[1].at) == ("Li Wei, Wang Lei", MONDAY + timedelta(minutes=1))


def test_nobody_on_duty_is_not_yet_called():
    nobody = Event(kind="nobody", at=MONDAY, by="", details={"called": []})

    assert steps(S.REPORTED, MONDAY, [nobody])[1].state == "now"
