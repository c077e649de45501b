"""Secure connections with a server of another maker: every policy, its own ideas of trust, logins it refuses."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.capture.sources import opcua_browse, opcua_security
from app.kit.clock import utcnow
from app.kit.secret import seal
from app.machines import certificates
from app.machines.asking import Health, Level
from app.machines.certificates import Keys
from app.machines.faults import Fault
from app.machines.plan import LinkPlan, LinkSettings
from app.machines.security import CHOICES, Login, Policy, Security
from tests.factories import id_of
from tests.machines.tank import Tank

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tank(running_tank: Tank) -> Tank:
    return running_tank


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return certificates.keys(tmp_path_factory.mktemp("installation"), now=utcnow())


@pytest.fixture(scope="module")
def shown(tank: Tank) -> bytes:
    """The certificate it shows, as a person would have accepted it."""
    met = asyncio.run(opcua_security.meet(tank.url, patience_s=5))
    return next(offer.certificate for offer in met.offers if offer.policy is not Policy.NONE)


def plan(tank: Tank, security: Security) -> LinkPlan:
    return LinkPlan(id_of("source", "tank"), "tank", tank.url, LinkSettings(), (), security)


def login(keys: Keys, password: str = "andon") -> dict[str, Any]:
    return {"login": Login.NAME, "sealed": seal(keys.secret, {"user": "pullcord", "password": password})}


@pytest.mark.parametrize(("policy", "mode"), CHOICES)
async def test_every_way_in_is_open_to_who_is_known(policy, mode, tank, shown, keys):
    security = Security(policy, mode, isolated=policy is Policy.NONE, trusted=shown, **login(keys))

    health = await opcua_browse.test(plan(tank, security), keys)

    assert isinstance(health, Health), health
    assert health.running


async def test_a_wrong_password_is_explained(tank, shown, keys):
    security = Security(*CHOICES[0], trusted=shown, **login(keys, "wrong"))

    refused = await opcua_browse.test(plan(tank, security), keys)

    assert isinstance(refused, Fault)
    assert refused.code == "source.login_refused"
    assert isinstance(await opcua_browse.test(plan(tank, replace(security, **login(keys))), keys), Health)


async def test_what_it_has_can_be_walked_through(tank, shown, keys):
    safe = plan(tank, Security(*CHOICES[0], trusted=shown))
    walked = await opcua_browse.browse(safe, keys, "", 0)
    assert isinstance(walked, Level), walked
    inside = next(child.node for child in walked.children if child.name == "Tank")

    tank_itself = await opcua_browse.browse(safe, keys, inside, 0)

    assert isinstance(tank_itself, Level), tank_itself
    assert ("Level", "50") in [(child.name, child.value) for child in tank_itself.children]
