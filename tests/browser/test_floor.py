"""The road by hand, in a real browser at phone size: call, enrich, scan, accept, fix, check."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlmodel import select

from app.anomaly.models import Anomaly, Attachment, Occurrence
from tests.browser.floor import film, jpeg, label, phone, somebody, tone
from tests.push.house import LEAD, PIN, STATION, House
from tests.push.service import PushService

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=15_000)  # two busy cores


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with PushService(tls=False) as service, House(tmp_path_factory.mktemp("house"), service) as house:
        yield house


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its camera sees a label, its microphone hears a tone."""
    folder = tmp_path_factory.mktemp("senses")
    senses = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film(f'HTTP://PLANT.EXAMPLE/S/{STATION}', folder / 'label.mjpeg')}",
        f"--use-file-for-fake-audio-capture={tone(folder / 'tone.wav')}",
    )
    with phone(*senses) as browser:
        yield browser


@pytest.fixture
def worker(browser: Browser, house: House) -> Iterator[Page]:
    with somebody(browser, base_url=house.url) as context:
        yield context.new_page()


@pytest.fixture
def lead(browser: Browser, house: House) -> Iterator[Page]:
    with somebody(browser, base_url=house.url) as context:
        yield _logged_in(context)


def test_one_tap_calls_without_javascript(browser: Browser, house: House) -> None:
    with somebody(browser, base_url=house.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"/s/{STATION}")
        page.get_by_role("button", name="Material").tap()

        expect(page.locator("#status")).to_contain_text("Help is called")
        page.set_input_files("input[type=file]", [_photo()])
        page.locator("form[action$='/photos'] button").first.tap()

        expect(page.locator("img[src*='/files/']").first).to_be_visible()
    [(anomaly)] = [a for a in house.ask(select(Anomaly)) if a.category == "material"]
    assert anomaly.occurrences == 1
    assert anomaly.photo_id is not None


def test_a_bouncing_glove_calls_once(worker: Page, house: House) -> None:
    before = len(house.ask(select(Occurrence)))
    worker.goto(f"/s/{STATION}")
    tile = worker.get_by_role("button", name="Measuring")

    tile.dblclick(no_wait_after=True)

    expect(worker.locator("#status")).to_be_visible()
    assert len(house.ask(select(Occurrence))) == before + 1


def test_a_call_is_enriched_while_somebody_walks(worker: Page, house: House) -> None:
    worker.goto(f"/s/{STATION}")
    worker.get_by_role("button", name="Quality").tap()
    worker.set_input_files("input[type=file]", [_photo()])
    expect(worker.locator("a[id^=photo-] img")).to_be_visible()

    worker.locator("[data-record]").tap()
    worker.wait_for_timeout(1600)  # speaking takes time
    worker.locator("[data-record]").tap()
    worker.locator("[data-send]").tap()
    expect(worker.locator("[data-voices] audio")).to_be_visible(timeout=15_000)

    worker.locator("label:has(input[name=line_stopped][value=yes])").tap()
    worker.locator("label:has(input[value=scratch])").tap()
    worker.locator("textarea[name=text]").fill("Deep scratch on the left side")
    worker.get_by_role("button", name="Done").tap()
    expect(worker.locator("textarea[name=text]")).to_have_value("Deep scratch on the left side")

    [anomaly] = [a for a in house.ask(select(Anomaly)) if a.category == "quality"]
    assert (anomaly.severity, anomaly.line_stopped, anomaly.symptom) == (1, True, "scratch")
    files = {f.kind: f for f in house.ask(select(Attachment)) if f.anomaly_id == anomaly.id}
    assert files["voice"].media_type == "audio/mp4"
    assert 1_000 < (files["voice"].duration_ms or 0) < 6_000


def test_the_camera_reads_a_label(worker: Page, house: House) -> None:
    worker.goto("/scan")

    worker.wait_for_url(f"{house.url}/s/{STATION}", timeout=20_000)


