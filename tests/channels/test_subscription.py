"""What a browser hands us is user input."""

import pytest

from app.channels.hosts import PushHosts
from app.channels.subscription import BadSubscription, UnknownPushService, check_subscription

# The key and secret of RFC 8291's own example.
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
GOOD = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/abc:def",
    "expirationTime": None,
    "keys": {"p256dh": P256DH, "auth": AUTH},
}


def keys(**changes: object) -> dict[str, object]:
    return GOOD | {"keys": {"p256dh": P256DH, "auth": AUTH} | changes}


def test_only_what_a_message_needs_is_kept():
    assert check_subscription(GOOD | {"surprise": 1}, PushHosts()) == {
        "endpoint": "https://fcm.googleapis.com/fcm/send/abc:def",
        "keys": {"p256dh": P256DH, "auth": AUTH},
    }


def test_padding_is_taken_off():
    checked = check_subscription(keys(p256dh=P256DH + "=", auth=AUTH + "=="), PushHosts())
    assert checked["keys"] == {"p256dh": P256DH, "auth": AUTH}


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "https://fcm.googleapis.com/x",
        {},
        {"endpoint": GOOD["endpoint"]},
        GOOD | {"endpoint": 7},
        GOOD | {"endpoint": ""},
        GOOD | {"endpoint": "https://fcm.googleapis.com/\x00"},
        GOOD | {"endpoint": "https://fcm.googleapis.com/x#y"},
        GOOD | {"endpoint": "https://fcm.googleapis.com/" + "x" * 1000},
        GOOD | {"keys": None},
        keys(p256dh=None),
        keys(p256dh=""),
        keys(p256dh=P256DH[:-4]),
        keys(p256dh=P256DH + "AAAA"),
        keys(p256dh="B" + "A" * 86),  # 65 bytes, but on no curve
        keys(p256dh="C" + P256DH[1:]),
        keys(p256dh="!" * 87),
        keys(p256dh="B" * 100_000),
        keys(auth="BTBZ"),
        keys(auth=AUTH + "AA"),
        keys(auth="A"),
        keys(auth="é" * 22),
    ],
)
def test_what_cannot_work_is_not_stored(sent):
    with pytest.raises(BadSubscription):
        check_subscription(sent, PushHosts())


@pytest.mark.parametrize(
    "endpoint",
    ["https://127.0.0.1/x", "http://localhost:8000/admin", "https://[::1]/x", "https://evil.example/x"],
)
def test_a_stranger_is_not_called_and_the_sentence_names_it(endpoint):
    with pytest.raises(UnknownPushService) as caught:
        check_subscription(GOOD | {"endpoint": endpoint}, PushHosts())

    assert caught.value.details["host"] in endpoint
    assert "Nothing was stored" in str(caught.value)


def test_an_installation_may_allow_its_own():
    own = GOOD | {"endpoint": "http://127.0.0.1:9100/wpush/v2/abc"}
    assert check_subscription(own, PushHosts(["127.0.0.1:9100"]))["endpoint"] == own["endpoint"]
