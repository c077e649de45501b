"""The service worker in a real Chromium: the debugger hands it pushes; clicks and the network are real.

Chromium's own push service is Google's and out of reach here; what lies between is tested with Firefox.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page

from app.channels.payload import payload
from tests.channels.letters import ANOMALY, WORDS, message
from tests.push.browsers import chromium
from tests.push.site import Site
from tests.push.tray import Tray

# Any point on P-256 will do here: this one is from RFC 8291.
KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tray() -> Iterator[Tray]:
    with Tray() as tray:
        yield tray


@pytest.fixture(scope="module")
def context(tray, tmp_path_factory) -> Iterator[BrowserContext]:
    with chromium(tray.env, tmp_path_factory.mktemp("profile")) as context:
        yield context


class Plant:
    """A Pullcord of one page, and one phone that has its service worker."""

    def __init__(self, site: Site, tray: Tray, context: BrowserContext) -> None:
        self.site, self.tray, self.context = site, tray, context
        context.grant_permissions(["notifications"], origin=site.url)
        self.page: Page = context.new_page()
        self.page.goto(site.url)
        self.page.evaluate("navigator.serviceWorker.register('/service-worker.js')")
        self.page.wait_for_function("navigator.serviceWorker.controller !== null")
        self._debugger = context.new_cdp_session(self.page)
        self._registration = ""
        self._debugger.on("ServiceWorker.workerRegistrationUpdated", self._registered)
        self._debugger.send("ServiceWorker.enable")
        while not self._registration:
            self.breathe()

    def _registered(self, event: dict[str, Any]) -> None:
        for one in event["registrations"]:
            if one["scopeURL"] == f"{self.site.url}/" and not one["isDeleted"]:
                self._registration = one["registrationId"]

    def breathe(self) -> None:
        self.page.wait_for_timeout(50)

    def forbids_notifications(self) -> None:
        permission = {"permission": {"name": "notifications"}, "setting": "denied", "origin": self.site.url}
        self._debugger.send("Browser.setPermission", permission)

    def pushes(self, text: str) -> None:
        where = {"origin": self.site.url, "registrationId": self._registration}
        self._debugger.send("ServiceWorker.deliverPushMessage", {**where, "data": text})

    def calls(self, **changes: object) -> None:
        self.pushes(payload(message(**changes)).decode())

    def sees(self, title: str):
        return self.tray.wait_for(title, meanwhile=self.breathe)

    def hears(self, ending: str):
        return self.site.wait_for(ending, meanwhile=self.breathe)

    def visits(self, path: str) -> str:
        self.page.goto(self.site.url + path)
        return self.page.title()

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(200):
            if condition():
                return
            self.breathe()
        raise AssertionError("it did not come to that")

    def kept(self) -> dict[str, list[str]]:
        """What is in each cache of this origin."""
        return self.page.evaluate(
            """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
                [name, (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)])))"""
        )


@pytest.fixture
def plant(tray, context) -> Iterator[Plant]:
    with Site(vapid_key=KEY) as site:
        plant = Plant(site, tray, context)
        yield plant
        site.gone = False
        plant.page.goto(site.url)
        plant.page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.unregister())")
        for page in context.pages[1:]:
            page.close()
        tray.clear()


def test_accept_on_the_notification_accepts_without_opening_the_app(plant):
    pages = len(plant.context.pages)
    plant.calls()
    call = plant.sees("[!!] Press 7 停线")
    assert plant.hears("/displayed") == {"token": "one-time-token"}

    plant.tray.press(call, "我来处理")

    assert plant.hears("/acceptance") == {"token": "one-time-token"}
    assert plant.sees("You have it")
    assert len(plant.context.pages) == pages


BELL = {"title": "Shift late starts", "url": "https://pullcord.example/duty", "answer": "presence"}


def test_a_button_on_the_bell_puts_on_duty_without_opening_the_app(plant):
    plant.site.acceptance = (200, {"title": "You are on duty", "body": "Calls come to you."})
    pages = len(plant.context.pages)
    plant.calls(**BELL)

    plant.tray.press(plant.sees("Shift late starts"), "我来处理")

    assert plant.hears("/presence") == {"token": "one-time-token"}
    assert plant.sees("You are on duty")
    assert len(plant.context.pages) == pages


def test_a_tap_on_the_bell_itself_does_the_same_and_shows_the_page(plant):
    plant.site.acceptance = (200, {"title": "You are on duty", "body": "Calls come to you."})
    plant.calls(**BELL)

    plant.tray.tap(plant.sees("Shift late starts"))

    assert plant.hears("/presence") == {"token": "one-time-token"}
    plant.until(lambda: any(page.url.endswith("/duty") for page in plant.context.pages))
    assert len(plant.site.sent("/presence")) == 1


def test_a_bell_whose_answer_is_lost_says_so_and_can_be_answered_again(plant):
    plant.site.acceptance = (500, {})
    plant.calls(**BELL)
    plant.tray.press(plant.sees("Shift late starts"), "我来处理")
    failed = plant.sees(WORDS.failed)

    plant.site.acceptance = (200, {"title": "You are on duty"})
    plant.tray.press(failed, "我来处理")

    assert plant.sees("You are on duty")


@pytest.mark.parametrize(
    ("status", "said", "title", "body", "may_try_again"),
    [
        (200, {}, WORDS.accepted, "[!!] Press 7 停线", False),
        (409, {"title": "Li Wei was faster", "body": "Rest"}, "Li Wei was faster", "Rest", False),
        (409, {"code": "x", "text": "This is closed."}, "[!!] Press 7 停线", "This is closed.", False),
        (500, {"text": "It broke"}, WORDS.failed, "[!!] Press 7 停线\nOverheating. Li Wei called.", True),
    ],
)
def test_every_answer_to_accept_is_shown(plant, status, said, title, body, may_try_again):
    plant.site.acceptance = (status, said)
    plant.calls()
    plant.tray.press(plant.sees("[!!] Press 7 停线"), "我来处理")
    plant.hears("/acceptance")

    shown = plant.sees(title)
    assert shown.body.strip().endswith(body)
    assert ("我来处理" in shown.buttons) is may_try_again


def test_without_a_network_nobody_has_it_and_the_phone_says_so(plant):
    plant.calls()
    call = plant.sees("[!!] Press 7 停线")
    plant.hears("/displayed")
    plant.site.gone = True

    plant.tray.press(call, "我来处理")

    assert "我来处理" in plant.sees(WORDS.failed).buttons
    assert not plant.site.sent("/acceptance")


def test_open_shows_the_anomaly_and_says_so(plant):
    plant.calls()
    call = plant.sees("[!!] Press 7 停线")

    with plant.context.expect_page() as opened:
        plant.tray.press(call, "查看")

    opened.value.wait_for_url(f"{plant.site.url}/anomalies/{ANOMALY}")
    assert plant.hears("/opened") == {"token": "one-time-token"}


def test_a_page_that_is_open_already_is_not_opened_twice(plant):
    plant.visits(f"/anomalies/{ANOMALY}")
    pages = len(plant.context.pages)
    plant.calls()

    plant.tray.tap(plant.sees("[!!] Press 7 停线"))

    plant.hears("/opened")
    assert len(plant.context.pages) == pages


def test_news_has_no_accept(plant):
    plant.calls(title="Press 7 is fixed", can_accept=False)

    assert "我来处理" not in plant.sees("Press 7 is fixed").buttons


@pytest.mark.parametrize("text", ["", "hello", "{}", '{"notification": {}}', "[1]"])
def test_every_push_is_shown_whatever_it_holds(plant, text):
    plant.pushes(text)

    assert plant.sees("Pullcord")
    assert not plant.site.posts


def test_without_a_network_a_station_still_shows_and_everything_else_says_why(plant):
    plant.visits("/S/P7QK")
    plant.visits("/queue")
    plant.site.gone = True

    assert plant.visits("/S/P7QK") == "/S/P7QK"
    assert plant.visits("/queue").startswith("No connection")
    assert plant.visits("/S/UNSEEN").startswith("No connection")


def test_nobody_s_own_pages_are_kept(plant):
    plant.visits("/S/P7QK")
    for path in ("/queue", "/me", f"/anomalies/{ANOMALY}", "/S/P7QK/report"):
        plant.visits(path)
    plant.page.evaluate("fetch('/S/P7QK', {method: 'POST'})")

    [kept] = plant.kept().values()
    assert [path for path in kept if not path.startswith("/static/")] == ["/offline", "/S/P7QK"]


def test_files_come_from_the_cache(plant):
    css = plant.site.assets.url("css/base.css")
    body = plant.page.evaluate(f"fetch('{css}').then((answer) => answer.text())")
    plant.site.gone = True

    assert plant.page.evaluate(f"fetch('{css}').then((answer) => answer.text())") == body
    assert plant.page.evaluate("fetch('/static/css/base.css').then((answer) => answer.text())") == body


def test_a_new_version_takes_over_at_once_and_leaves_nothing_stale(plant):
    plant.visits("/S/P7QK")
    [before] = plant.kept()
    plant.site.version = "next"

    plant.page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update())")

    plant.until(lambda: list(plant.kept()) == ["pullcord-next"])
    assert before != "pullcord-next"
    assert plant.visits("/S/P7QK") == "/S/P7QK next"


def test_only_get_is_answered_from_here(plant):
    plant.site.gone = True

    with pytest.raises(Error):
        plant.page.evaluate("fetch('/S/P7QK', {method: 'POST'})")


def test_where_the_push_service_is_out_of_reach_the_page_says_so_soon(plant):
    plant.page.evaluate("window.started = performance.now()")
    plant.page.click("[data-push-turn-on]")

    plant.page.wait_for_selector("[data-push][data-state=failed]")

    assert plant.page.evaluate("performance.now() - window.started") < 9000
    assert plant.page.inner_text("[data-push-state]") == "Cannot be reached"
    assert plant.page.is_visible("[data-push-turn-on]")


def test_who_has_forbidden_notifications_is_told_and_not_asked(plant):
    plant.forbids_notifications()

    plant.page.reload()

    plant.page.wait_for_selector("[data-push][data-state=blocked]")
    assert plant.page.inner_text("[data-push-state]") == "Blocked"
    assert not plant.page.is_visible("[data-push-turn-on]")
