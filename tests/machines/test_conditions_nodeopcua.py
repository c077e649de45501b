"""Alarms of a server of another maker, as Part 9 has them: branches, confirmation, shelving, and what a refresh repeats."""

import pytest

from app.kit.db import Database
from app.resolve import actions as resolve
from tests.machines.plant import Plant, lay_out
from tests.machines.tank import Tank
from tests.machines.test_conditions_live import ON, _people, active, conditions, does, fixes, timeline
from tests.machines.test_watching import _hurry, connected, eventually, keeping  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def tank(running_tank: Tank) -> Tank:
    """The machine, anew: its alarm has never been active."""
    running_tank.kill()
    running_tank.start()
    return running_tank


@pytest.fixture
async def plant(db: Database, tank: Tank) -> Plant:
    made = await lay_out(db, tank.url, **ON, severities=[901, 190, 140, 50])  # its limits are 150 and 200
    await db.write(_people, made)
    return made


async def test_from_the_first_limit_to_the_confirmation(plant, tank):
    async with keeping(plant.db):
        await connected(plant)
        tank.fills_to(85)
        await eventually(lambda: active(plant), [1])
        await does(plant, resolve.accept)
        await eventually(lambda: timeline(plant), [("machine_acked", "Li Wei")])
        assert tank.alarm()["acked"] is True
        assert tank.alarm()["comment"].startswith("Li Wei #")

        tank.fills_to(50)
        await eventually(lambda: active(plant), [0])
        await fixes(plant)
        await eventually(lambda: timeline(plant), [("machine_acked", "Li Wei"), ("machine_confirmed", "Li Wei")])
        assert tank.alarm()["confirmed"] is True

    assert [kind for kind, _ in await plant.signals()] == ["alarm", "return_to_normal"]


async def test_back_to_normal_before_anybody_came_the_branch_is_answered(plant, tank):
    async with keeping(plant.db):
        await connected(plant)
        tank.fills_to(85)
        await eventually(lambda: active(plant), [1])
        tank.fills_to(97)
        tank.fills_to(50)
        await eventually(lambda: active(plant), [0])
        assert tank.alarm()["branches"] >= 1

    async with keeping(plant.db):  # a refresh in between does not repeat the branch
        await connected(plant)
        await does(plant, resolve.accept)
        await eventually(lambda: _unacked(plant), 0)
        await fixes(plant)
        await eventually(lambda: _kept_branches(plant), 0)

    assert [anomaly.occurrences for anomaly in await plant.anomalies()] == [1]
    assert {kind for kind, _ in await timeline(plant)} == {"machine_acked", "machine_confirmed"}
    assert tank.alarm()["branches"] == 0


async def test_risen_while_we_were_away_it_is_seen_and_gone_while_away_it_clears(plant, tank):
    tank.fills_to(85)
    async with keeping(plant.db):
        await eventually(lambda: active(plant), [1])
    tank.fills_to(50)
    async with keeping(plant.db):
        await eventually(lambda: active(plant), [0])

    assert [kind for kind, _ in await plant.signals() if kind != "change"] == ["alarm", "return_to_normal"]


async def test_killed_and_started_again(plant, tank):
    async with keeping(plant.db):
        await connected(plant)
        tank.fills_to(85)
        await eventually(lambda: active(plant), [1])
        tank.kill()
        tank.start()
        await eventually(lambda: active(plant), [0], within=30)
        tank.fills_to(96)
        await eventually(lambda: active(plant), [1])

    assert len(await plant.anomalies()) == 1


async def test_shelved_at_the_machine_it_calls_when_it_is_taken_back(plant, tank):
    tank.shelves()
    async with keeping(plant.db):
        await connected(plant)
        tank.fills_to(85)
        await eventually(lambda: _hidden(plant), {"shelved"})
        assert await plant.anomalies() == []
        tank.shelves(False)
        tank.fills_to(97)
        await eventually(lambda: active(plant), [1])


async def _hidden(plant: Plant) -> set[str]:
    return {row.hidden for row in (await conditions(plant)).values() if row.active}


async def _unacked(plant: Plant) -> int:
    return sum(row.acked is False for row in (await conditions(plant)).values())


async def _kept_branches(plant: Plant) -> int:
    return sum(bool(row.branch) and row.retain for row in (await conditions(plant)).values())
