"""A worker that is killed, at whatever moment, loses nothing and tells nothing twice."""

import asyncio
import random
import sys
from datetime import timedelta

import pytest

from app.machines import actions
from tests.machines.plant import lay_out
from workers import machines

KILLS = 6


@pytest.mark.slow
async def test_killed_between_any_two_steps(db, oven):
    plant = await lay_out(db, oven.url)
    rule_id = await plant.watch("Door", "discrete")
    restless = asyncio.create_task(_open_and_close(oven))
    chance = random.Random()

    for kill in range(KILLS):
        before = await plant.changes(rule_id)
        worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.machines.worker", db.url)
        async with asyncio.timeout(60):
            while await plant.changes(rule_id) < before + 3:
                await asyncio.sleep(0.01)
        await asyncio.sleep(chance.uniform(0, 0.2))
        worker.kill()
        await worker.wait()
        told = [row.kind for row in await plant.occurrences()]
        assert told == _alternating(len(told)), f"after kill {kill + 1}"
        assert await plant.changes(rule_id) == len(told)
    restless.cancel()


def test_a_dead_worker_is_replaced_within_fifteen_seconds():
    longest = actions.LEASE + machines.RENEW_EVERY + timedelta(seconds=machines.REST_S)

    assert longest < timedelta(seconds=15)


def _alternating(count: int) -> list[str]:
    return ["alarm" if n % 2 == 0 else "return_to_normal" for n in range(count)]


async def _open_and_close(oven) -> None:
    while True:
        for value in (True, False):
            oven.set("Door", value)
            await asyncio.sleep(0.03)
