"""What every request meets: headers, forged forms, floods, and the language of the reader."""

import pytest

from app.anomaly.models import Anomaly
from tests.factories import code_of
from tests.journeys.harness import done, on_any_database, refused

pytestmark = on_any_database

OURS = ["/livez", "/readyz", "/metrics", "/service-worker.js", "/app.webmanifest", "/openapi", "/schema/openapi.json"]
PAGES = ["/", "/login", "/scan", "/offline", "/nowhere"]


@pytest.mark.parametrize("path", [*PAGES, *OURS, f"/s/{code_of('Press 7')}"])
async def test_every_answer_carries_a_strict_policy(plant, path):
    answer = await plant.sees(path)

    assert answer.status_code == (404 if path == "/nowhere" else 200)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "sent",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://plant.test"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://plant.test:8080"},
        {"origin": "http://plant.test.evil.example"},
    ],
)
async def test_a_form_on_another_site_does_nothing(plant, sent):
    report = await plant.worker_reports("Press 7")

    answer = await plant.posts(f"/anomalies/{report.anomaly}/acceptance", {}, by="Wang Lei", **sent)

    assert (answer.status_code, "pullcord.other_site" in answer.text) == (403, True)
    assert (await plant.card(report.anomaly)).status == "reported"


@pytest.mark.parametrize(
    "sent", [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://plant.test"}]
)
async def test_our_own_forms_work_also_in_old_browsers(plant, sent):
    report = await plant.worker_reports("Press 7")

    done(await plant.posts(f"/anomalies/{report.anomaly}/acceptance", {}, by="Wang Lei", **sent))


async def test_one_phone_cannot_flood_a_station_and_nobody_else_is_held_up(plant):
    plant.loops_run = False
    answers = [await plant.posts_report("Press 7") for _ in range(61)]

    assert [answer.status_code for answer in answers[:60]] == [201] * 60
    assert refused(answers[60]) == "pullcord.too_many"
    assert (await plant.posts_report("Oven 1")).status_code == 201
    assert len(await plant.all(Anomaly)) == 2

    plant.clock.time = plant.now.replace(minute=1)

    assert (await plant.posts_report("Press 7")).status_code == 201


async def test_who_tries_one_pin_after_another_is_slowed_down(plant):
    answers = [await plant.posts("/login", {"name": f"Person {n}", "pin": "1"}) for n in range(21)]

    assert [answer.status_code for answer in answers] == [403] * 20 + [429]


@pytest.mark.parametrize(
    ("asked", "lang", "word"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "7 号冲压机"),
        ("en-GB,en;q=0.9", "en", "Press 7"),
        ("de-DE,de;q=0.9", "en", "Press 7"),
        ("de,zh;q=0.5,en;q=0.1", "zh-CN", "7 号冲压机"),
        ("", "en", "Press 7"),
        (";;;q=x,,", "en", "Press 7"),
    ],
)
async def test_a_page_speaks_the_language_of_the_phone(plant, asked, lang, word):
    page = (await plant.sees(f"/s/{code_of('Press 7')}", **{"accept-language": asked})).text

    assert f'lang="{lang}"' in page
    assert word in page


async def test_the_chosen_language_outranks_the_phone_and_stays(plant):
    answer = done(await plant.posts("/language", {"lang": "zh", "next": "/login"}))
    chosen = answer.headers["set-cookie"].partition(";")[0]

    page = await plant.sees("/login", cookie=chosen, **{"accept-language": "en"})

    assert answer.headers["location"] == "/login"
    assert 'lang="zh-CN"' in page.text


async def test_who_has_chosen_a_language_reads_it_on_every_phone(plant):
    await plant.speaks("Wang Lei", "zh")

    assert 'lang="zh-CN"' in (await plant.sees("/queue", by="Wang Lei", **{"accept-language": "en"})).text


@pytest.mark.parametrize("lang", ["xx", "", "zh; Path=/x", "../../etc"])
async def test_an_unknown_language_changes_nothing(plant, lang):
    answer = done(await plant.posts("/language", {"lang": lang, "next": "//evil.example"}))

    assert (answer.headers["location"], "set-cookie" in answer.headers) == ("/", False)


async def test_an_address_nobody_has_is_a_page_in_the_language_of_the_reader(plant):
    page = await plant.sees("/nowhere", **{"accept-language": "zh"})

    assert (page.status_code, 'lang="zh-CN"' in page.text) == (404, True)


async def test_a_refusal_is_in_the_language_of_the_reader(plant):
    english = await plant.posts("/s/ZZZZ/reports", {"category": "machine"}, **{"accept-language": "en"})
    chinese = await plant.posts("/s/ZZZZ/reports", {"category": "machine"}, **{"accept-language": "zh"})

    assert refused(english) == chinese.json()["code"] == "capture.unknown_station"
    assert "station" in english.json()["text"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.json()["text"])
