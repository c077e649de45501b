"""No black hole: the receipt tells each step with its time, also to somebody who never logged in."""

import re

from app.kit.ids import new_id
from tests.journeys.harness import done

STEP = re.compile(r'<li data-step="(\w+)"')
TIME = re.compile(r"<time datetime=[^>]*>(\d\d:\d\d:\d\d)</time>")


async def test_the_receipt_tells_each_step_with_its_time(plant):
    report = await plant.worker_reports("Press 7")
    assert await steps(plant, report) == ["done", "done", "now", "todo", "todo", "todo"]

    await plant.waits(minutes=1)
    done(await plant.accepts("Li Wei", report.anomaly))
    assert await steps(plant, report) == ["done", "done", "done", "now", "todo", "todo"]

    await plant.waits(minutes=2)
    done(await plant.arrives("Li Wei", report.anomaly))
    assert await steps(plant, report) == ["done", "done", "done", "done", "now", "todo"]

    await plant.waits(minutes=10)
    done(await plant.resolves("Li Wei", report.anomaly))
    assert await steps(plant, report) == ["done", "done", "done", "done", "done", "now"]

    await plant.waits(minutes=1)
    done(await plant.posts(f"{report.receipt}/confirmation", {"works": "yes"}))

    page = (await plant.sees(report.receipt)).text
    assert STEP.findall(page) == ["done"] * 6
    assert TIME.findall(page) == ["10:00:00", "10:00:00", "10:01:00", "10:03:00", "10:13:00", "10:14:00"]
    assert "Li Wei" in page


async def test_the_receipt_of_a_recalled_report_says_so(plant):
    report = await plant.worker_reports("Press 7")

    done(await plant.posts(f"{report.receipt}/recall", {}))

    assert await steps(plant, report) == ["done", "bad"]


async def test_everybody_who_said_me_too_has_a_receipt_of_their_own(plant):
    report = await plant.worker_reports("Press 7")
    mine = (await plant.says_me_too("Press 7", report.anomaly)).json()["url"]

    done(await plant.accepts("Li Wei", report.anomaly))

    page = (await plant.sees(mine)).text
    assert STEP.findall(page) == ["done", "done", "done", "now", "todo", "todo"]


async def test_a_receipt_nobody_has_is_a_sentence(plant):
    answer = await plant.sees(f"/r/{new_id()}")

    assert answer.status_code == 404
    assert "We have no report under this number." in answer.text


async def test_the_part_that_follows_live_is_the_same_as_on_the_page(plant):
    report = await plant.worker_reports("Press 7")

    part = (await plant.sees(f"{report.receipt}/status")).text

    assert STEP.findall(part) == STEP.findall((await plant.sees(report.receipt)).text)
    assert "<html" not in part


async def steps(plant, report):
    page = await plant.sees(report.receipt)
    assert page.status_code == 200, page.text
    return STEP.findall(page.text)
