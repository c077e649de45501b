"""Nobody came: the next rung is called, once, whatever happens meanwhile."""

import asyncio
from datetime import date, timedelta

from app.anomaly.models import Event
from app.dispatch import actions as dispatch
from app.dispatch import deliveries
from app.dispatch.models import Delivery
from app.kit.db import Database
from tests import factories
from tests.journeys.harness import done

FIRST = {"Li Wei", "Sun Hao", "Wang Lei"}
SECOND = {"Wang Lei", "Liu Yang", "Chen Jing"}


async def test_nobody_accepts_so_one_rung_up_is_called_exactly_once(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()

    await plant.waits(minutes=14, seconds=59)

    assert plant.rings() == dict.fromkeys(SECOND, 1)
    assert plant.phone_of("Chen Jing") == ["! Line 3 · Press 7: Machine | #1001 · waiting for 5 min"]

    await plant.waits(seconds=1)

    assert plant.rings() == dict.fromkeys([*SECOND, "Zhao Min"], 1)

    await plant.waits(minutes=14, seconds=59)

    assert plant.rings() == dict.fromkeys([*SECOND, "Zhao Min"], 1)


async def test_at_the_end_of_the_ladder_nobody_is_forgotten(plant):
    await plant.worker_reports("Press 7")
    await plant.waits(hours=2)
    plant.all_quiet()

    await plant.waits(minutes=15)

    assert plant.rings() == {"Zhao Min": 1}

    await plant.waits(days=3)

    assert 5 <= plant.rings()["Zhao Min"] <= 9  # rarer and rarer: a reminder, not a siren


async def test_after_acceptance_nothing_rings_any_more(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()

    await plant.waits(minutes=4, seconds=59)
    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.waits(minutes=9)

    assert plant.rings() == {}


async def test_a_call_planned_before_the_acceptance_is_dropped_when_it_is_claimed(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()
    plant.loops_run = False
    await plant.waits(minutes=5)
    await plant.dispatches()

    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.delivers()

    assert plant.rings() == {}
    assert {d.state for d in await plant.all(Delivery) if d.rung == 1} == {"dropped"}


async def test_who_accepted_but_did_not_arrive_is_called_again_with_the_lead(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()

    await plant.waits(minutes=10)

    assert plant.ringing() == {"Li Wei", "Wang Lei"}
    assert plant.phone_of("Li Wei")[0].startswith("! Nobody on site yet · Press 7: Machine")

    done(await plant.arrives("Li Wei", report.anomaly))
    plant.all_quiet()
    await plant.waits(hours=1, minutes=59)

    assert plant.rings() == {}

    await plant.waits(minutes=1)

    assert plant.ringing() == {"Li Wei", "Wang Lei", "Chen Jing"}
    assert plant.phone_of("Li Wei")[0].startswith("! Still not fixed · Press 7: Machine")


async def test_a_restart_between_two_rungs_loses_none_and_repeats_none(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()
    await plant.waits(minutes=4)

    await plant.restarts()
    assert plant.rings() == {}
    await plant.waits(minutes=1)
    await plant.restarts()

    assert plant.rings() == dict.fromkeys(SECOND, 1)


async def test_a_restart_between_planning_and_sending_rings_once(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()
    plant.loops_run = False
    await plant.waits(minutes=5)
    await plant.dispatches()

    plant.loops_run = True
    await plant.restarts()

    assert plant.rings() == dict.fromkeys(SECOND, 1)


async def test_who_died_while_sending_is_replaced_after_the_lease(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()
    plant.loops_run = False
    await plant.waits(minutes=5)
    await plant.dispatches()
    claimed = await plant.db.write(deliveries.claim_next, now=plant.now, limit=100)  # and then it died
    assert len(claimed) == 6

    plant.loops_run = True
    await plant.restarts()
    assert plant.rings() == {}
    await plant.waits(seconds=deliveries.LEASE.total_seconds())

    assert plant.rings() == dict.fromkeys(SECOND, 1)


async def test_after_a_standstill_everybody_who_should_have_been_called_is_called_once(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()

    await plant.stands_still(hours=2)
    await plant.settles()

    assert plant.ringing() == SECOND | {"Zhao Min"}
    assert [event.details["rung"] for event in await plant.all(Event) if event.kind == "called"] == [0, 1, 2, 3, 4]


async def test_a_clock_that_was_set_back_rings_nobody_twice(plant):
    await plant.worker_reports("Press 7")
    await plant.waits(minutes=6)
    plant.all_quiet()

    await plant.stands_still(hours=-1)
    await plant.settles()
    await plant.waits(minutes=59)

    assert plant.rings() == {}


async def test_two_dispatchers_on_one_database_call_each_rung_once(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()
    plant.clock.time += timedelta(minutes=5)
    others = [Database(plant.url) for _ in range(3)]

    work = (db.write(dispatch.strike_next, now=plant.now, channels=plant.channels) for db in [plant.db, *others] * 5)
    await asyncio.gather(*work)
    await plant.settles()

    assert plant.rings() == dict.fromkeys(SECOND, 1)
    assert (await plant.events(report.anomaly)).count("called") == 2
    for db in others:
        db.close()


async def test_nobody_on_duty_falls_through_to_the_next_rung_at_once_and_says_so(plant):
    def nobody_of_maintenance_works(session):
        for name in ("Li Wei", "Sun Hao", "Wang Lei"):
            factories.duty(session, name, "night", date(2026, 11, 23))

    await plant.changes(nobody_of_maintenance_works)

    report = await plant.worker_reports("Press 7")

    assert plant.ringing() == {"Liu Yang", "Chen Jing"}
    assert await plant.events(report.anomaly) == ["reported", "nobody", "called"]
    told = await plant.sees(f"/anomalies/{report.anomaly}/timeline", by="Wang Lei")
    assert "Nobody on duty for this step" in told.text


async def test_the_night_shift_is_called_before_and_after_midnight(plant):
    def roster(session):
        factories.duty(session, "Li Wei", "early", date(2026, 11, 23))
        factories.duty(session, "Sun Hao", "night", date(2026, 11, 23))

    await plant.changes(roster)
    await plant.waits(hours=13, minutes=30)  # half past eleven in the evening
    await plant.worker_reports("Press 7")
    assert plant.ringing() == {"Sun Hao", "Wang Lei"}
    plant.all_quiet()

    await plant.waits(hours=4)  # half past three, the next day
    plant.all_quiet()
    await plant.worker_reports("Oven 1")

    assert plant.ringing() == {"Sun Hao", "Liu Yang"}
