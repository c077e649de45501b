"""E-mail against a small mail server that looks closely at what it is given."""

import socket

import pytest
from pydantic import SecretStr

from app.channels import email
from app.channels.base import Undeliverable
from app.channels.email import Email
from app.channels.mailserver import BadMailSetting, MailServer
from app.settings import Settings
from tests.channels.letters import ANOMALY, message
from tests.channels.mailbox import MailBox

TO = {"email": "wang.lei@plant.example"}
FROM = "pullcord@plant.example"


def channel(box: MailBox, *, login: str = "", scheme: str = "smtp") -> Email:
    return Email(MailServer.from_url(f"{scheme}://{login}localhost:{box.port}"), sender=FROM, tls=box.trust)


async def test_a_letter_says_what_where_and_nothing_that_accepts():
    async with MailBox() as box:
        await channel(box).send(message(title="[!!] Press 7\n停线"), TO)

    [letter] = box.letters
    assert box.envelopes == [(FROM, "wang.lei@plant.example")]
    assert letter["Subject"] == "[!!] Press 7 停线"
    assert letter["References"] == f"<{ANOMALY}@plant.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Importance"] == "high"
    assert letter["Content-Language"] == "zh-CN"
    text = letter.get_content().splitlines()
    assert text == ["Overheating. Li Wei called.", "", f"查看: https://pullcord.example/anomalies/{ANOMALY}"]
    assert "one-time-token" not in letter.as_string()


async def test_encryption_is_used_when_it_is_offered():
    async with MailBox() as box:
        await channel(box).send(message(), TO)

    assert box.encrypted == [True]


async def test_a_plain_server_without_login_works():
    async with MailBox(starttls=False) as box:
        await channel(box).send(message(severity=3), TO)

    assert box.encrypted == [False]
    assert box.letters[0]["Importance"] is None


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_login_is_sent_encrypted(scheme):
    async with MailBox(implicit_tls=scheme == "smtps", login=("cord", "p@ss:word")) as box:
        await channel(box, login="cord:p%40ss%3Aword@", scheme=scheme).send(message(), TO)

    assert box.encrypted == [True]
    assert "AUTH" in box.said


async def test_a_password_is_never_sent_in_the_clear():
    async with MailBox(starttls=False, login=("cord", "secret")) as box:
        with pytest.raises(Undeliverable) as caught:
            await channel(box, login="cord:secret@").send(message(), TO)

    assert caught.value.reason == email.UNSAFE
    assert "AUTH" not in box.said
    assert box.letters == []


async def test_a_wrong_password_is_said_so():
    async with MailBox(login=("cord", "secret")) as box:
        with pytest.raises(Undeliverable) as caught:
            await channel(box, login="cord:wrong@").send(message(), TO)

    assert (caught.value.reason, caught.value.retry_after) == (email.NO_LOGIN, None)


@pytest.mark.parametrize(
    ("verb", "answer", "reason", "gone", "again"),
    [
        ("RCPT", "550 5.1.1 Nobody here", email.UNKNOWN, True, None),
        ("RCPT", "553 No such mailbox", email.UNKNOWN, True, None),
        ("RCPT", "550 5.7.1 Your network is on a list", email.REFUSED, False, None),
        ("RCPT", "552 5.2.2 Mailbox full", email.REFUSED, False, None),
        ("RCPT", "450 4.2.1 Greylisted", email.BUSY, False, email.LATER),
        ("MAIL", "421 4.3.2 Too busy", email.BUSY, False, email.LATER),
        ("MAIL", "553 5.7.1 You may not send", email.REFUSED, False, None),
        (".", "554 5.6.0 Looks like spam", email.REFUSED, False, None),
        (".", "452 4.3.1 Disk full", email.BUSY, False, email.LATER),
    ],
)
async def test_every_answer_has_its_meaning(verb, answer, reason, gone, again):
    async with MailBox(answers={verb: answer}) as box:
        with pytest.raises(Undeliverable) as caught:
            await channel(box).send(message(), TO)

    assert (caught.value.reason, caught.value.gone, caught.value.retry_after) == (reason, gone, again)


async def test_a_server_that_is_away_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nobody = Email(MailServer("localhost", port, implicit_tls=False), sender=FROM)

    with pytest.raises(Undeliverable) as caught:
        await nobody.send(message(), TO)

    assert (caught.value.reason, caught.value.retry_after) == (email.UNREACHABLE, email.LATER)


async def test_a_silent_server_costs_only_our_patience(monkeypatch):
    monkeypatch.setattr(email, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer("localhost", silent.getsockname()[1], implicit_tls=False)

        with pytest.raises(Undeliverable) as caught:
            await Email(server, sender=FROM).send(message(), TO)

    assert caught.value.retry_after == email.LATER


@pytest.mark.parametrize(
    "address",
    ["", "wang.lei", "@plant.example", "a@b\r\nBcc: everybody@plant.example", "a@b, c@d", "a b@c", None],
)
async def test_what_is_no_address_is_not_tried(address):
    async with MailBox() as box:
        with pytest.raises(Undeliverable) as caught:
            await channel(box).send(message(), {"email": address})

    assert caught.value.reason == email.NO_ADDRESS
    assert box.said == []


async def test_without_a_mail_server_one_sentence_says_so():
    with pytest.raises(Undeliverable) as caught:
        await Email.from_settings(Settings(smtp_url=SecretStr(""))).send(message(), TO)

    assert "smtp_url" in caught.value.reason


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.plant.example", MailServer("mail.plant.example", 587, False)),
        ("smtps://mail.plant.example", MailServer("mail.plant.example", 465, True)),
        ("smtp://u:p%2F@mail.plant.example:2525", MailServer("mail.plant.example", 2525, False, "u", "p/")),
    ],
)
def test_a_setting_names_the_server(url, server):
    assert MailServer.from_url(url) == server
    assert "p/" not in repr(server)


@pytest.mark.parametrize("url", ["mail.plant.example", "smtp://", "http://mail", "smtp://u@mail", "smtp://mail:x"])
def test_a_setting_that_names_none_is_refused_at_the_start(url):
    with pytest.raises(BadMailSetting):
        MailServer.from_url(url)
