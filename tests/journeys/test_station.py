"""The page behind the QR code: what is open here, one tap to call, and nothing that needs a login or a script."""

import re

import pytest

from app.plant.codes import label_address
from tests.factories import code_of
from tests.journeys.harness import done, on_any_database

PAGE = f"/s/{code_of('Press 7')}"


@on_any_database
async def test_what_the_label_says_leads_to_the_station(plant):
    label = label_address("https://plant.test", code_of("Press 7"))

    assert label == "HTTPS://PLANT.TEST/S/7K3Q"
    page = await lands(plant, label.removeprefix("HTTPS://PLANT.TEST"))

    assert (page.status_code, "Press 7" in page.text, "Line 3" in page.text) == (200, True, True)


@on_any_database
@pytest.mark.parametrize(
    "path", ["/s/7k3q", "/s/7K3Q", "/s/7K-3Q", "/scan/code?code=7k 3q", "/scan/code?code=７Ｋ３Ｑ"]
)
async def test_however_a_code_is_written_it_leads_there(plant, path):
    page = await lands(plant, path)

    assert (page.status_code, "Press 7" in page.text) == (200, True)


async def test_every_category_is_one_tap_that_needs_no_script(plant):
    page = (await plant.sees(PAGE)).text

    categories = re.findall(r'name="category" value="(\w+)"', page)
    assert len(set(categories)) == 9
    assert f'action="{PAGE}/reports"' in page

    answer = await plant.http.post(f"{PAGE}/reports", data={"category": categories[0]})

    assert answer.status_code == 303


async def test_what_is_open_here_is_shown_and_can_be_joined(plant):
    report = await plant.worker_reports("Press 7", "machine", message="It rattles")

    page = (await plant.sees(PAGE)).text
    assert all(text in page for text in ("It rattles", str(report.anomaly), f"{PAGE}/me-too"))

    done(await plant.says_me_too("Press 7", report.anomaly))

    assert "+1" in (await plant.sees(PAGE)).text


async def test_what_is_open_elsewhere_is_not_shown(plant):
    report = await plant.worker_reports("Press 8", "machine")

    assert str(report.anomaly) not in (await plant.sees(PAGE)).text


async def test_what_has_ended_is_history_with_its_fix(plant):
    report = await plant.worker_reports("Press 7", "machine")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    done(await plant.verifies("Wang Lei", report.anomaly))

    page = (await plant.sees(PAGE)).text

    assert "Replaced it" in page
    assert f"{PAGE}/me-too" not in page


@on_any_database
async def test_a_reporter_reads_no_names_of_those_who_reported(plant):
    await plant.worker_reports("Press 7", "machine", by="Ma Jun")

    assert "Ma Jun" not in (await plant.sees(PAGE)).text


async def lands(plant, path):
    """Follow where a browser is sent."""
    answer = await plant.sees(path)
    while answer.is_redirect:
        answer = await plant.sees(answer.headers["location"])
    return answer
