"""A loop works until it is told to stop, rests on the pulse, and does not die of one bad row."""

import asyncio

from app.kit.pulse import Pulse
from workers import loop


async def test_it_goes_on_as_long_as_there_is_work_and_then_rests():
    work, stop = [True] * 5 + [False], asyncio.Event()

    async def step() -> bool:
        worked = work.pop(0)
        if not work:
            stop.set()
        return worked

    async with asyncio.timeout(5):
        await loop.run("test", step, pulse=Pulse("sqlite://"), stop=stop, rest=60)

    assert work == []


async def test_a_step_that_fails_is_tried_again_after_a_rest():
    tries, stop = [], asyncio.Event()

    async def step() -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("a bad row")
        stop.set()
        return False

    async with asyncio.timeout(5):
        await loop.run("test", step, pulse=Pulse("sqlite://"), stop=stop, rest=0.01)

    assert len(tries) == 3


async def test_a_beat_wakes_it():
    pulse, stop, looked = Pulse("sqlite://"), asyncio.Event(), asyncio.Event()

    async def step() -> bool:
        if looked.is_set():
            stop.set()
        looked.set()
        return False

    running = asyncio.create_task(loop.run("test", step, pulse=pulse, stop=stop, rest=60))
    async with asyncio.timeout(5):
        await looked.wait()
        pulse.beat()
        await running


async def test_what_was_committed_during_a_step_is_not_slept_over():
    pulse, stop, steps = Pulse("sqlite://"), asyncio.Event(), []

    async def step() -> bool:
        steps.append(1)
        pulse.beat()  # somebody commits while we look
        if len(steps) == 3:
            stop.set()
        return False

    async with asyncio.timeout(5):
        await loop.run("test", step, pulse=pulse, stop=stop, rest=60)

    assert len(steps) == 3


async def test_told_to_stop_it_stops_while_it_rests():
    stop = asyncio.Event()

    async def step() -> bool:
        return False

    running = asyncio.create_task(loop.run("test", step, pulse=Pulse("sqlite://"), stop=stop, rest=60))
    await asyncio.sleep(0)
    stop.set()

    async with asyncio.timeout(5):
        await running
