"""Keeps stack lights and sirens as they should be: one connection for each, opened again for ever."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

import structlog

from app.channels.base import Undeliverable
from app.channels.light import Light as Kind
from app.channels.light import Wanted
from app.channels.mqtt import Mqtt
from app.channels.stacklight import StackLight
from app.dispatch import lights
from app.dispatch.lights import Light
from app.kit.db import Database
from app.kit.errors import DomainError
from app.kit.secret import unseal
from workers import loop

LONGEST_REST = 30.0
FIRST_REST = 1.0

KINDS: Mapping[str, Kind] = {Mqtt.kind: Mqtt(), StackLight.kind: StackLight()}

log = structlog.get_logger()


class Keeper:
    """Looks at every commit what each light should show, and tells the task that holds it."""

    def __init__(self, db: Database, secret: bytes) -> None:
        self._db, self._secret = db, secret
        self._held: dict[UUID, tuple[str, Wanted, asyncio.Task[None]]] = {}

    async def step(self) -> bool:
        """Follow what should be shown. Rest after it in any case."""
        found = {light.outlet_id: light for light in await self._db.read(lights.lights)}
        for outlet_id in [one for one, (target, *_) in self._held.items() if _changed(found.get(one), target)]:
            await self._let_go(outlet_id)
        for light in found.values():
            if light.outlet_id in self._held:
                self._held[light.outlet_id][1].be(light.on)
            else:
                wanted = Wanted(light.on)
                self._held[light.outlet_id] = (light.target, wanted, asyncio.create_task(self._hold(light, wanted)))
        return False

    async def close(self) -> None:
        for outlet_id in list(self._held):
            await self._let_go(outlet_id)

    async def _let_go(self, outlet_id: UUID) -> None:
        *_, task = self._held.pop(outlet_id)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _hold(self, light: Light, wanted: Wanted) -> None:
        """One light that fails is no other's business."""
        rest, said = FIRST_REST, ""
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await KINDS[light.kind].hold(unseal(self._secret, light.target), wanted)
            except (Undeliverable, DomainError) as fault:
                if (me := asyncio.current_task()) and me.cancelling():  # the goodbye failed: no reason to stay
                    raise asyncio.CancelledError from fault
                reason = str(fault)
            except Exception:
                log.exception("lights.failed", outlet=str(light.outlet_id))
                reason = ""
            if asyncio.get_running_loop().time() - began > LONGEST_REST:
                rest, said = FIRST_REST, ""
            if reason and reason != said:  # once for each reason, not once a second
                log.warning("lights.lost", outlet=str(light.outlet_id), reason=reason)
            said = reason
            await asyncio.sleep(random.uniform(rest / 2, rest))
            rest = min(rest * 2, LONGEST_REST)


async def main(db: Database, secret: bytes, *, stop: asyncio.Event) -> None:
    """Keep every light until `stop`."""
    keeper = Keeper(db, secret)
    try:
        await loop.run("lights", keeper.step, pulse=db.pulse, stop=stop, rest=2.0)
    finally:
        await keeper.close()


def _changed(light: Light | None, target: str) -> bool:
    return light is None or light.target != target
