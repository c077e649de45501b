"""Promise 3: it survives a restart. Whatever stops whenever: nothing is lost, and nobody is rung twice.

Here everything that is only in memory goes away. Processes that are really killed: tests/faults/test_shift_killed.py.
"""

import asyncio
from datetime import timedelta

from app.anomaly.models import Event
from app.dispatch import actions as dispatch
from app.dispatch import deliveries
from app.kit.db import Database

SECOND = {"Wang Lei", "Liu Yang", "Chen Jing"}


async def test_between_two_rungs(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()
    await plant.waits(minutes=4)

    await plant.restarts()
    assert plant.rings() == {}
    await plant.waits(minutes=1)
    await plant.restarts()

    assert plant.rings() == dict.fromkeys(SECOND, 1)


async def test_between_planning_a_call_and_sending_it(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()
    plant.loops_run = False
    await plant.waits(minutes=5)
    await plant.dispatches()

    plant.loops_run = True
    await plant.restarts()

    assert plant.rings() == dict.fromkeys(SECOND, 1)


async def test_between_claiming_a_call_and_sending_it(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()
    plant.loops_run = False
    await plant.waits(minutes=5)
    await plant.dispatches()
    assert await plant.db.write(deliveries.claim_next, now=plant.now, limit=100)  # and then it died

    plant.loops_run = True
    await plant.restarts()
    assert plant.rings() == {}
    await plant.waits(seconds=deliveries.LEASE.total_seconds())

    assert plant.rings() == dict.fromkeys(SECOND, 1)


async def test_after_a_standstill_everybody_who_should_have_been_called_is_called_once(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()

    await plant.stands_still(minutes=20)
    await plant.settles()

    assert plant.ringing() == SECOND | {"Zhao Min"}
    called = [event.details for event in await plant.all(Event) if event.kind == "called"]
    assert [told["rung"] for told in called if told["clock"] == "accepted"] == [0, 1, 2]


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


async def test_what_was_accepted_before_stays_accepted(plant):
    report = await plant.worker_reports("Press 7")
    await plant.accepts("Li Wei", report.anomaly)
    plant.all_quiet()

    await plant.restarts()
    await plant.waits(minutes=10)

    assert plant.ringing() == {"Li Wei", "Wang Lei"}
    assert (await plant.card(report.anomaly)).owner == "Li Wei"
