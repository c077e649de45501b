"""A push service over TLS, a channel that trusts it, and a phone. Each test has its own."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from app.channels.hosts import PushHosts
from app.channels.vapid import load_or_make_vapid
from app.channels.webpush import WebPush
from tests.channels.letters import CONTACT
from tests.push.phone import Phone
from tests.push.service import PushService


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as service:
        yield service


@pytest.fixture
async def webpush(service: PushService, tmp_path) -> AsyncIterator[WebPush]:
    vapid = load_or_make_vapid(tmp_path / "vapid.pem", contact=CONTACT)
    tls = ssl.create_default_context(cafile=service.ca_file)
    channel = WebPush(vapid, PushHosts([service.place]), tls=tls)
    yield channel
    await channel.close()


@pytest.fixture
def phone(service: PushService) -> Phone:
    return Phone(service)
