"""A server's own alarms, from its events to the queue and back: everything real in between.

Long because all these promises share one machine, which is slow to start.
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Event
from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines import shelving
from app.machines.condition_models import Condition, ConditionAnswer, ConditionPlace
from app.machines.conditions import identity
from app.machines.models import ShelfKind, Source, Subject
from app.people.models import Person, Role
from app.plant.models import Station
from app.resolve import actions as resolve
from tests.machines.panel import Panel
from tests.machines.plant import Plant, lay_out
from tests.machines.test_watching import _hurry, connected, eventually, keeping  # noqa: F401
from workers import conditions as sender

ON = {"conditions": True, "acknowledge": True}


@pytest.fixture(scope="module")
def mortal() -> Iterator[Panel]:
    with Panel() as started:
        yield started


@pytest.fixture
def panel(mortal: Panel) -> Iterator[Panel]:
    """The machine, alive and well."""
    if not mortal.alive:
        mortal.start()
    mortal.resets()
    return mortal


@pytest.fixture
async def plant(db: Database, panel: Panel) -> Plant:
    made = await lay_out(db, panel.url, **ON)
    await db.write(_people, made)
    return made


def _people(session: Session, plant: Plant) -> None:
    station = session.get_one(Station, plant.station_id)
    session.add(Person(site_id=station.site_id, name="Li Wei", role=Role.ADMIN))
    session.add(ConditionPlace(source_id=plant.source_id, station_id=plant.station_id))


async def does(plant: Plant, what: Any, **how: Any) -> None:
    """Let Li Wei press a button on the first anomaly."""

    def press(session: Session) -> None:
        anomaly = session.exec(select(Anomaly)).first()
        assert anomaly is not None
        what(session, anomaly.id, by=session.exec(select(Person)).one(), now=utcnow(), **how)

    await plant.db.write(press)


async def fixes(plant: Plant) -> None:
    await does(plant, resolve.arrive)
    await does(plant, resolve.resolve, cause_class=None, cause="dry bearing", fix="greased", permanent=True)


async def timeline(plant: Plant) -> list[tuple[str, str]]:
    def read(session: Session) -> list[tuple[str, str]]:
        events = session.exec(select(Event).where(col(Event.kind).startswith("machine_")).order_by(col(Event.seq)))
        return [(event.kind, event.by) for event in events]

    return await plant.db.read(read)


async def conditions(plant: Plant) -> dict[str, Condition]:
    rows = await plant.db.read(lambda session: session.exec(select(Condition)).all())
    return {f"{row.name}{row.branch and '/branch'}": row for row in rows}


async def active(plant: Plant) -> list[int]:
    return [anomaly.alarms_active for anomaly in await plant.anomalies()]


async def answers(plant: Plant) -> list[tuple[str, str]]:
    def read(session: Session) -> list[tuple[str, str]]:
        rows = session.exec(select(ConditionAnswer).order_by(col(ConditionAnswer.asked_at), col(ConditionAnswer.id)))
        return [(row.act.value, row.state.value) for row in rows]

    return await plant.db.read(read)


async def test_an_alarm_of_the_machine_is_an_anomaly_with_its_own_words(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Jam", message="Infeed jammed", severity=650)
        await eventually(plant.signals, [("alarm", "Press: Infeed jammed")])
        panel.clears("Jam")
        await eventually(
            plant.signals, [("alarm", "Press: Infeed jammed"), ("return_to_normal", "Press Jam is back to normal")]
        )

    (anomaly,) = await plant.anomalies()
    assert (anomaly.severity, anomaly.origin, anomaly.alarms_active) == (2, "machine", 0)
    assert (await conditions(plant))["Jam"].node == Panel.condition("Jam")


async def test_accepted_here_it_is_acknowledged_there_and_fixed_confirmed(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Drive", confirmed=False)
        await eventually(lambda: _count(plant), 1)
        await does(plant, resolve.accept)
        await eventually(lambda: timeline(plant), [("machine_acked", "Li Wei")])
        panel.tells("Drive", acked=True, active=False, confirmed=False)
        await eventually(lambda: active(plant), [0])
        await fixes(plant)
        await eventually(lambda: timeline(plant), [("machine_acked", "Li Wei"), ("machine_confirmed", "Li Wei")])

    number = (await plant.anomalies())[0].number
    assert panel.heard() == [
        ("acknowledge", "Drive", f"Li Wei #{number}"),
        ("confirm", "Drive", f"Li Wei #{number} · dry bearing · greased"),
    ]


async def test_acknowledged_at_the_machine_is_told_with_who_it_was(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Oil")
        await eventually(lambda: _count(plant), 1)
        panel.tells("Oil", acked=True, user="Panel operator")
        panel.tells("Oil", acked=True, user="Panel operator")
        await eventually(lambda: timeline(plant), [("machine_acked", "Panel operator")])
        await does(plant, resolve.accept)

    assert await answers(plant) == []  # it has its answer


async def test_the_machine_refuses_and_people_are_told(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.answers("BadUserAccessDenied")
        panel.tells("Door")
        await eventually(lambda: _count(plant), 1)
        await does(plant, resolve.accept)
        await eventually(lambda: timeline(plant), [("machine_refused", "Li Wei")])

    assert await answers(plant) == [("acknowledge", "refused")]


async def test_the_alarm_changed_meanwhile_so_the_newest_is_acknowledged(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Belt")
        await eventually(lambda: _count(plant), 1)

    def forget_which(session: Session) -> None:
        session.exec(select(Condition)).one().event_id = "00"

    await plant.db.write(forget_which)
    await does(plant, resolve.accept)
    async with keeping(plant.db):
        await eventually(lambda: timeline(plant), [("machine_acked", "Li Wei")])


async def test_what_is_only_read_is_never_told_anything(plant, panel):
    await plant.change(Source, plant.source_id, settings=(await plant.source()).settings | {"acknowledge": False})
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Fan")
        await eventually(lambda: _count(plant), 1)
        await does(plant, resolve.accept)

    assert await answers(plant) == []


async def test_an_answer_waits_until_the_machine_is_there(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Pump")
        await eventually(lambda: _count(plant), 1)
    await does(plant, resolve.accept)
    assert await answers(plant) == [("acknowledge", "waiting")]

    async with keeping(plant.db):
        await eventually(lambda: answers(plant), [("acknowledge", "done")])


async def test_cleared_while_nobody_was_connected(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Stays")
        panel.tells("Goes")
        await eventually(lambda: _count(plant), 2)
    panel.forgets("Goes")

    async with keeping(plant.db):
        await eventually(lambda: active(plant), [1, 0])

    assert [kind for kind, _ in await plant.signals()] == ["alarm", "alarm", "return_to_normal"]
    panel.clears("Stays")


async def test_risen_while_nobody_was_connected(plant, panel):
    panel.tells("Early")
    async with keeping(plant.db):
        await eventually(lambda: active(plant), [1])
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Late")
        await eventually(lambda: active(plant), [1, 1])

    assert [kind for kind, _ in await plant.signals()] == ["alarm", "alarm"]
    panel.clears("Early")
    panel.clears("Late")


async def test_a_server_killed_and_started_again_has_forgotten_everything(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Heat")
        await eventually(lambda: active(plant), [1])
        panel.kill()
        panel.start()
        await eventually(lambda: active(plant), [0])
        panel.tells("Heat")
        await eventually(lambda: active(plant), [1])
        panel.clears("Heat")

    assert len(await plant.anomalies()) == 1


async def test_a_branch_is_an_occurrence_that_calls_nobody_and_outlives_a_refresh(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Zone")
        await eventually(lambda: _count(plant), 1)
        panel.tells("Zone", branch="Zone-1")
        panel.tells("Zone", active=False, acked=True, retain=True)
        await eventually(lambda: active(plant), [0])
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Other")
        await eventually(lambda: active(plant), [0, 1])
        await does(plant, resolve.accept)
        await eventually(lambda: timeline(plant), [("machine_acked", "Li Wei")])

    assert [kind for kind, _ in await plant.signals()][:3] == ["alarm", "change", "return_to_normal"]
    kept = await conditions(plant)
    assert (kept["Zone/branch"].retain, kept["Zone/branch"].acked) == (True, True)
    assert (await plant.anomalies())[0].occurrences == 1
    panel.clears("Zone")
    panel.clears("Other")


async def test_it_gets_worse_and_rings_as_what_it_is_now(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Temp", severity=450)
        await eventually(lambda: _severities(plant), [3])
        panel.tells("Temp", severity=950)
        await eventually(lambda: _severities(plant), [1])
        panel.clears("Temp")
        await eventually(lambda: active(plant), [0])

    assert (await plant.anomalies())[0].occurrences == 1


async def test_the_limits_of_severity_are_a_setting_of_the_source(plant, panel):
    settings = (await plant.source()).settings | {"severities": [301, 201, 101, 51]}
    await plant.change(Source, plant.source_id, settings=settings)
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Quiet", severity=40)
        panel.tells("Loud", severity=301)
        await eventually(lambda: _severities(plant), [1])
        await eventually(lambda: _names(plant), {"Quiet", "Loud"})
        panel.clears("Quiet")
        panel.clears("Loud")


async def test_shelved_at_the_machine_it_calls_when_it_is_unshelved(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Gate", shelved=True)
        await eventually(lambda: _names(plant), {"Gate"})
        assert await plant.anomalies() == []
        panel.tells("Gate")
        await eventually(lambda: active(plant), [1])
        panel.clears("Gate")


async def test_shelved_here_it_calls_when_its_time_is_over(plant, panel, monkeypatch):
    monkeypatch.setattr(sender, "ASK_AGAIN_S", 0.1)
    cover = Subject.CONDITION, identity(plant.source_id, Panel.condition("Cover"))

    def shelve(session: Session) -> None:
        by = session.exec(select(Person)).one()
        shelving.shelve(session, *cover, ShelfKind.TIMED, minutes=5, reason="new hinges", by=by, now=utcnow())

    def end(session: Session) -> None:
        shelving.unshelve(session, *cover, by=session.exec(select(Person)).one(), now=utcnow())

    await plant.db.write(shelve)
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Cover")
        await eventually(lambda: _names(plant), {"Cover"})
        assert await plant.anomalies() == []
        await plant.db.write(end)
        await eventually(lambda: active(plant), [1])


async def test_alarms_go_to_the_station_somebody_said(plant, panel):
    def elsewhere(session: Session) -> None:
        here = session.get_one(Station, plant.station_id)
        there = Station(line_id=here.line_id, site_id=here.site_id, code="OVEN1", names={"en": "Oven 1"})
        session.add(there)
        session.flush()
        session.add(ConditionPlace(source_id=plant.source_id, said="Oven", station_id=there.id))

    await plant.db.write(elsewhere)
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Burner", source_name="Oven")
        panel.tells("Ram", source_name="Press")
        await eventually(lambda: _count(plant), 2)
        panel.clears("Burner", source_name="Oven")
        panel.clears("Ram")
        await eventually(lambda: active(plant), [0, 0])

    stations = {anomaly.message: anomaly.station_id == plant.station_id for anomaly in await plant.anomalies()}
    assert stations == {"Oven: Burner!": False, "Press: Ram!": True}


async def test_a_flood_loses_nothing(plant, panel):
    names = [f"F{n}" for n in range(50)]
    async with keeping(plant.db):
        await connected(plant)
        panel.floods(names, 10)
        await eventually(lambda: _told(plant), (500, 500), within=60)
        await eventually(lambda: active(plant), [0] * 10, within=60)

    assert len(await plant.anomalies()) == 10  # after the tenth they are one with a list


async def test_not_listened_to_any_more_it_is_not_watched(plant, panel):
    async with keeping(plant.db):
        await connected(plant)
        panel.tells("Lamp")
        await eventually(lambda: active(plant), [1])
        await plant.change(Source, plant.source_id, settings=(await plant.source()).settings | {"conditions": False})
        await eventually(lambda: active(plant), [0])
    panel.clears("Lamp")


async def test_a_server_that_cannot_repeat_its_alarms_keeps_what_it_told(db):
    with Panel(refreshes=False) as panel:
        plant = await lay_out(db, panel.url, **ON)
        await db.write(_people, plant)
        async with keeping(db):
            await connected(plant)
            panel.tells("Valve")
            await eventually(lambda: active(plant), [1])
        async with keeping(db):
            await connected(plant)
            panel.tells("Next")
            await eventually(lambda: active(plant), [1, 1])
            panel.clears("Valve")
            await eventually(lambda: active(plant), [0, 1])


@pytest.mark.slow
async def test_a_worker_that_is_killed_loses_nothing_and_tells_nothing_twice(plant, panel):
    chance = random.Random(11)
    for _ in range(3):
        worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.machines.worker", plant.db.url)
        before = len(await plant.signals())
        async with asyncio.timeout(60):
            while len(await plant.signals()) < before + 4:
                panel.tells("Rapid")
                panel.clears("Rapid")
                await asyncio.sleep(0.02)
        await asyncio.sleep(chance.uniform(0, 0.1))
        worker.kill()
        await worker.wait()
        told = [kind for kind, _ in await plant.signals()]
        assert told == ["alarm" if n % 2 == 0 else "return_to_normal" for n in range(len(told))]
        assert (await conditions(plant))["Rapid"].changes == len(told)


async def _count(plant: Plant) -> int:
    return len(await plant.anomalies())


async def _severities(plant: Plant) -> list[int]:
    return [anomaly.severity for anomaly in await plant.anomalies()]


async def _names(plant: Plant) -> set[str]:
    return set(await conditions(plant))


async def _told(plant: Plant) -> tuple[int, int]:
    kinds = [kind for kind, _ in await plant.signals()]
    return kinds.count("alarm"), kinds.count("return_to_normal")
