"""The one queue: what needs me, what my team has, everything; the worst first, then what escalates next."""

import re

from tests import factories
from tests.journeys.harness import done

CARD = re.compile(r'<article id="anomaly-([0-9a-f-]{36})"')


async def test_the_worst_comes_first_and_then_what_escalates_next(plant):
    ordinary = await plant.worker_reports("Press 8", "method")
    escalated = await plant.worker_reports("Oven 1", "machine")
    await plant.waits(minutes=1)  # looked at: no phone has shown one of them
    serious = await plant.worker_reports("Press 8", "quality")
    urgent = await plant.worker_reports("Press 7", "method", danger="yes")
    await plant.waits(minutes=1)
    assert await shown(plant, "all", "Zhao Min") == in_order(urgent, escalated, serious, ordinary)

    await plant.waits(minutes=3)  # the next rung of one has been called: the other one escalates sooner now

    assert await shown(plant, "all", "Zhao Min") == in_order(urgent, serious, escalated, ordinary)


async def test_what_needs_me_is_mine_or_offered_or_waits_for_my_team_or_for_my_judgement(plant):
    waits_for_team = await plant.worker_reports("Press 7", "machine")
    mine = await plant.worker_reports("Oven 1", "machine")
    done(await plant.accepts("Li Wei", mine.anomaly))
    offered = await plant.worker_reports("Press 8", "machine")
    done(await plant.accepts("Sun Hao", offered.anomaly))
    done(await plant.hands_over("Sun Hao", offered.anomaly, to="Li Wei"))
    quality = await plant.worker_reports("Press 8", "quality")

    assert await shown_as_set(plant, "mine", "Li Wei") == ids(waits_for_team, mine, offered)
    assert await shown_as_set(plant, "mine", "He Fang") == ids(quality)
    assert await shown_as_set(plant, "mine", "Liu Yang") == set()
    assert await shown_as_set(plant, "all", "He Fang") == ids(waits_for_team, mine, offered, quality)


async def test_what_is_fixed_waits_for_the_lead_of_the_line(plant):
    report = await plant.worker_reports("Press 7", "machine")
    await plant.is_fixed_by("Li Wei", report.anomaly)

    assert await shown_as_set(plant, "mine", "Wang Lei") == ids(report)
    assert await shown_as_set(plant, "mine", "Li Wei") == set()

    done(await plant.verifies("Wang Lei", report.anomaly))

    assert await shown_as_set(plant, "all", "Wang Lei") == set()


async def test_my_team_is_my_line_for_a_lead_and_my_team_for_a_specialist(plant):
    press = await plant.worker_reports("Press 7", "machine")
    oven = await plant.worker_reports("Oven 1", "machine")
    quality = await plant.worker_reports("Press 8", "quality")

    assert await shown_as_set(plant, "team", "Wang Lei") == ids(press, quality)
    assert await shown_as_set(plant, "team", "Liu Yang") == ids(oven)
    assert await shown_as_set(plant, "team", "Sun Hao") == ids(press, oven)
    assert await shown_as_set(plant, "team", "Zhao Min") == ids(press, oven, quality)


async def test_a_card_tells_what_where_how_bad_and_who_else(plant):
    report = await plant.worker_reports("Press 7", "machine")
    for _ in range(3):
        await plant.says_me_too("Press 7", report.anomaly)

    page = (await plant.sees("/queue?tab=all", by="Wang Lei")).text

    assert all(text in page for text in ("Press 7", "Line 3", "+3", 'data-status="reported"', 'data-severity="2"'))


async def test_the_button_stands_only_where_it_may_be_pressed(plant):
    report = await plant.worker_reports("Press 7", "machine")
    button = f"/anomalies/{report.anomaly}/acceptance"

    assert button in (await plant.sees("/queue?tab=all", by="Li Wei")).text
    assert button not in (await plant.sees("/queue?tab=all", by="Ma Jun")).text


async def test_a_button_answers_with_the_card_it_stood_in(plant):
    report = await plant.worker_reports("Press 7", "machine")
    inside = {"hx-request": "true", "hx-target": f"anomaly-{report.anomaly}"}

    answer = await plant.posts(f"/anomalies/{report.anomaly}/acceptance", {}, by="Li Wei", **inside)

    assert answer.status_code == 200
    assert CARD.findall(answer.text) == [str(report.anomaly)]
    assert 'data-status="accepted"' in answer.text


async def test_the_queue_counts_exactly_and_shows_fifty(plant):
    def many(session):
        for n in range(60):
            factories.station(session, f"Cell {n}", code=f"C{n:03}", line="Line 4")

    await plant.changes(many)
    plant.loops_run = False
    for n in range(60):
        sent = {"category": "quality"}
        await plant.http.post(f"/s/C{n:03}/reports", data=sent)

    page = (await plant.sees("/queue?tab=all", by="He Fang")).text

    assert len(CARD.findall(page)) == 50
    assert re.findall(r"data-count>(\d+\+?)<", page) == ["60", "60", "60"]


async def test_nobody_sees_the_queue_without_logging_in(plant):
    for path in ("/queue", "/queue/list", "/me"):
        assert (await plant.sees(path)).status_code in (303, 401)


async def shown(plant, tab, by):
    page = await plant.sees(f"/queue?tab={tab}", by=by)
    assert page.status_code == 200, page.text
    return CARD.findall(page.text)


async def shown_as_set(plant, tab, by):
    return set(await shown(plant, tab, by))


def ids(*reports):
    return {str(report.anomaly) for report in reports}


def in_order(*reports):
    return [str(report.anomaly) for report in reports]
