"""An alarm that is hidden is watched all the same: it calls nobody, and what still stands at the end is told then."""

from app.capture.sources import alarms
from app.machines import actions
from app.machines.models import Shelf, Withheld
from tests.factories import id_of
from tests.journeys.harness import HOLDER, done, on_any_database, refused

RULE = id_of("rule", "Press 7 overheating")
SHELF = f"/machines/shelves/rule/{RULE}"


async def shelves(plant, by: str = "Chen Jing", **form: str):
    answer = await plant.posts(SHELF, {"kind": "timed", "minutes": "60", "reason": "New sensor"} | form, by=by)
    if answer.status_code < 400:
        await looks_again(plant)
    return answer


async def looks_again(plant) -> None:
    """What the worker does when settings have changed."""
    source = id_of("source", "PLC")
    taken = await plant.db.write(actions.take_up, source, HOLDER)
    edges = plant._watch.change(taken.plan.alarms, taken.states, now=plant.now)
    await plant.db.write(alarms.record, source, HOLDER, edges, now=plant.now)
    await plant.settles()


async def ticks(plant) -> None:
    """Let the delays pass; of the tags that nobody has read yet we want to hear nothing here."""
    edges = [edge for edge in plant._watch.tick(now=plant.now) if edge.alarm.rule.id == RULE]
    await plant.db.write(alarms.record, id_of("source", "PLC"), HOLDER, edges, now=plant.now)
    await plant.settles()


async def test_a_shelved_alarm_calls_nobody_and_what_still_stands_at_the_end_is_told_then(plant):
    await plant.machine_is_normal("Press 7", "overheating")
    done(await shelves(plant))
    plant.all_quiet()

    assert await plant.machine_reports("Press 7", "overheating") is None
    await plant.waits(minutes=59)
    await ticks(plant)
    assert plant.ringing() == set()
    (kept,) = await plant.all(Withheld)
    assert (kept.why, kept.active, kept.value) == ("shelved", True, "99")
    listed = (await plant.sees("/machines/shelves", by="Zhao Min")).text
    assert "New sensor" in listed
    assert "Chen Jing" in listed

    await plant.waits(minutes=1)
    await ticks(plant)
    assert "Li Wei" in plant.ringing()
    assert "Nothing is hidden." in (await plant.sees("/machines/shelves", by="Zhao Min")).text


@on_any_database
async def test_one_that_is_active_is_hidden_and_told_again(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    done(await shelves(plant, minutes="15"))
    assert (await plant.card(anomaly)).alarms_active == 0
    assert "the alarm is shelved" in (await plant.sees(f"/anomalies/{anomaly}", by="Li Wei")).text

    await plant.waits(minutes=15)
    await ticks(plant)

    assert (await plant.card(anomaly)).alarms_active == 1


@on_any_database
async def test_one_shot_hides_it_until_it_is_normal_once(plant):
    await plant.machine_is_normal("Press 7", "overheating")
    done(await shelves(plant, kind="one_shot"))

    assert await plant.machine_reports("Press 7", "overheating") is None
    assert await plant.machine_is_normal("Press 7", "overheating") is None
    assert (await plant.all(Shelf))[0].ended_at is not None
    assert await plant.machine_reports("Press 7", "overheating") is not None


@on_any_database
async def test_out_of_service_lasts_until_somebody_ends_it(plant):
    await plant.machine_is_normal("Press 7", "overheating")
    done(await shelves(plant, kind="out_of_service"))
    await plant.machine_reports("Press 7", "overheating")
    await plant.waits(hours=72)
    await ticks(plant)
    assert "out of service" in (await plant.sees(f"/machines/rules/{RULE}", by="Chen Jing")).text
    plant.all_quiet()

    done(await plant.posts(f"{SHELF}/end", {}, by="Gao Yan"))
    await looks_again(plant)

    assert "Li Wei" in plant.ringing()
    assert (await plant.all(Shelf))[0].ended_by == "Gao Yan"


@on_any_database
async def test_nobody_hides_an_alarm_for_long_or_without_saying_why(plant):
    assert refused(await shelves(plant, reason="  ")) == "machines.shelf_reason"
    assert refused(await shelves(plant, reason="x" * 301)) == "machines.shelf_reason"
    assert refused(await shelves(plant, minutes="481")) == "machines.shelf_too_long"
    assert refused(await shelves(plant, minutes="many")) == "machines.shelf_too_long"
    assert refused(await shelves(plant, kind="for ever")) == "pullcord.bad_input"
    assert await plant.all(Shelf) == []
