"""The whole road to a pocket and back: Pullcord as it runs, a push service, a real Firefox, a finger on Accept."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session, select

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly
from app.dispatch.models import Delivery
from app.kit.clock import utcnow
from app.kit.db import connect
from app.people.models import Address, Person
from app.plant.models import Site
from app.rosters.models import CheckIn, Duty, Shift
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


@pytest.fixture
def rings(house, page) -> None:
    """The lead has turned ringing on, and put the phone away."""
    page.goto(f"{house.url}/login?next=/me")
    page.fill("[name=name]", LEAD)
    page.fill("[name=pin]", PIN)
    page.press("[name=pin]", "Enter")
    page.click("[data-push-turn-on]")
    page.wait_for_selector("[data-push][data-state=on]")
    [address] = house.ask(select(Address))
    assert address.channel == "webpush"
    page.goto("about:blank")


@pytest.mark.usefixtures("rings")
def test_a_worker_taps_the_lead_s_phone_rings_and_one_press_takes_it(house, service, tray, page):

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


@pytest.mark.usefixtures("rings")
def test_a_shift_begins_and_one_tap_on_the_bell_puts_on_duty(house, tray, page):
    begins_now(house)

    bell = tray.wait_for("Shift Late starts: tap to go on duty", meanwhile=lambda: page.wait_for_timeout(50))
    with page.context.expect_page() as opened:
        tray.tap(bell)

    expect(opened.value.get_by_text("You are on duty")).to_be_visible()
    [checkin] = house.ask(select(CheckIn))
    [delivery] = house.ask(select(Delivery).where(Delivery.channel == "webpush"))
    assert None not in (checkin.answered_at, delivery.displayed_at, delivery.token_used_at)


def begins_now(house: House) -> None:
    """Put the lead on the roster for a shift that has begun a minute ago."""
    with Session(connect(house.database, writer=True)) as session:
        [site], [lead] = session.exec(select(Site)).all(), session.exec(select(Person)).all()
        begun = utcnow().astimezone(ZoneInfo(site.timezone)) - timedelta(minutes=1)
        ends = (begun + timedelta(hours=8)).time()
        shift = Shift(site_id=site.id, names={"en": "Late"}, starts=begun.time(), ends=ends)
        session.add(shift)
        session.flush()
        session.add(Duty(person_id=lead.id, shift_id=shift.id, day=begun.date()))
        session.commit()
