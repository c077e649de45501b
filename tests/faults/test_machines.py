"""A storm of faults on the way to a machine: no alarm that is still active is missed, and none is opened twice."""

import asyncio
import random
from datetime import timedelta

import pytest

from tests.machines.oven import Oven
from tests.machines.plant import lay_out
from tests.machines.storm import TAGS, Storm
from tests.machines.wire import Wire
from workers import machines
from workers.machines import Keeper

STRIKES = 12


@pytest.mark.slow
async def test_whatever_happens_on_the_way_every_alarm_is_known_and_told_once(db, monkeypatch):
    monkeypatch.setattr(machines, "REST_S", 0.05)
    monkeypatch.setattr(machines, "RENEW_EVERY", timedelta(seconds=0.1))
    with Oven(TAGS) as oven:
        async with Wire(oven.port) as wire:
            storm = Storm(await lay_out(db, wire.url), oven, wire, random.Random(11))
            await storm.prepare()
            stop = asyncio.Event()
            working = asyncio.create_task(machines.keep(Keeper(db), db, stop=stop))
            await storm.is_known()

            for _ in range(STRIKES):
                await storm.strikes()

            assert await storm.told_twice() == []
            assert len(storm.faults) == 4
            stop.set()
            await working
