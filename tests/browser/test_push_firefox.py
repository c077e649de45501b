"""A real Firefox, a real push service protocol, real encryption, and a finger on the real notification."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext

from app.channels.base import Undeliverable
from app.channels.hosts import PushHosts
from app.channels.subscription import check_subscription
from app.channels.vapid import load_or_make_vapid
from app.channels.webpush import WebPush
from tests.channels.letters import ANOMALY, CONTACT, WORDS, message
from tests.push.browsers import PHONE, firefox
from tests.push.service import PushService
from tests.push.site import Site
from tests.push.tray import Tray

pytestmark = pytest.mark.browser


class World(NamedTuple):
    service: PushService
    tray: Tray
    browser: Browser


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with PushService(tls=False) as service, Tray() as tray, firefox(tray, service) as browser:
        yield World(service, tray, browser)


class Plant:
    """A Pullcord of one page, and one phone that looks at it."""

    def __init__(self, world: World, site: Site, context: BrowserContext, key: Path) -> None:
        self.service, self.tray, _ = world
        self.site, self.context, self.page = site, context, context.new_page()
        self.vapid = load_or_make_vapid(key, contact=CONTACT)
        self._thread = ThreadPoolExecutor(1)  # this thread's event loop belongs to the browser driver

    def breathe(self) -> None:
        self.page.wait_for_timeout(50)

    def turns_ringing_on(self) -> dict[str, object]:
        self.page.goto(self.site.url)
        self.page.click("[data-push-turn-on]")
        sent = self.site.wait_for("/addresses", meanwhile=self.breathe)
        self.page.wait_for_selector("[data-push][data-state=on]")
        return check_subscription(sent["subscription"], PushHosts([self.service.place]))

    def calls(self, address: dict[str, object], **changes: object) -> None:
        async def once() -> None:
            channel = WebPush(self.vapid, PushHosts([self.service.place]))
            try:
                await channel.send(message(**changes), address)
            finally:
                await channel.close()

        self._thread.submit(asyncio.run, once()).result(20)

    def sees(self, title: str):
        return self.tray.wait_for(title, meanwhile=self.breathe)

    def hears(self, ending: str, count: int = 1):
        return self.site.wait_for(ending, count=count, meanwhile=self.breathe)


@pytest.fixture
def plant(world, tmp_path) -> Iterator[Plant]:
    key = tmp_path / "vapid.pem"
    with Site(vapid_key=load_or_make_vapid(key, contact=CONTACT).public_key) as site:
        context = world.browser.new_context(viewport=PHONE)
        yield Plant(world, site, context, key)
        context.close()
        world.tray.clear()


def test_a_call_rings_and_is_accepted_without_opening_the_app(plant):
    address = plant.turns_ringing_on()
    plant.page.goto("about:blank")

    plant.calls(address)

    call = plant.sees("[!!] Press 7 停线")
    assert call.body == "Overheating. Li Wei called."
    assert plant.hears("/displayed") == {"token": "one-time-token"}

    plant.tray.press(call, "我来处理")

    assert plant.hears("/acceptance") == {"token": "one-time-token"}
    assert plant.sees("You have it").body == "Press 7"
    assert [page.url for page in plant.context.pages] == ["about:blank"]
    assert not plant.site.sent("/opened")


def test_somebody_else_was_faster(plant):
    plant.site.acceptance = (409, {"title": "Li Wei was faster", "body": "Press 7 is in good hands"})
    plant.calls(plant.turns_ringing_on())

    plant.tray.press(plant.sees("[!!] Press 7 停线"), "我来处理")

    settled = plant.sees("Li Wei was faster")
    assert "我来处理" not in settled.buttons
    assert len(plant.tray.shown()) == 1


def test_without_an_answer_the_phone_says_that_nobody_has_it_and_lets_one_try_again(plant):
    plant.calls(plant.turns_ringing_on())
    call = plant.sees("[!!] Press 7 停线")
    plant.hears("/displayed")

    plant.site.gone = True
    plant.tray.press(call, "我来处理")

    failed = plant.sees(WORDS.failed)
    assert failed.body.startswith("[!!] Press 7 停线")
    assert not plant.site.sent("/acceptance")

    plant.site.gone = False
    plant.tray.press(failed, "我来处理")

    assert plant.sees("You have it")


def test_a_tap_opens_the_anomaly_and_is_told(plant):
    plant.calls(plant.turns_ringing_on())

    with plant.context.expect_page() as opened:
        plant.tray.tap(plant.sees("[!!] Press 7 停线"))

    opened.value.wait_for_url(f"{plant.site.url}/anomalies/{ANOMALY}")
    assert plant.hears("/opened") == {"token": "one-time-token"}
    assert not plant.site.sent("/acceptance")


def test_newer_news_replaces_older(plant):
    address = plant.turns_ringing_on()
    plant.calls(address, title="2 minutes")
    plant.sees("2 minutes")

    plant.calls(address, title="5 minutes", renotify=True)

    plant.sees("5 minutes")
    assert [one.title for one in plant.tray.shown()] == ["5 minutes"]


def test_a_phone_that_stops_ringing_is_gone(plant):
    address = plant.turns_ringing_on()

    plant.page.click("[data-push-turn-off]")

    plant.page.wait_for_selector("[data-push][data-state=off]")
    assert [path for path, _ in plant.site.posts][-1] == "DELETE /addresses/address-1"
    with pytest.raises(Undeliverable) as caught:
        plant.calls(address)
    assert caught.value.gone


def test_a_subscription_that_died_is_renewed_when_the_app_is_opened(plant):
    old = plant.turns_ringing_on()
    plant.page.evaluate(
        "navigator.serviceWorker.ready.then(r => r.pushManager.getSubscription()).then(s => s.unsubscribe())"
    )

    plant.page.reload()

    new = plant.hears("/addresses", count=2)["subscription"]
    assert new["endpoint"] != old["endpoint"]
    plant.calls(new)
    assert plant.sees("[!!] Press 7 停线")


def test_opening_the_app_again_tells_nothing_new(plant):
    plant.turns_ringing_on()

    for _ in range(2):
        plant.page.reload()
        plant.page.wait_for_selector("[data-push][data-state=on]")

    assert len(plant.site.sent("/addresses")) == 1
