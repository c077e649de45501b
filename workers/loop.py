"""One way to repeat a step: until told to stop, resting on the pulse, never dying of one bad row."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from app.kit.pulse import Pulse

Step = Callable[[], Awaitable[bool]]

BREATH = 0.02  # seconds between two looks that find nothing: in a flood, one look serves for many commits

log = structlog.get_logger()


async def run(name: str, step: Step, *, pulse: Pulse, stop: asyncio.Event, rest: float = 1.0) -> None:
    """Repeat `step` until `stop`. A step returns True when it did something.

    A step that fails is logged and tried again after a rest: one bad row must not stop the line.
    """
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            beats, looked = pulse.beats, asyncio.get_running_loop().time()
            try:
                worked = await step()
            except Exception:
                log.exception("loop.step_failed", loop=name)
                await asyncio.wait({stopping}, timeout=rest)
                continue
            if not worked:
                waking = asyncio.create_task(pulse.after(beats, rest=rest))
                await asyncio.wait({waking, stopping}, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                await asyncio.sleep(max(looked + BREATH - asyncio.get_running_loop().time(), 0))
    finally:
        stopping.cancel()
