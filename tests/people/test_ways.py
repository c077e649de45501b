"""In which order somebody is reached."""

import pytest

from app.people.models import Person
from app.people.ways import USUAL, in_order


@pytest.mark.parametrize(
    ("wanted", "has", "order"),
    [
        ([], ["sms", "email", "webpush"], ["webpush", "email", "sms"]),
        (["email"], ["sms", "email", "webpush"], ["email", "webpush", "sms"]),
        (["sms", "ntfy"], ["sms", "email", "webpush"], ["sms", "webpush", "email"]),
        (["sms", "email", "webpush"], ["webpush", "sms", "email"], ["sms", "email", "webpush"]),
        (["pigeon"], ["smoke", "webpush", "flags"], ["webpush", "flags", "smoke"]),
        (["email", "email"], ["email", "email"], ["email"]),
        ([], [], []),
    ],
)
def test_first_as_wanted_then_as_is_usual_then_what_nobody_ranked(wanted, has, order):
    assert in_order(Person(name="Wang Lei", ways=wanted), has) == order


def test_what_costs_money_comes_last():
    assert USUAL[0] == "webpush"
    assert USUAL[-2:] == ("sms", "voice")
