"""A screen in the hall, in a real browser at the size of a television: true, loud, and honest when it is cut off."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, select

from app.dispatch.models import Delivery, Outlet
from app.kit.clock import utcnow
from app.kit.db import connect
from app.kit.ids import new_id
from app.kit.secret import digest
from app.plant.models import Board, Site
from tests.browser.floor import phone
from tests.push.house import House
from tests.push.service import PushService

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=15_000)  # two busy cores
TELEVISION = {"width": 1920, "height": 1080}
READABLE = 90  # pixels of type: 45 mm capitals on 55 inches, for ten metres


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with PushService(tls=False) as service, House(tmp_path_factory.mktemp("house"), service) as house:
        with Session(connect(house.database, writer=True)) as session:
            site = session.exec(select(Site)).one()
            place = {"id": new_id(), "site_id": site.id, "name": "Hall 1", "created_at": utcnow()}
            session.add(Board(token=digest("television"), **place))
            session.add(Outlet(channel="board", target="", from_rung=False, **place))
            session.commit()
        yield house


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with phone("--autoplay-policy=document-user-activation-required") as browser:
        yield browser


@pytest.fixture
def screen(browser: Browser, house: House) -> Iterator[Page]:
    with browser.new_context(viewport=TELEVISION, locale="en-GB", base_url=house.url) as context:
        page = context.new_page()
        page.clock.install()
        page.goto("/board/television")
        yield page


def test_a_call_is_there_at_once_big_and_loud_and_what_was_shown_was_displayed(screen: Page, house: House) -> None:
    screen.get_by_role("button", name="Enable sound").click()
    expect(screen.locator("#sound")).to_be_hidden()
    expect(screen.locator("body")).to_have_attribute("data-chimes", "1")

    house.report("machine", line_stopped="yes")

    expect(screen.locator(".line[data-state=stopped]")).to_contain_text("LINE STOPPED")
    expect(screen.locator(".call h2").first).to_contain_text("Press 7")
    assert screen.locator(".call h2").first.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") > READABLE
    expect(screen.locator("body")).to_have_attribute("data-chimes", "2")
    mine = select(Delivery).where(Delivery.channel == "board", Delivery.displayed_at.is_not(None))
    house.until(lambda: bool(house.ask(mine)), "the screen did not say that it had shown the call")

    screen.clock.fast_forward(20_000)
    house.report("quality")
    expect(screen.locator(".call")).to_have_count(2)
    expect(screen.locator("body")).to_have_attribute("data-chimes", "2")


def test_nothing_hangs_over_the_edge_and_axe_has_no_complaint(screen: Page) -> None:
    assert screen.evaluate("document.scrollingElement.scrollHeight") <= TELEVISION["height"]
    assert screen.evaluate("document.scrollingElement.scrollWidth") <= TELEVISION["width"]
    found = Axe().run(screen, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert not [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]


def test_a_screen_that_is_cut_off_says_since_when_and_comes_back_by_itself(screen: Page, house: House) -> None:
    expect(screen.locator("#lost")).to_be_hidden()
    house.is_killed()
    screen.clock.fast_forward(26_000)
    expect(screen.locator("#lost strong")).to_contain_text("CONNECTION LOST since")

    house.starts()
    screen.clock.run_for(30_000)

    expect(screen.locator("#lost")).to_be_hidden()
