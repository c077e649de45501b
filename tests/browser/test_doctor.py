"""The phone check in real browsers, against Pullcord as it runs: what it finds out, and the push that really comes round.

Firefox gets its pushes from our push service by itself. Chromium's own is Google's and out of reach here: there the
letter is fetched from ours and handed over by the debugger; everything before and after is real.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sqlmodel import select

from app.dispatch.models import Delivery
from app.people.models import Address, PhoneCheck
from app.people.phonecheck import ROWS
from tests.push.browsers import PHONE, chromium, firefox
from tests.push.house import LEAD, PIN, House
from tests.push.phone import Phone
from tests.push.service import PushService
from tests.push.tray import Tray

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0.47"
NO_QUESTIONS = """
navigator.storage.persist = async () => false;
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotAllowedError"); };
"""
# Stands for Google between the browser and the push service: the address is made at ours.
SUBSCRIBED = """
const given = {json}, on = "test-subscribed";
const options = {{ applicationServerKey: Uint8Array.from({key}).buffer }};
const one = {{ ...given, options, toJSON: () => given, unsubscribe: async () => (localStorage.removeItem(on), true) }};
PushManager.prototype.getSubscription = async () => (localStorage.getItem(on) ? one : null);
PushManager.prototype.subscribe = async () => (localStorage.setItem(on, "yes"), one);
"""


@pytest.fixture(scope="module")
def service() -> Iterator[PushService]:
    with PushService(tls=False) as service:
        yield service


@pytest.fixture(scope="module")
def house(service: PushService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house"), service) as house:
        yield house


@pytest.fixture
def tray() -> Iterator[Tray]:
    with Tray() as tray:
        yield tray


@pytest.fixture
def context(tray: Tray, house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with chromium(tray.env, tmp_path_factory.mktemp("profile")) as context:
        context.grant_permissions(["notifications", "camera"], origin=house.url)
        yield context


def test_chromium_finds_out_that_it_rings(house: House, service: PushService, context: BrowserContext) -> None:
    page, phone = context.new_page(), Phone(service)
    _signs_in(page, house)
    key = page.evaluate("document.documentElement.dataset.vapid")
    page.add_init_script(SUBSCRIBED.format(json=json.dumps(phone.subscribe(key)), key=list(_bytes(key))))
    carrier = _Carrier(context, page, house, phone)
    page.goto(f"{house.url}/me")
    page.click("[data-push-turn-on]")
    page.wait_for_selector("[data-push][data-state=on]")
    page.goto(f"{house.url}/doctor")

    page.click("[data-run]")

    carrier.works_until(lambda: page.is_visible("[data-verdict]"))
    found = _found(page)
    assert {key: said for key, (said, _) in found.items()} == dict.fromkeys(ROWS, "ok") | {
        "storage": found["storage"][0], "camera": "missing", "chat": "unbound",
    }  # fmt: skip
    assert page.inner_text(".now__what") == "This phone rings"
    [test] = [delivery for delivery in house.ask(select(Delivery)) if delivery.displayed_at]
    took = (test.displayed_at - test.planned_at).total_seconds()
    assert f"{took:.1f}".removesuffix(".0") in found["push"][1]
    [address] = [one for one in house.ask(select(Address)) if one.proven_at]
    assert address.id == test.address_id

    code = page.inner_text(".check__code").replace(" ", "")
    [check] = [one for one in house.ask(select(PhoneCheck)) if one.code == code]
    assert (check.person_id, check.found["push"]["said"]) == (test.person_id, "ok")
    assert "Chrom" in check.device
    assert Axe().run(page).response["violations"] == []


def test_firefox_finds_out_that_it_rings(house: House, service: PushService, tray: Tray) -> None:
    with firefox(tray, service) as browser:
        page = browser.new_context(viewport=PHONE, locale="en").new_page()
        page.add_init_script(NO_QUESTIONS)
        _signs_in(page, house)
        page.goto(f"{house.url}/me")
        page.click("[data-push-turn-on]")
        page.wait_for_selector("[data-push][data-state=on]")
        page.goto(f"{house.url}/doctor")

        page.click("[data-run]")
        page.wait_for_selector("[data-verdict]:visible", timeout=60_000)

        found = {key: said for key, (said, _) in _found(page).items()}
        assert (found["push"], found["stream"], found["clock"], found["camera"]) == ("ok", "ok", "ok", "denied")
        assert page.inner_text(".now__what") == "This phone rings"


def test_who_is_not_signed_in_learns_what_can_be_known(house: House, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{house.url}/doctor")

    page.click("[data-run]")
    page.wait_for_selector("[data-verdict]:visible")

    found = {key: said for key, (said, _) in _found(page).items()}
    assert [found[key] for key in ("secure", "browser", "worker", "stream", "clock")] == ["ok"] * 5
    assert [found[key] for key in ("subscription", "push", "chat")] == ["login"] * 3
    assert page.is_visible("a[href='/login?next=/doctor']")
    assert len(page.inner_text(".check__code").replace(" ", "")) == 6


def test_in_wechat_it_says_how_to_get_out(house: House, context: BrowserContext) -> None:
    page = context.new_page()
    page.add_init_script(f"Object.defineProperty(navigator, 'userAgent', {{ get: () => {WECHAT!r} }})")
    page.goto(f"{house.url}/doctor")

    page.click("[data-run]")
    page.wait_for_selector("[data-verdict]:visible")

    assert _found(page)["browser"][0] == "wechat"
    expect(page.locator("[data-check=browser]")).to_contain_text("Open in browser")
    assert page.inner_text(".now__what") == "This phone does not ring"


class _Carrier:
    """Takes letters from the push service to Chromium, as Google's connection would."""

    def __init__(self, context: BrowserContext, page: Page, house: House, phone: Phone) -> None:
        self._page, self._house, self._phone, self._carried, self._registration = page, house, phone, 0, ""
        self._debugger = context.new_cdp_session(page)
        self._debugger.on("ServiceWorker.workerRegistrationUpdated", self._registered)
        self._debugger.send("ServiceWorker.enable")

    def works_until(self, condition: Any) -> None:
        for _ in range(1200):
            if condition():
                return
            letters = self._phone.rang()
            if self._registration and len(letters) > self._carried:
                where = {"origin": self._house.url, "registrationId": self._registration}
                data = json.dumps({"web_push": 8030, "notification": letters[self._carried]})
                self._debugger.send("ServiceWorker.deliverPushMessage", {**where, "data": data})
                self._carried += 1
            self._page.wait_for_timeout(50)
        raise AssertionError(f"it did not come to that: {_found(self._page)}")

    def _registered(self, event: dict[str, Any]) -> None:
        for one in event["registrations"]:
            if one["scopeURL"] == f"{self._house.url}/" and not one["isDeleted"]:
                self._registration = one["registrationId"]


def _signs_in(page: Page, house: House) -> None:
    page.goto(f"{house.url}/login?next=/me")
    page.fill("[name=name]", LEAD)
    page.fill("[name=pin]", PIN)
    page.press("[name=pin]", "Enter")
    page.wait_for_selector("[data-push]")


def _found(page: Page) -> dict[str, tuple[str, str]]:
    """What each row says: the name of it, and its words."""
    said = """rows => rows.flatMap(row => [...row.querySelectorAll("[data-said]")].filter(one => !one.hidden)
                       .map(one => [row.dataset.check, one.dataset.said, one.innerText]))"""
    return {key: (name, words) for key, name, words in page.eval_on_selector_all("[data-check]", said)}


def _bytes(key: str) -> bytes:
    return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
