"""The handover from one shift to the next writes itself; the next lead says that it has arrived."""

from datetime import date

import pytest

from app.kit.ids import new_id
from app.rosters.models import HandoverNote
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import done, refused

DAY = date(2026, 11, 23)


@pytest.fixture
async def shift(plant):
    """Late on Line 3, ten to ten in the evening: one is being repaired, one is on hold, one came back."""
    await plant.changes(lambda session: factories.duty(session, "Wang Lei", "late", DAY))
    await plant.waits(hours=5)
    first = await plant.worker_reports("Press 8")
    await plant.is_fixed_by("Li Wei", first.anomaly)
    done(await plant.verifies("Wang Lei", first.anomaly))
    await plant.waits(hours=1)
    await plant.worker_reports("Press 8")
    held = await plant.worker_reports("Press 7", "quality")
    done(await plant.accepts("He Fang", held.anomaly))
    done(await plant.does("He Fang", "hold", held.anomaly, reason="Gauge is being calibrated", minutes=180))
    working = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", working.anomaly))
    await plant.waits(hours=5, minutes=40)
    return plant


async def test_the_page_is_written_by_itself(plant, shift):
    page = await sees(plant, "/handover", "Wang Lei")

    assert "late" in page
    for said in ("Li Wei is on the way", "On hold: Gauge is being calibrated", "Look again at"):
        assert said in page
    back, _, watched = page.partition("Came back")[2].partition("Machines to watch")
    assert ("Press 8" in back, "Press 7" in back) == (True, False)
    assert ("Press 7" in watched, "2 anomalies" in watched, "Press 8" in watched) == (True, True, False)


async def test_each_line_has_its_own(plant, shift):
    await plant.worker_reports("Oven 1")

    assert "Oven 1" not in await sees(plant, "/handover", "Wang Lei")
    assert "Oven 1" in await sees(plant, "/handover?line=all", "Wang Lei")
    assert "Press 7" not in await sees(plant, f"/handover?line={id_of('line', 'Line 4')}", "Wang Lei")


async def test_a_quiet_shift_says_so(plant):
    assert "Quiet shift, nothing open." in await sees(plant, "/handover", "Wang Lei")


async def test_the_next_lead_is_shown_it_and_taps_received(plant, shift):
    note = await hands_over(plant, "Wang Lei", "The hose of Press 7 leaks a little.")

    assert f"/handover/{note}" in await sees(plant, "/duty", "Zhao Min")
    page = await sees(plant, f"/handover/{note}", "Zhao Min")
    assert [
        w for w in ("The hose of Press 7 leaks a little.", "Wang Lei handed over", "Received") if w not in page
    ] == []
    done(await plant.posts(f"/handover/{note}/receipt", {}, by="Zhao Min"))

    assert "Zhao Min received it" in await sees(plant, f"/handover/{note}", "Wang Lei")
    assert f"/handover/{note}" not in await sees(plant, "/duty", "Zhao Min")


async def test_it_stays_as_it_was_when_it_was_given(plant, shift):
    note = await hands_over(plant, "Wang Lei")
    before = await sees(plant, f"/handover/{note}", "Zhao Min")

    again = await plant.worker_reports("Press 8")
    await plant.is_fixed_by("Li Wei", again.anomaly)
    await plant.worker_reports("Press 8", "quality")

    after = await sees(plant, f"/handover/{note}", "Zhao Min")
    assert after.partition("<main>")[2] == before.partition("<main>")[2]


async def test_two_taps_are_one_handover(plant, shift):
    key = new_id()

    assert await hands_over(plant, "Wang Lei", "Once", key=key) == await hands_over(plant, "Wang Lei", "Once", key=key)

    assert len(await plant.all(HandoverNote)) == 1


async def test_it_is_received_once_and_by_somebody_else(plant, shift):
    note = await hands_over(plant, "Wang Lei")

    assert refused(await plant.posts(f"/handover/{note}/receipt", {}, by="Wang Lei")) == "rosters.own_note"
    assert refused(await plant.posts(f"/handover/{note}/receipt", {}, by="Ma Jun")) == "pullcord.not_allowed"
    done(await plant.posts(f"/handover/{note}/receipt", {}, by="Zhao Min"))
    done(await plant.posts(f"/handover/{note}/receipt", {}, by="Zhao Min"))
    assert refused(await plant.posts(f"/handover/{note}/receipt", {}, by="Liu Yang")) == "rosters.already_received"


async def test_the_shift_that_has_just_ended_is_the_one_that_is_handed_over(plant, shift):
    await plant.waits(minutes=30)  # ten past ten

    note = await hands_over(plant, "Wang Lei")

    (kept,) = await plant.all(HandoverNote)
    assert (kept.id, kept.shift_id, kept.day) == (note, id_of("shift", "late"), DAY)


async def test_a_line_nobody_has_is_refused(plant, shift):
    answer = await plant.posts("/handover", {"key": new_id(), "line": new_id(), "text": ""}, by="Wang Lei")

    assert refused(answer) == "pullcord.not_found"
    assert await plant.all(HandoverNote) == []


async def hands_over(plant, name, text="", *, key=None):
    form = {"key": key or new_id(), "line": id_of("line", "Line 3"), "text": text}
    answer = done(await plant.posts("/handover", form, by=name))
    (note,) = [one.id for one in await plant.all(HandoverNote) if answer.headers["location"].endswith(str(one.id))]
    return note


async def sees(plant, path, name):
    answer = await plant.sees(path, by=name)
    assert answer.status_code == 200, answer.text
    return answer.text
