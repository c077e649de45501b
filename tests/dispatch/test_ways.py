"""Over which ways one is called: one's own order, the first that works, what the rung adds, and what is left."""

import pytest

from app.dispatch.ways import ways
from app.kit.ids import new_id
from app.people.models import Address, Person
from tests.factories import MONDAY

ALL = {"webpush", "stream", "email", "sms", "voice", "ntfy", "log"}


def over(*kinds: str, channels: set[str] = ALL, ways_of: tuple[str, ...] = (), email: str = "", **how) -> list[str]:
    somebody = Person(id=new_id(), site_id=new_id(), name="Li Wei", ways=list(ways_of), email=email)
    times = {"created_at": MONDAY, "seen_at": MONDAY}
    known = [
        Address(id=new_id(), person_id=somebody.id, channel=kind, fingerprint=str(n), target={}, **times)
        for n, kind in enumerate(kinds)
    ]
    return [channel for channel, _ in ways(somebody, known, channels, **how)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["stream", "webpush"]),
        ({"ways_of": ("sms",)}, ["stream", "sms"]),
        ({"ways_of": ("no such way", "voice", "sms")}, ["stream", "voice"]),
        ({"added": {"sms"}}, ["stream", "webpush", "sms"]),
        ({"added": {"webpush", "email"}}, ["stream", "webpush"]),
        ({"used": {"stream", "webpush"}}, ["sms"]),
        ({"used": {"stream", "webpush"}, "added": {"voice"}}, ["sms", "voice"]),
        ({"used": {"stream", "webpush", "sms", "voice"}, "added": {"sms"}}, []),
        ({"muted": True}, ["stream"]),
        ({"muted": True, "added": {"sms"}}, ["stream"]),
        ({"channels": {"sms", "log"}}, ["sms"]),
    ],
)
def test_who_has_a_phone_and_a_number(asked, expected):
    assert over("voice", "webpush", "sms", **asked) == expected


def test_all_phones_of_the_channel_ring():
    assert over("webpush", "sms", "webpush") == ["stream", "webpush", "webpush"]


def test_a_mail_reaches_who_has_nothing_better():
    assert over(email="li@plant.test") == ["stream", "email"]
    assert over("webpush", email="li@plant.test") == ["stream", "webpush"]


def test_nobody_hears_it_but_it_is_on_record():
    assert over() == ["stream", "log"]
    assert over(used={"stream", "log"}) == []
    assert over(channels={"stream"}) == ["stream"]
