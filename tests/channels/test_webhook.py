"""The signed webhook against a receiver that verifies with the standard's own library, and against traps inside."""

import json
import socket

import pytest
from standardwebhooks import Webhook as Verifier

from app.channels import inside, outbound, webhook
from app.channels.base import Item, Undeliverable
from app.channels.hosts import BadPushSetting
from app.channels.inside import Inside
from app.channels.targets import BadSecret, BadWebhook, check_webhook, new_secret
from app.channels.webhook import Webhook
from tests.channels.letters import ANOMALY, message
from tests.channels.provider import Asked, Provider

SECRET = new_secret()
PUBLIC = "93.184.216.34"


def verified(asked: Asked) -> tuple[int, object]:
    Verifier(SECRET).verify(asked.body, dict(asked.headers))
    return 204, ""


@pytest.fixture
async def receiver():
    async with Provider(verified) as receiver:
        yield receiver


@pytest.fixture
async def channel():
    channel = Webhook(Inside(["127.0.0.1"]))
    yield channel
    await channel.close()


async def test_a_program_reads_what_happened_and_can_trust_it(channel, receiver):
    sent = message()

    await channel.send(sent, {"url": f"{receiver.url}/hook?plant=1", "secret": SECRET})

    [asked] = receiver.asked
    said = json.loads(asked.body)
    assert (asked.path, asked.query) == ("/hook", {"plant": "1"})
    assert asked.headers["webhook-id"] == str(sent.delivery_id)
    assert said["type"] == "call"
    assert said["data"]["anomaly"] == ANOMALY
    assert (said["data"]["severity"], said["data"]["title"]) == (1, "[!!] Press 7 停线")
    assert "one-time-token" not in asked.body.decode()


async def test_sent_again_it_is_the_same_message(channel, receiver):
    sent = message(items=(Item("a", "https://pullcord.example/anomalies/1"),))

    for _ in range(2):
        await channel.send(sent, {"url": receiver.url, "secret": SECRET})

    first, second = receiver.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.json["type"] == "digest"


@pytest.mark.parametrize(
    ("status", "headers", "reason", "gone", "again"),
    [
        (410, {}, webhook.GONE, True, None),
        (400, {}, webhook.REFUSED, False, None),
        (302, {"Location": "http://127.0.0.1:1/"}, webhook.REFUSED, False, None),
        (429, {"Retry-After": "30"}, webhook.BUSY, False, 30),
        (503, {}, webhook.BUSY, False, 5),
    ],
)
async def test_every_answer_has_its_meaning(channel, receiver, status, headers, reason, gone, again):
    receiver.answers.append((status, "", headers))

    with pytest.raises(Undeliverable) as caught:
        await channel.send(message(), {"url": receiver.url, "secret": SECRET})

    assert (caught.value.reason, caught.value.gone, caught.value.retry_after) == (reason, gone, again)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/",
        "https://localhost:{port}/",
        "https://127.0.0.1:{port}/",
        "https://127.1:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://[64:ff9b::7f00:1]:{port}/",
        "https://0.0.0.0:{port}/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/",
        "https://user:password@example.com/",
        "gopher://example.com/",
        "https://",
    ],
)
async def test_nothing_inside_is_called_that_nobody_has_named(receiver, url):
    stranger = Webhook(Inside())

    with pytest.raises(Undeliverable):
        await stranger.send(message(), {"url": url.format(port=receiver.port), "secret": SECRET})
    await stranger.close()

    assert receiver.asked == []


async def test_a_name_that_leads_inside_is_refused_when_it_is_used(receiver, monkeypatch):
    """What it led to when it was entered proves nothing: names change their address."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 443)), (2, 1, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    stranger = Webhook(Inside())

    with pytest.raises(Undeliverable) as caught:
        await stranger.send(message(), {"url": "https://rebound.example/", "secret": SECRET})
    await stranger.close()

    assert (caught.value.reason, caught.value.retry_after) == (inside.INSIDE, None)


async def test_a_name_is_asked_for_once_and_what_was_checked_is_called(receiver, monkeypatch):
    """The second answer would lead elsewhere; nobody asks for it."""
    asked = []

    def lookup(host, *_: object, **__: object):
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else PUBLIC, receiver.port))
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    channel = Webhook(Inside(["mes.plant.example"]))

    await channel.send(message(), {"url": f"http://mes.plant.example:{receiver.port}/", "secret": SECRET})
    await channel.close()

    assert asked == ["mes.plant.example"]
    assert len(receiver.asked) == 1


async def test_an_unknown_name_is_tried_again(monkeypatch):
    def nobody(*_: object, **__: object):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    channel = Webhook(Inside())

    with pytest.raises(Undeliverable) as caught:
        await channel.send(message(), {"url": "https://nowhere.example/", "secret": SECRET})
    await channel.close()

    assert (caught.value.reason, caught.value.retry_after) == (webhook.UNKNOWN, 60)


async def test_a_receiver_that_is_away_is_tried_again(channel, receiver):
    await receiver.__aexit__()

    with pytest.raises(Undeliverable) as caught:
        await channel.send(message(), {"url": receiver.url, "secret": SECRET})

    assert (caught.value.reason, caught.value.retry_after) == (outbound.UNREACHABLE, 5)


@pytest.mark.parametrize("allowed", [["10.1.2.0/24"], ["10.1.2.3"], ["mes.plant.example", "10.0.0.0/8"]])
def test_an_administrator_of_the_machine_may_name_what_is_inside(allowed):
    assert Inside(allowed).allows("10.1.2.3", "10.1.2.3")
    assert not Inside(allowed).allows("10.1.2.3", "192.168.1.1")
    assert not Inside(allowed).allows("other.example", "192.168.1.1")


@pytest.mark.parametrize("entry", ["http://mes", "*", "mes:8080", "a b", ""])
def test_a_wrong_entry_stops_the_start(entry):
    with pytest.raises(BadPushSetting, match="inside_hosts"):
        Inside([entry])


@pytest.mark.parametrize("url", ["https://hooks.example/x", "https://93.184.216.34/"])
def test_a_public_address_is_taken(url):
    assert check_webhook(f" {url}", SECRET, Inside()) == {"url": url, "secret": SECRET}


@pytest.mark.parametrize(
    "url", ["", "hooks.example", "http://hooks.example", "https://10.0.0.1/", "https://localhost/", "https://[::1]/"]
)
def test_an_address_inside_or_in_the_clear_is_refused_at_once(url):
    with pytest.raises(BadWebhook, match="inside_hosts"):
        check_webhook(url, SECRET, Inside(["mes.plant.example"]))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64 at all!"])
def test_a_secret_that_protects_nothing_is_refused(secret):
    with pytest.raises(BadSecret):
        check_webhook("https://hooks.example/x", secret, Inside())
