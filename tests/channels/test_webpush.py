"""The channel against a push service over TLS that checks everything real ones check."""

import asyncio
import base64
import json
from datetime import timedelta

import aiohttp
import pytest

from app.channels import answers
from app.channels.base import Undeliverable, Urgency
from app.channels.hosts import PushHosts
from app.channels.payload import TTL
from app.channels.webpush import WebPush
from app.kit.clock import utcnow
from tests.channels.letters import ANOMALY, message
from tests.push.phone import Phone
from tests.push.service import LARGEST


async def test_a_phone_shows_what_was_sent(webpush, phone):
    address = phone.subscribe(webpush.vapid.public_key)

    await webpush.send(message(), address)

    [shown] = phone.shown()
    assert (shown["title"], shown["body"]) == ("[!!] Press 7 停线", "Overheating. Li Wei called.")
    assert [action["title"] for action in shown["actions"]] == ["我来处理", "查看"]


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 9])
async def test_every_message_says_how_long_how_urgent_and_what_it_replaces(webpush, service, phone, severity):
    await webpush.send(message(severity=severity), phone.subscribe(webpush.vapid.public_key))

    [letter] = service.letters
    assert letter.ttl == TTL.get(severity, 3600) > 0
    assert letter.urgency == "high"
    assert letter.topic == ANOMALY.replace("-", "")


async def test_news_does_not_wake_a_sleeping_phone(webpush, service, phone):
    address = phone.subscribe(webpush.vapid.public_key)

    await webpush.send(message(can_accept=False), address)
    await webpush.send(message(can_accept=False, urgency=Urgency.HIGH, ttl=30, topic="shift-b"), address)

    quiet, loud = service.letters
    assert quiet.urgency == "normal"
    assert (loud.urgency, loud.ttl, loud.topic) == ("high", 30, "shiftb")
    assert [action["action"] for action in phone.shown()[0]["actions"]] == ["open"]


async def test_a_time_to_live_of_zero_is_never_sent(webpush, service, phone):
    await webpush.send(message(ttl=0), phone.subscribe(webpush.vapid.public_key))

    assert service.letters[0].ttl == TTL[1]


async def test_a_phone_that_was_off_gets_the_newest_state_only(webpush, phone):
    address = phone.subscribe(webpush.vapid.public_key)
    phone.goes_offline()

    await webpush.send(message(title="2 minutes"), address)
    await webpush.send(message(title="5 minutes"), address)
    assert phone.shown() == []
    phone.comes_back()

    assert phone.titles() == ["5 minutes"]


async def test_connections_are_kept_and_the_signature_too(webpush, service, phone, monkeypatch):
    address = phone.subscribe(webpush.vapid.public_key)
    signed = []
    sign = webpush.vapid._sign
    monkeypatch.setattr(webpush.vapid, "_sign", lambda *asked: signed.append(asked) or sign(*asked))

    for _ in range(20):
        await webpush.send(message(), address)

    assert len(service.letters) == 20
    assert len(service.callers) == 1
    assert len(signed) == 1


async def test_the_signature_is_renewed_before_it_expires(webpush, service, phone):
    address = phone.subscribe(webpush.vapid.public_key)
    long_ago = utcnow() - timedelta(hours=13)
    webpush._clock = lambda: long_ago
    with pytest.raises(Undeliverable):  # the service finds it expired ...
        await webpush.send(message(), address)
    assert service.refusals[0].status == 401

    webpush._clock = utcnow
    await webpush.send(message(), address)  # ... and the next one is signed anew

    assert len(phone.rang()) == 1


async def test_another_key_than_the_phone_subscribed_with_is_a_mismatch_and_not_the_end(webpush, phone):
    other = base64.urlsafe_b64encode(b"\x04" + bytes(64)).decode()

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), phone.subscribe(other))

    assert caught.value.reason == answers.MISMATCH
    assert not caught.value.gone
    assert caught.value.retry_after is None


async def test_a_phone_that_unsubscribed_is_gone(webpush, phone):
    address = phone.subscribe(webpush.vapid.public_key)
    phone.unsubscribe()

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), address)

    assert caught.value.gone


@pytest.mark.parametrize(
    ("status", "headers", "reason", "gone", "retry_after"),
    [
        (404, {}, answers.GONE, True, None),
        (410, {}, answers.GONE, True, None),
        (400, {}, answers.REFUSED, False, None),
        (401, {}, answers.MISMATCH, False, None),
        (403, {}, answers.MISMATCH, False, None),
        (413, {}, answers.TOO_LARGE, False, None),
        (429, {"Retry-After": "17"}, answers.BUSY, False, 17),
        (429, {"Retry-After": "86400"}, answers.BUSY, False, answers.LONGEST_WAIT),
        (429, {}, answers.BUSY, False, answers.SOON),
        (500, {"Retry-After": "soon"}, answers.BROKEN, False, answers.SOON),
        (502, {}, answers.BROKEN, False, answers.SOON),
        (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, answers.BROKEN, False, 1),
        (304, {}, answers.ELSEWHERE, False, None),
    ],
)
async def test_every_answer_has_its_meaning(webpush, service, phone, status, headers, reason, gone, retry_after):
    service.faults.append((status, headers))

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), phone.subscribe(webpush.vapid.public_key))

    assert (caught.value.reason, caught.value.gone) == (reason, gone)
    assert caught.value.retry_after == retry_after


