"""The whole road to a pocket and back: Pullcord as it runs, a push service, a real Firefox, a finger on Accept."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from sqlmodel import select

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly
from app.dispatch.models import Delivery
from app.people.models import Address, Person
from tests.push.browsers import PHONE, firefox
from tests.push.house import LEAD, PIN, House
from tests.push.service import PushService
from tests.push.tray import Tray

pytestmark = pytest.mark.browser


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService(tls=False) as service:
        yield service


@pytest.fixture
def tray() -> Iterator[Tray]:
    with Tray() as tray:
        yield tray


@pytest.fixture
def house(service, tmp_path) -> Iterator[House]:
    with House(tmp_path, service) as house:
        yield house


@pytest.fixture
def page(tray, service) -> Iterator[Page]:
    with firefox(tray, service) as browser:
        yield browser.new_context(viewport=PHONE, locale="en").new_page()


def test_a_worker_taps_the_lead_s_phone_rings_and_one_press_takes_it(house, service, tray, page):
    page.goto(f"{house.url}/login?next=/me")
    page.fill("[name=name]", LEAD)
    page.fill("[name=pin]", PIN)
    page.press("[name=pin]", "Enter")
    page.click("[data-push-turn-on]")
    page.wait_for_selector("[data-push][data-state=on]")
    [address] = house.ask(select(Address))
    assert address.channel == "webpush"
    page.goto("about:blank")

    house.report("machine")

    call = tray.wait_for(None, meanwhile=lambda: page.wait_for_timeout(50))
    assert "Press 7" in call.title
    [letter] = service.letters
    assert (letter.urgency, letter.ttl > 0) == ("high", True)

    tray.press(call, "I take it")

    settled = tray.wait_for("You have it", meanwhile=lambda: page.wait_for_timeout(50))
    assert "#1" in settled.body
    [anomaly], [lead] = house.ask(select(Anomaly)), house.ask(select(Person))
    assert (anomaly.status, anomaly.owner_id) == (Status.ACCEPTED, lead.id)
    [delivery] = house.ask(select(Delivery).where(Delivery.channel == "webpush"))
    assert None not in (delivery.sent_at, delivery.displayed_at, delivery.token_used_at)
    assert page.url == "about:blank"
