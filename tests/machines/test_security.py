"""Whom we speak with is known before anything secret is said; and every refusal has its plain words."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.capture.sources import opcua_security
from app.capture.sources.opcua import Link
from app.kit.clock import utcnow
from app.kit.ids import new_id
from app.kit.secret import seal
from app.machines import certificates
from app.machines.certificates import Keys, Unreadable
from app.machines.models import LinkState
from app.machines.plan import Item, LinkPlan, LinkSettings
from app.machines.security import CHOICES, Login, Mode, Policy, Security
from tests.machines.ear import BRISK, Ear, until
from tests.machines.vault import PASSWORD, Vault, papers, vault

PAPERS = papers()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return certificates.keys(tmp_path_factory.mktemp("installation"), now=utcnow() - timedelta(days=30))


@pytest.fixture(scope="module")
def only_vault() -> Iterator[Vault]:
    with vault() as running:
        yield running


@pytest.fixture
def machine(only_vault: Vault) -> Vault:
    only_vault.forget()
    return only_vault


@pytest.fixture
def safe(machine: Vault) -> Security:
    """Encrypted, and the certificate is the one that was compared."""
    return Security(Policy.BASIC256_SHA256, Mode.SIGN_AND_ENCRYPT, trusted=machine.papers.der)


def shift_clock(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    monkeypatch.setattr(opcua_security, "utcnow", lambda: utcnow() + timedelta(days=days))


def named(keys: Keys, password: str = PASSWORD) -> dict[str, Any]:
    return {"login": Login.NAME, "sealed": seal(keys.secret, {"user": "pullcord", "password": password})}


@asynccontextmanager
async def listening(machine: Vault, security: Security, keys: Keys | None) -> AsyncIterator[Ear]:
    settings = LinkSettings(**BRISK)  # type: ignore[arg-type]
    plan = LinkPlan(new_id(), "vault", machine.url, settings, (Item(new_id(), machine.node("Temp"), 20),), security)
    ear = Ear(plan)
    ear.link = Link(plan, ear, keys)
    task = asyncio.create_task(ear.link.run())
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def refusal(machine: Vault, security: Security, keys: Keys | None) -> str:
    async with listening(machine, security, keys) as ear:
        await until(lambda: ear.faults)
        assert not ear.samples
        assert ear.states[-1][0] in (LinkState.NEEDS_PERSON, LinkState.RETRYING, LinkState.CONNECTING)
        return ear.faults[0]


def test_our_certificate_is_made_once_for_this_installation_alone(tmp_path):
    made = certificates.keys(tmp_path / "one", now=utcnow())
    own = made.identity.certificate

    assert certificates.keys(tmp_path / "one", now=utcnow()) == made
    assert certificates.keys(tmp_path / "two", now=utcnow()).identity.uri != made.identity.uri
    assert made.identity.uri.startswith("urn:pullcord:")
    assert timedelta(days=5 * 365) < own.ends - utcnow() <= timedelta(days=10 * 366)
    assert stat.S_IMODE((tmp_path / "one" / certificates.OWN_FILE).stat().st_mode) == 0o600
    assert len(own.sha1.split(":")) == 20
    assert len(own.sha256.split(":")) == 32


@pytest.mark.parametrize(
    "der", [b"", b"\x30\x82", b"\x30\x82\xff\xff" + b"x" * 70, b"not a certificate", PAPERS.der[:-9]]
)
def test_what_is_no_certificate_is_said_to_be_none(der):
    with pytest.raises(Unreadable):
        certificates.read(der)


def test_of_a_chain_the_first_is_taken():
    assert certificates.read(PAPERS.der + papers(serial=2).der) == certificates.read(PAPERS.der)


def test_it_is_said_thirty_days_before_the_end():
    ends_soon = certificates.read(papers(ends=29).der).ends_soon
    assert ends_soon(now=utcnow())
    assert not certificates.read(papers(ends=40).der).ends_soon(now=utcnow())


@pytest.mark.parametrize(("policy", "mode"), CHOICES)
async def test_every_way_in_carries_values(policy, mode, machine, keys):
    isolated = policy is Policy.NONE
    security = Security(policy, mode, isolated=isolated, trusted=machine.papers.der, **named(keys))
    async with listening(machine, security, keys) as ear:
        await until(lambda: ear.value("Temp") == 20.0)

    assert machine.heard[-1] == ("pullcord", PASSWORD)


async def test_nothing_is_said_to_a_server_nobody_has_accepted(machine, safe, keys):
    assert await refusal(machine, replace(safe, trusted=b"", **named(keys)), keys) == "source.not_trusted_by_us"
    assert machine.heard == []


async def test_another_certificate_needs_trust_anew_and_hears_no_password(machine, safe, keys):
    before = replace(safe, trusted=papers(serial=2).der, **named(keys))

    assert await refusal(machine, before, keys) == "source.certificate_changed"
    assert machine.heard == []


@pytest.mark.parametrize("days", [301, -2])
async def test_a_certificate_out_of_its_time_is_refused_though_it_is_trusted(days, machine, safe, keys, monkeypatch):
    shift_clock(monkeypatch, days)

    assert await refusal(machine, replace(safe, **named(keys)), keys) == "source.certificate_over"
    assert machine.heard == []


async def test_a_certificate_of_ours_that_is_over_is_said_to_be_ours(machine, safe, keys, monkeypatch):
    shift_clock(monkeypatch, 11 * 365)

    assert await refusal(machine, safe, keys) == "source.own_certificate_over"


async def test_a_certificate_that_ends_while_we_are_connected_is_noticed(machine, safe, keys, monkeypatch):
    async with listening(machine, safe, keys) as ear:
        await until(lambda: ear.connected)

        shift_clock(monkeypatch, 301)

        await until(lambda: "source.certificate_over" in ear.faults)


async def test_a_server_that_does_not_know_us_is_explained(machine, safe, keys):
    machine.trusted = []

    assert await refusal(machine, safe, keys) == "source.not_trusted_by_server"


async def test_it_knows_us_by_the_certificate_one_can_download(machine, safe, keys):
    machine.trusted = [keys.identity.certificate.der]
    async with listening(machine, safe, keys) as ear:
        await until(lambda: ear.value("Temp") == 20.0)


async def test_a_wrong_password_is_explained_and_not_tried_again_and_again(machine, safe, keys):
    assert await refusal(machine, replace(safe, **named(keys, "wrong")), keys) == "source.login_refused"
    assert machine.heard == [("pullcord", "wrong")]


async def test_no_password_travels_in_the_clear(machine, keys):
    assert await refusal(machine, Security(**named(keys)), keys) == "source.would_be_heard"
    assert machine.heard == []


async def test_a_user_may_be_known_by_a_certificate(machine, safe, keys):
    user = papers("urn:test:user", serial=3)
    machine.users, machine.user_certificates = (), [user.der]
    sealed = seal(keys.secret, {"pem": user.pem})

    async with listening(machine, replace(safe, login=Login.CERTIFICATE, sealed=sealed), keys) as ear:
        await until(lambda: ear.value("Temp") == 20.0)


async def test_what_is_not_offered_is_explained(machine, safe, keys):
    with machine.without("Basic256Sha256"):
        assert await refusal(machine, safe, keys) == "source.security"


async def test_secrets_of_another_installation_are_not_readable(machine, safe, keys):
    elsewhere = replace(safe, login=Login.NAME, sealed=seal(b"another" * 5, {"user": "a", "password": "b"}))

    assert await refusal(machine, elsewhere, keys) == "source.sealed_elsewhere"


async def test_what_is_offered_is_known_the_best_first(machine):
    met = await opcua_security.meet(machine.url, patience_s=5)

    assert {(offer.policy, offer.mode) for offer in met.offers} == set(CHOICES)
    assert met.offers[0].mode is Mode.SIGN_AND_ENCRYPT
    assert met.offers[-1].policy is Policy.NONE
    assert {offer.certificate for offer in met.offers[:-1]} == {machine.papers.der}
