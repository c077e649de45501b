"""Alarms that belong together are one anomaly; one that is told again stays one; one that chatters is counted."""

from datetime import timedelta

from app.capture.sources import alarms
from app.machines import actions
from app.machines.models import AlarmRule, AlarmState
from app.machines.watch import Watch
from tests.factories import id_of
from tests.journeys.harness import HOLDER, on_any_database

SOURCE = id_of("source", "PLC")


async def sets(plant, what: str, **extras: object) -> None:
    def change(session) -> None:
        rule = session.get_one(AlarmRule, id_of("rule", f"Press 7 {what}"))
        rule.extras = extras
        session.add(rule)

    await plant.changes(change)


async def starts_watching(plant) -> None:
    """As a worker does, holding back what chatters."""
    await plant.db.write(actions.lease_sources, HOLDER, {}, now=plant.now)
    taken = await plant.db.write(actions.take_up, SOURCE, HOLDER)
    plant._watch = Watch(taken.plan.alarms, taken.states, now=plant.now, calming=True)


async def test_what_follows_the_first_of_its_group_is_the_same_anomaly_after_a_restart_too(plant):
    for what in ("overheating", "sensor 1", "sensor 2"):
        await sets(plant, what, group="oven")
    first = await plant.machine_reports("Press 7", "overheating")
    await plant.waits(seconds=20)
    assert await plant.machine_reports("Press 7", "sensor 1") == first

    await starts_watching(plant)
    assert await plant.machine_is_normal("Press 7", "sensor 1") == first
    await plant.waits(seconds=50)
    assert await plant.machine_reports("Press 7", "sensor 2") != first, "more than a minute after the first"
    card = await plant.card(first)
    assert (card.occurrences, card.alarms_active) == (2, 1)
    kept = await plant.all(AlarmState)
    assert next(one for one in kept if one.rule_id == id_of("rule", "Press 7 sensor 1")).active is False


@on_any_database
async def test_an_alarm_that_is_told_again_counts_as_one_and_brings_back_what_was_called_fixed(plant):
    await sets(plant, "overheating", realarm_time_s=600)
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)

    await plant.waits(minutes=10)
    edges = [e for e in plant._watch.tick(now=plant.now) if e.transition.again]
    await plant.db.write(alarms.record, SOURCE, HOLDER, edges, now=plant.now)

    card = await plant.card(anomaly)
    assert (card.status, card.occurrences, card.alarms_active) == ("accepted", 2, 1)


@on_any_database
async def test_two_hundred_toggles_are_one_anomaly_with_a_count(plant):
    await starts_watching(plant)
    anomaly = await plant.machine_reports("Press 7", "overheating")
    for n in range(199):
        plant.clock.time += timedelta(seconds=1)
        await (plant.machine_reports if n % 2 else plant.machine_is_normal)("Press 7", "overheating")
    assert (await plant.card(anomaly)).occurrences == 3

    await plant.stands_still(minutes=10)
    edges = [e for e in plant._watch.tick(now=plant.now) if e.alarm.rule.id == id_of("rule", "Press 7 overheating")]
    await plant.db.write(alarms.record, SOURCE, HOLDER, edges, now=plant.now)
    assert [edge.counted for edge in edges] == [97]
    assert (await plant.card(anomaly)).alarms_active == 0
