"""The machine has alarms of its own: an administrator takes them, people answer, and the machine hears of it."""

from typing import Any
from uuid import UUID

from app.anomaly.models import Anomaly
from app.capture.sources import conditions
from app.machines import actions, condition_actions
from app.machines.condition_models import Condition
from app.machines.conditions import Errand, Repeated, Told
from app.machines.models import Source
from tests.factories import id_of
from tests.journeys.harness import HOLDER, Plant, done, on_any_database, refused

PLC = id_of("source", "PLC")
PAGE = f"/machines/{PLC}/conditions"
WISH = {"conditions": "1", "acknowledge": "1", "urgent": 801, "serious": 601, "ordinary": 401, "minor": 201}


async def takes_them(plant: Plant, **form: Any) -> None:
    station = id_of("station", "Press 7")
    done(await plant.posts(PAGE, {**WISH, "others": station, **form}, by="Gao Yan"))
    await plant.db.write(actions.lease_sources, HOLDER, {}, now=plant.now)


async def machine_tells(plant: Plant, *news: Told | Repeated) -> None:
    await plant.db.write(conditions.record, PLC, HOLDER, news, now=plant.now)
    await plant.settles()


def jam(plant: Plant, **fields: Any) -> Told:
    alarm = {"active": True, "acked": False, "retain": True, "severity": 700, "event_id": "01", "name": "Jam"}
    told = {"source_name": "Feeder", "message": "Infeed jammed", **alarm, **fields}
    return Told(node="nsu=urn:maker;s=Jam", at=plant.now, **told)


async def machine_is_told(plant: Plant, status: str) -> Errand | None:
    """Let the worker take the next answer to the machine, which says this to it."""
    errand = await plant.db.write(condition_actions.claim, PLC, HOLDER, now=plant.now)
    if errand is not None:
        await plant.db.write(conditions.settle, PLC, HOLDER, errand, status, now=plant.now)
    return errand


async def raises(plant: Plant, **fields: Any) -> UUID:
    await machine_tells(plant, jam(plant, **fields))
    (anomaly,) = await plant.all(Anomaly)
    return anomaly.id


async def test_the_machine_calls_in_its_own_words(plant):
    await takes_them(plant)

    await raises(plant)

    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}
    assert plant.phone_of("Li Wei") == ["! Line 3 · Press 7: Machine | Feeder: Infeed jammed · #1001 · just now"]


async def test_who_accepts_acknowledges_at_the_machine_and_everybody_sees_it(plant):
    await takes_them(plant)
    anomaly = await raises(plant)

    done(await plant.accepts("Li Wei", anomaly))
    errand = await machine_is_told(plant, "Good")

    assert errand is not None
    assert (errand.act, errand.event_id, errand.comment) == ("acknowledge", "01", "Li Wei #1001")
    seen = (await plant.sees(f"/anomalies/{anomaly}", by="Wang Lei")).text
    assert "Acknowledged at the machine" in seen
    assert await machine_is_told(plant, "Good") is None


async def test_accepted_on_the_phone_is_acknowledged_too(plant):
    await takes_them(plant)
    await raises(plant)

    done(await plant.accepts_in_tray("Li Wei"))

    assert await machine_is_told(plant, "Good") is not None


async def test_who_fixes_confirms_with_cause_and_fix(plant):
    await takes_them(plant)
    anomaly = await raises(plant, confirmed=False)
    done(await plant.accepts("Li Wei", anomaly))
    await machine_is_told(plant, "Good")
    done(await plant.arrives("Li Wei", anomaly))

    done(await plant.resolves("Li Wei", anomaly))
    errand = await machine_is_told(plant, "Good")

    assert errand is not None
    assert (errand.act, errand.comment) == ("confirm", "Li Wei #1001 · Worn part · Replaced it")
    assert "machine_confirmed" in await plant.events(anomaly)


async def test_the_machine_refuses_and_the_page_says_how(plant):
    await takes_them(plant)
    anomaly = await raises(plant)
    done(await plant.accepts("Li Wei", anomaly))

    await machine_is_told(plant, "BadUserAccessDenied")

    assert (
        "The machine refused it: BadUserAccessDenied" in (await plant.sees(f"/anomalies/{anomaly}", by="Li Wei")).text
    )
    assert (await plant.card(anomaly)).status == "accepted"