async def test_after_a_bad_moment_the_same_message_goes_through(webpush, service, phone):
    address = phone.subscribe(webpush.vapid.public_key)
    service.faults.append((503, {}))
    with pytest.raises(Undeliverable):
        await webpush.send(message(), address)

    await webpush.send(message(), address)

    assert len(phone.shown()) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(webpush, service, phone, status):
    address, inside = phone.subscribe(webpush.vapid.public_key), Phone(service)
    trap = inside.subscribe(webpush.vapid.public_key)
    service.faults.append((status, {"Location": trap["endpoint"]}))

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), address)

    assert caught.value.reason == answers.ELSEWHERE
    assert service.letters == []


async def test_a_silent_service_costs_only_our_patience(webpush, service, phone):
    address = phone.subscribe(webpush.vapid.public_key)
    service.silent = True
    webpush._patience = aiohttp.ClientTimeout(total=0.2)

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), address)

    assert (caught.value.reason, caught.value.retry_after) == (answers.SILENT, answers.SOON)


async def test_a_service_that_is_away_is_tried_again(webpush, service, phone):
    address = phone.subscribe(webpush.vapid.public_key)
    await webpush.send(message(), address)
    service.stop()

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), address)

    assert (caught.value.reason, caught.value.retry_after) == (answers.UNREACHABLE, answers.SOON)


async def test_a_kept_connection_that_was_just_closed_is_no_failure(webpush, service, phone):
    address = phone.subscribe(webpush.vapid.public_key)
    await webpush.send(message(), address)
    service.faults.append((0, {}))

    await webpush.send(message(title="again"), address)

    assert phone.titles() == ["again"]


async def test_a_service_that_always_hangs_up_is_tried_later(webpush, service, phone):
    service.faults.extend([(0, {})] * 2)

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), phone.subscribe(webpush.vapid.public_key))

    assert (caught.value.reason, caught.value.retry_after) == (answers.UNREACHABLE, answers.SOON)
    assert not service.faults


async def test_a_stranger_s_certificate_is_not_trusted(webpush, service, phone):
    stranger = WebPush(webpush.vapid, webpush.hosts)

    with pytest.raises(Undeliverable) as caught:
        await stranger.send(message(), phone.subscribe(webpush.vapid.public_key))
    await stranger.close()

    assert caught.value.reason == answers.UNREACHABLE
    assert service.letters == []


async def test_an_address_that_is_no_longer_allowed_is_not_called(webpush, service, phone):
    stricter = WebPush(webpush.vapid, PushHosts())

    with pytest.raises(Undeliverable) as caught:
        await stricter.send(message(), phone.subscribe(webpush.vapid.public_key))

    assert caught.value.reason == answers.NOT_ALLOWED
    assert not caught.value.gone
    assert service.callers == set()


@pytest.mark.parametrize("keys", [{}, {"p256dh": "AAAA", "auth": "AAAA"}, None, {"p256dh": 1, "auth": 2}])
async def test_a_row_with_broken_keys_is_forgotten(webpush, phone, keys):
    address = phone.subscribe(webpush.vapid.public_key) | {"keys": keys}

    with pytest.raises(Undeliverable) as caught:
        await webpush.send(message(), address)

    assert (caught.value.reason, caught.value.gone) == (answers.BAD_KEYS, True)


async def test_a_novel_still_rings(webpush, service, phone):
    await webpush.send(message(body="热" * 50_000), phone.subscribe(webpush.vapid.public_key))

    assert len(service.letters[0].body) < LARGEST
    assert phone.shown()[0]["body"].endswith("热…")


async def test_many_at_once_share_a_few_connections(webpush, service):
    phones = [Phone(service) for _ in range(40)]
    addresses = [phone.subscribe(webpush.vapid.public_key) for phone in phones]

    await asyncio.gather(*(webpush.send(message(), address) for address in addresses * 5))

    assert [len(phone.rang()) for phone in phones] == [5] * 40
    assert len(service.callers) <= 64


async def test_neither_tokens_nor_addresses_reach_the_log(webpush, service, phone, capsys):
    address = phone.subscribe(webpush.vapid.public_key)
    service.faults.append((403, {}))

    with pytest.raises(Undeliverable):
        await webpush.send(message(), address)

    said = capsys.readouterr().out
    assert "push refused" in said
    for secret in (address["endpoint"].rpartition("/")[2], address["keys"]["auth"], "one-time-token"):
        assert secret not in said
    assert json.dumps("vapid t=")[1:-1] not in said
