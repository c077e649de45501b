"""Forged requests and floods, told apart from our own forms and from a busy shift."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.guard import Limit, TooMany, same_origin

HOST = (b"host", b"plant.test")


@pytest.mark.parametrize(
    ("sent", "ours"),
    [
        ([], True),  # no browser: it carries nobody's cookie
        ([(b"sec-fetch-site", b"same-origin")], True),
        ([(b"sec-fetch-site", b"none")], True),  # typed, or from a bookmark
        ([(b"sec-fetch-site", b"same-site")], False),
        ([(b"sec-fetch-site", b"cross-site")], False),
        ([(b"sec-fetch-site", b"")], False),
        ([(b"sec-fetch-site", b"cross-site"), (b"origin", b"http://plant.test")], False),
        ([(b"origin", b"http://plant.test")], True),
        ([(b"origin", b"https://plant.test")], True),  # TLS may end before us
        ([(b"origin", b"http://plant.test:80")], False),
        ([(b"origin", b"http://evil.test")], False),
        ([(b"origin", b"http://plant.test.evil.test")], False),
        ([(b"origin", b"http://evil.test/plant.test")], False),
        ([(b"origin", b"http://plant.test@evil.test")], False),
        ([(b"origin", b"null")], False),
        ([(b"origin", b"")], False),
        ([(b"origin", b"\xff\xfe")], False),
    ],
)
def test_what_comes_from_our_own_pages(sent, ours):
    assert same_origin([HOST, *sent]) == ours


@pytest.mark.parametrize("origin", [b"", b"null", b"http://evil.test"])
def test_a_request_that_hides_its_host_is_not_ours(origin):
    assert not same_origin([(b"origin", origin)])


def test_a_limit_is_refilled_evenly():
    limit = Limit(60)
    for _ in range(60):
        limit.take("phone", at=100.0)
    with pytest.raises(TooMany):
        limit.take("phone", at=100.0)
    with pytest.raises(TooMany):
        limit.take("phone", at=100.5)

    limit.take("phone", at=101.1)
    limit.take("another phone", at=100.0)


def test_a_limit_is_not_confused_by_a_clock_set_back():
    limit = Limit(1)
    limit.take("phone", at=1000.0)

    with pytest.raises(TooMany):
        limit.take("phone", at=0.0)
    limit.take("phone", at=60.1)


def test_a_limit_forgets_the_oldest_rather_than_growing():
    limit = Limit(1)
    limit.KEYS = 100
    for n in range(1000):
        limit.take(f"phone {n}", at=0.0)

    assert len(limit._left) == 100


@given(st.lists(st.floats(0, 600, allow_nan=False), max_size=80).map(sorted))
def test_in_no_minute_more_than_two_minutes_worth_get_through(moments):
    limit, through = Limit(10), []
    for moment in moments:
        try:
            limit.take("phone", at=moment)
        except TooMany:
            continue
        through.append(moment)

    assert all(sum(start <= moment < start + 60 for moment in through) <= 20 for start in through)
