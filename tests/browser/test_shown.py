"""What an open page has really shown: a card before somebody's eyes, not one in the background or below the edge."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from app.dispatch.models import Delivery
from tests.browser.floor import phone, somebody
from tests.push.house import LEAD, PIN, House
from tests.push.service import PushService

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=15_000)

IN_THE_BACKGROUND = "Object.defineProperty(document, 'hidden', { get: () => true })"


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    with PushService(tls=False) as service, House(tmp_path, service) as house:
        yield house


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with phone() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    with somebody(browser, base_url=house.url) as context:
        page = context.new_page()
        page.goto("/login?next=/queue")
        page.fill("[name=name]", LEAD)
        page.fill("[name=pin]", PIN)
        page.press("[name=pin]", "Enter")
        page.wait_for_url("**/queue")
        yield page


def test_a_card_that_is_seen_was_displayed_and_says_how_far_its_calls_got(house: House, page: Page) -> None:
    house.report("machine")

    card = page.locator("article.entry")
    expect(card.locator("[data-calls]")).to_contain_text("rang 1 phone · 1 displayed · 0 accepted")
    expect(card.locator("[data-calls]")).to_contain_text("Why you: on duty for this kind of problem")
    [call] = house.ask(select(Delivery).where(Delivery.channel == "stream"))
    assert call.displayed_at is not None
    assert call.opened_at is None

    card.locator("a").click()

    house.until(lambda: _opened(house), "the page about it was not opened")


def test_a_page_in_the_background_has_shown_nothing(house: House, page: Page) -> None:
    page.add_init_script(IN_THE_BACKGROUND)
    page.goto("/queue")
    house.report("machine")
    page.reload()
    expect(page.locator("article.entry")).to_be_visible()

    page.wait_for_timeout(1500)

    assert not any(delivery.displayed_at for delivery in house.ask(select(Delivery)))


def test_a_card_below_the_edge_is_seen_when_it_is_scrolled_to(house: House, page: Page) -> None:
    for category in ("machine", "quality", "material", "method", "environment", "man"):
        house.report(category)
    page.goto("/queue?tab=all")
    expect(page.locator("article.entry")).to_have_count(6)
    house.until(lambda: _displayed(house) > 0, "nothing was displayed")
    page.wait_for_timeout(1500)
    seen = _displayed(house)
    assert seen < len(house.ask(select(Delivery).where(Delivery.channel == "stream")))

    page.locator("article.entry").last.scroll_into_view_if_needed()

    house.until(lambda: _displayed(house) > seen, "what was scrolled to was not displayed")


def test_the_list_of_calls_stays_open_while_it_is_kept_true(house: House, page: Page) -> None:
    house.report("machine")
    page.locator("article.entry a").click()
    line, calls = page.locator("#calls-line"), page.locator("#calls-list")
    page.locator("#calls summary").click()
    expect(calls).to_be_visible()

    expect(line).to_have_text("rang 1 phone · 1 displayed · 0 accepted")
    expect(calls).to_contain_text("opened +")

    page.get_by_role("button", name="I take it").click()

    expect(line).to_have_text("rang 1 phone · 1 displayed · 1 accepted")
    expect(calls).to_contain_text("accepted +")
    assert page.locator("#calls details").get_attribute("open") is not None


def _displayed(house: House) -> int:
    return sum(bool(delivery.displayed_at) for delivery in house.ask(select(Delivery)))


def _opened(house: House) -> bool:
    return any(delivery.opened_at for delivery in house.ask(select(Delivery)))
