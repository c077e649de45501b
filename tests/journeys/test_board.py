"""A screen in the hall: it tells everybody who walks past, no more than they may know, and says what it has shown."""

import re
from html import unescape

import pytest
from sqlmodel import col, select

from app.dispatch.models import Delivery, DeliveryState
from app.kit.ids import new_id
from app.plant.models import Board
from tests.journeys.harness import done, on_any_database, refused

ADDRESS = re.compile(r"http://\S+?(/board/[\w-]+)")


@pytest.fixture
async def board(plant):
    """The path of a new screen."""
    return await hung(plant)


async def hung(plant, **form):
    answer = await plant.posts("/boards", {"name": "Hall 1", **form}, by="Gao Yan")
    found = ADDRESS.search(done(answer).text)
    assert found
    return found[1]


async def shows(plant, board, *, lang="en"):
    """What can be read on it: the lines with their states, the worst calls, the figures of the day."""
    answer = await plant.sees(f"{board}/wall?lang={lang}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.text))).strip()


async def test_each_line_says_in_one_word_how_it_is(plant, board):
    assert "Line 3 normal" in await shows(plant, board)
    report = await plant.worker_reports("Press 7", line_stopped="yes")
    assert "Line 3 LINE STOPPED" in await shows(plant, board)
    assert "Line 4 normal" in await shows(plant, board)

    await plant.does("Wang Lei", "severity", report.anomaly, severity=2)
    assert "Line 3 needs help" in await shows(plant, board)
    await plant.is_fixed_by("Li Wei", report.anomaly)
    assert "Line 3 to be checked" in await shows(plant, board)
    done(await plant.verifies("Wang Lei", report.anomaly))
    assert "Line 3 all clear 10:00" in await shows(plant, board)

    await plant.waits(minutes=16)
    assert "Line 3 normal" in await shows(plant, board)


async def test_the_worst_three_are_shown_and_the_day_so_far(plant, board):
    for station, severity in (("Press 7", 3), ("Press 8", 2), ("Oven 1", 1)):
        report = await plant.worker_reports(station)
        await plant.does("Zhao Min", "severity", report.anomaly, severity=severity)
    await plant.worker_reports("Oven 1", "material")

    seen = await shows(plant, board)

    assert seen.index("Oven 1") < seen.index("Press 8")
    assert "and 1 more" in seen
    assert "4 open now 4 called today 0 put right today" in seen


async def test_no_names_unless_they_are_allowed(plant, board):
    named = await hung(plant, names_shown="yes")
    report = await plant.worker_reports("Press 7", by="Ma Jun", text="Ma Jun dropped it")
    await plant.accepts("Li Wei", report.anomaly)

    assert "Somebody is on the way" in await shows(plant, board)
    assert "Li Wei" not in await shows(plant, board)
    assert "Li Wei is on the way" in await shows(plant, named)
    assert "Ma Jun" not in await shows(plant, named)


@on_any_database
async def test_a_television_speaks_the_language_in_its_address(plant, board):
    await plant.worker_reports("Press 7")

    assert "三号线" in await shows(plant, board, lang="zh")


@on_any_database
async def test_who_has_no_address_sees_nothing_and_an_address_can_be_taken_back(plant, board):
    assert (await plant.sees("/board/guessed")).status_code == 404
    [row] = await plant.all(Board)
    assert board.rpartition("/")[2] not in row.model_dump_json(), "only its hash is kept"

    done(await plant.posts(f"/boards/{row.id}/removal", {}, by="Gao Yan"))

    assert (await plant.sees(board)).status_code == 404
    assert (await plant.sees(f"{board}/wall")).status_code == 404


@on_any_database
async def test_only_an_administrator_hangs_one_up(plant):
    for name in ("Li Wei", "Wang Lei", "Zhao Min"):
        assert refused(await plant.posts("/boards", {"name": "Hall"}, by=name)) == "pullcord.not_allowed"
    assert refused(await plant.posts("/boards", {"name": " "}, by="Gao Yan")) == "dispatch.board_without_name"
    assert refused(await plant.posts("/boards", {"name": "x", "area_id": "y"}, by="Gao Yan")) == "pullcord.bad_input"


async def test_what_a_screen_shows_was_displayed(plant, board):
    report = await plant.worker_reports("Press 7")
    call = await told(plant, report)

    answer = await plant.http.post(f"{board}/shown", json={"anomalies": [str(report.anomaly)]})

    assert answer.status_code == 204
    [row] = await plant.db.read(lambda s: s.exec(select(Delivery).where(col(Delivery.id) == call)).all())
    assert row.displayed_at == plant.now


async def test_a_screen_is_told_from_the_first_call_on(plant, board):
    report = await plant.worker_reports("Press 7")
    [row] = await plant.all(Board)

    calls = [d for d in await plant.all(Delivery) if d.outlet_id == row.id]

    assert [(d.anomaly_id, d.channel, d.state) for d in calls] == [(report.anomaly, "board", DeliveryState.SENT)]


async def told(plant, report):
    """What dispatch plans for this screen."""
    [board] = await plant.all(Board)
    call = Delivery(
        id=new_id(),
        once=str(new_id()),
        anomaly_id=report.anomaly,
        outlet_id=board.id,
        channel="board",
        purpose="call",
        why={},
        state=DeliveryState.SENT,
        due_at=plant.now,
        planned_at=plant.now,
    )
    await plant.changes(lambda session: session.add(call))
    return call.id