async def test_no_answer_is_tried_again_later(plant):
    await takes_them(plant)
    anomaly = await raises(plant)
    done(await plant.accepts("Li Wei", anomaly))

    await machine_is_told(plant, "")
    assert await machine_is_told(plant, "Good") is None
    await plant.waits(seconds=3)

    assert await machine_is_told(plant, "Good") is not None
    assert (await plant.events(anomaly)).count("machine_acked") == 1


async def test_acknowledged_at_the_panel_shows_who_and_what_they_said(plant):
    await takes_them(plant)
    anomaly = await raises(plant)

    await machine_tells(plant, jam(plant, acked=True, user="Panel 2", comment="Seen", event_id="02"))

    (told,) = [event for event in await plant.timeline(anomaly) if event.kind == "machine_acked"]
    assert (told.by, told.details["note"]) == ("Panel 2", "Seen")


async def test_while_the_machine_says_it_stands_nobody_verifies(plant):
    await takes_them(plant)
    anomaly = await raises(plant)
    await plant.is_fixed_by("Li Wei", anomaly)

    assert refused(await plant.verifies("Wang Lei", anomaly)).startswith("resolve.")
    await machine_tells(plant, Repeated(frozenset()))

    done(await plant.verifies("Wang Lei", anomaly))


async def test_only_read_means_only_read(plant):
    await takes_them(plant, acknowledge="")
    anomaly = await raises(plant)

    done(await plant.accepts("Li Wei", anomaly))

    assert await machine_is_told(plant, "Good") is None


@on_any_database
async def test_an_administrator_decides_and_an_engineer_sees(plant):
    await takes_them(plant, said="Feeder", station=id_of("station", "Oven 1"), notifiers="nsu=urn:maker;s=Line")
    await raises(plant)

    page = (await plant.sees(PAGE, by="Chen Jing")).text
    assert "Infeed jammed" in page
    assert "severity 700 of 1000" in page
    assert 'name="urgent"' not in page
    (condition,) = await plant.all(Condition)
    assert condition.station_id == id_of("station", "Oven 1")
    mine = (await plant.sees(PAGE, by="Gao Yan")).text
    assert 'value="Feeder"' in mine
    assert "nsu=urn:maker;s=Line" in mine


@on_any_database
async def test_shelved_on_its_page_it_calls_nobody(plant):
    await takes_them(plant)
    await raises(plant)
    (condition,) = await plant.all(Condition)
    shelf = f"/machines/shelves/condition/{condition.id}"
    done(await plant.posts(shelf, {"kind": "timed", "minutes": "30", "reason": "Trial run"}, by="Chen Jing"))
    await machine_tells(plant, jam(plant, active=False, acked=True, retain=False, event_id="02"))
    plant.all_quiet()

    await machine_tells(plant, jam(plant, event_id="03"))

    assert plant.rings() == {}
    assert "Shelved here." in (await plant.sees(PAGE, by="Chen Jing")).text


@on_any_database
async def test_who_may_not_decide_is_refused(plant):
    for name in ("Chen Jing", "Zhao Min", "Li Wei"):
        assert refused(await plant.posts(PAGE, WISH, by=name)) == "pullcord.not_allowed"
    assert (await plant.sees(PAGE, by="Li Wei")).status_code == 403


@on_any_database
async def test_what_makes_no_sense_is_refused_whole(plant):
    wrong = (
        {"urgent": 100},
        {"minor": "x"},
        {"minor": 0},
        {"others": "nowhere"},
        {"others": id_of("station", "Press 1")},
        {"said": "Feeder", "station": ""},
        {"said": "F" * 600, "station": id_of("station", "Oven 1")},
    )
    for form in wrong:
        assert refused(await plant.posts(PAGE, {**WISH, **form}, by="Gao Yan")) == "machines.bad_condition_settings"
    assert (await plant.changes(lambda session: session.get_one(Source, PLC).settings)) == {}
