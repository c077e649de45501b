"""The picture of what a machine showed: readable on a small phone, in both themes, and for those who cannot see it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, col, select

from app import demo
from app.evidence.models import Moment, Snapshot, SnapshotTag
from app.kit.clock import utcnow
from app.kit.db import connect
from tests.browser.floor import phone, somebody
from tests.push.house import House
from tests.push.service import PushService

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=15_000)  # two busy cores

ACCUSED = select(SnapshotTag.snapshot_id).where(col(SnapshotTag.score).is_not(None))
LATEST = (
    select(Snapshot.anomaly_id)
    .where(col(Snapshot.id).in_(ACCUSED), Snapshot.moment == Moment.ALARM)
    .order_by(col(Snapshot.at).desc())
    .limit(1)
)


class DemoHouse(House):
    """With the demonstration plant in it."""

    def _furnish(self) -> None:
        with Session(connect(self.database, writer=True), expire_on_commit=False) as session:
            demo.seed(session, now=utcnow())
            session.commit()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with PushService(tls=False) as service, DemoHouse(tmp_path_factory.mktemp("demo"), service) as house:
        yield house


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with phone() as browser:
        yield browser


def opened(page: Page, anomaly: UUID) -> Page:
    page.goto("/b/demo-chen-jing")
    page.locator("main form button").first.click()
    page.wait_for_url("**/queue*")
    page.goto(f"/anomalies/{anomaly}")
    expect(page.locator("#evidence .chart").first).to_be_visible()
    return page


@pytest.mark.parametrize("look", [{"color_scheme": "light"}, {"color_scheme": "dark"}], ids=["light", "dark"])
def test_the_evidence_fits_a_small_phone_and_anybody_can_read_it(
    browser: Browser, house: House, look: dict[str, Any]
) -> None:
    (anomaly,) = house.ask(LATEST)
    with somebody(browser, base_url=house.url, **look) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 360, "height": 740})
        opened(page, anomaly)

        assert page.evaluate("document.documentElement.scrollWidth") == 360
        expect(page.get_by_text("Changed most before it").first).to_be_visible()
        line, plain = page.locator(".chart__line").first, page.locator(".chart").first
        colours = [
            line.evaluate("e => getComputedStyle(e).stroke"),
            plain.evaluate("e => getComputedStyle(e).background"),
        ]
        assert colours[0] not in colours[1], "a line one can see"
        texts = page.locator(".chart text").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().height).filter(h => h)"
        )
        assert min(texts) >= 10
        box = page.get_by_role("link", name="Choose signals").bounding_box()
        assert box is not None
        assert box["height"] >= 48
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
        assert [one["id"] for one in found] == []


def test_without_javascript_it_has_a_page_of_its_own(browser: Browser, house: House) -> None:
    (anomaly,) = house.ask(LATEST)
    with somebody(browser, base_url=house.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/b/demo-chen-jing")
        page.locator("main form button").first.click()
        page.goto(f"/anomalies/{anomaly}")
        page.get_by_role("link", name="What the machine showed").tap()

        expect(page.locator(".chart").first).to_be_visible()