def test_a_photo_of_a_label_leads_to_the_station(browser: Browser, house: House) -> None:
    with somebody(browser, base_url=house.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/scan")
        seen = jpeg(label(f"HTTP://PLANT.EXAMPLE/S/{STATION}"))
        page.set_input_files("input[type=file]", [{"name": "label.jpg", "mimeType": "image/jpeg", "buffer": seen}])
        page.get_by_role("button", name="Send").tap()

        page.wait_for_url(f"{house.url}/s/{STATION}")


def test_the_road_by_hand(worker: Page, lead: Page, house: House) -> None:
    lead.goto("/queue")
    worker.goto(f"/s/{STATION}")
    worker.get_by_role("button", name="Machine").tap()
    number = worker.locator(".code", has_text="#").inner_text()

    # It is in the lead's queue without anybody loading anything.
    card = lead.locator("article", has_text="Machine")
    expect(card).to_be_visible(timeout=10_000)
    card.get_by_role("button", name="I take it").tap()
    expect(worker.locator("#status")).to_contain_text(LEAD, timeout=10_000)

    card.locator("a.card__body").tap()
    expect(lead.locator("#anomaly-head")).to_contain_text("Machine")
    assert number in lead.content()
    lead.get_by_role("button", name="I am there").tap()
    lead.get_by_role("link", name="Fixed").tap()
    lead.locator("label:has(input[value=machine])").tap()
    lead.get_by_role("button", name="Loose or misaligned").tap()
    lead.locator("textarea[name=fix]").fill("Tightened the hose")
    lead.locator("label:has(input[name=permanent][value=yes])").tap()
    lead.locator("button[form=resolution]").tap()
    expect(lead.locator("#anomaly-head [data-status=resolved]")).to_be_visible()
    expect(lead.get_by_text("Tightened the hose").first).to_be_visible()

    worker.get_by_role("button", name="It works").tap(timeout=10_000)
    expect(worker.locator("#status")).to_contain_text("checked", ignore_case=True)
    [anomaly] = [a for a in house.ask(select(Anomaly)) if a.category == "machine"]
    assert anomaly.status == "watching"
    assert anomaly.verified_at is not None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("lang", "word"), [("en-GB", "Machine"), ("zh-CN", "设备")])
def test_everybody_can_use_every_page(browser: Browser, house: House, scheme: str, lang: str, word: str) -> None:
    house.report("method")
    with somebody(browser, lang=lang, base_url=house.url, color_scheme=scheme) as context:
        elsewhere: list[str] = []
        page = context.new_page()
        page.add_init_script("navigator.mediaDevices.getUserMedia = async () => { throw new Error('no camera') }")
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(f"/s/{STATION}")
        expect(page.locator("main")).to_contain_text(word)
        found = {"station": _barriers(page), "targets": _too_small(page)}
        page.locator("button[name=category]").nth(3).tap()
        expect(page.locator("#status")).to_be_visible()
        found |= {"receipt": _barriers(page)}
        _log_in(page)
        [anomaly, *_] = house.ask(select(Anomaly))
        for path in (
            "/queue?tab=all",
            f"/anomalies/{anomaly.id}",
            "/me",
            "/scan",
            "/",
            "/labels",
            "/duty",
            "/handover",
        ):
            page.goto(path)
            found[path] = _barriers(page)

        assert {place: what for place, what in found.items() if what} == {}
        assert {url for url in elsewhere if not url.startswith((house.url, "blob:", "data:"))} == set()


def test_the_station_page_is_light(worker: Page, house: House) -> None:
    weights: dict[str, float] = {}
    session = worker.context.new_cdp_session(worker)
    session.send("Network.enable")
    urls: dict[str, str] = {}
    session.on("Network.requestWillBeSent", lambda e: urls.update({e["requestId"]: e["request"]["url"]}))
    session.on("Network.loadingFinished", lambda e: weights.update({e["requestId"]: e["encodedDataLength"]}))

    worker.goto(f"/s/{STATION}", wait_until="load")
    expect(worker.locator("[data-stream=on]").or_(worker.locator("main"))).to_be_visible()

    first = {urls[key]: size for key, size in weights.items() if "service-worker" not in urls[key]}
    assert sum(first.values()) <= 50_000, first
    assert sum(size for url, size in first.items() if ".js" in url) <= 30_000, first


def test_without_a_network_the_app_says_so(browser: Browser, house: House) -> None:
    with somebody(browser, base_url=house.url) as context:
        page = _logged_in(context)
        page.goto(f"/s/{STATION}")
        page.evaluate("navigator.serviceWorker.ready")
        page.goto("/queue")
        context.set_offline(True)

        page.goto("/me")

        expect(page.locator("body")).to_contain_text("Nothing was sent")
        context.set_offline(False)


def test_it_can_be_installed(worker: Page) -> None:
    worker.goto("/")
    found = worker.context.new_cdp_session(worker).send("Page.getInstallabilityErrors")["installabilityErrors"]

    assert [error for error in found if error["errorId"] != "in-incognito"] == []


def _logged_in(context: BrowserContext) -> Page:
    page = context.new_page()
    _log_in(page)
    return page


def _log_in(page: Page) -> None:
    page.goto("/login")
    page.fill("input[name=name]", LEAD)
    page.fill("input[name=pin]", PIN)
    page.locator("form:has(input[name=pin])").evaluate("form => form.requestSubmit()")
    page.wait_for_url("**/queue**")


def _photo() -> dict[str, object]:
    return {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": jpeg(label("HTTP://PLANT.EXAMPLE/S/AAAA"))}


def _barriers(page: Page) -> list[str]:
    """What axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in ("serious", "critical")]


def _too_small(page: Page) -> list[str]:
    """Anything an operator taps in the page's body is at least 60 px high, and every tile 112."""
    sizes = page.evaluate(
        "[...document.querySelectorAll('main button, main a.button')]"
        ".map(e => [e.className, e.getBoundingClientRect().height])"
    )
    return [f"{name} {height}" for name, height in sizes if height < (112 if "tile" in name else 60)]
