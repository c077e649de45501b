"""Deliveries in, rings out. Many at a time, so that one slow push service holds up nobody else's phone."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from app.channels.base import Channel, Undeliverable
from app.dispatch import deliveries
from app.dispatch.answers import token_for
from app.dispatch.deliveries import Claimed
from app.dispatch.messages import compose
from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.errors import N_
from app.settings import Settings
from workers import loop

AT_ONCE = 200
log = structlog.get_logger()

BROKEN = N_("The message could not be made or sent. The log says why.")


class Deliverer:
    """Claims what is due while it has hands free; each message is sent and written down on its own."""

    def __init__(
        self,
        db: Database,
        channels: Mapping[str, Channel],
        settings: Settings,
        secret: bytes,
        *,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.db, self.channels, self.settings, self.secret = db, channels, settings, secret
        self.clock = clock
        self.sending: set[asyncio.Task[None]] = set()

    async def step(self) -> bool:
        """Begin to send what is due. Return False when nothing is, or all hands are busy."""
        free = AT_ONCE - len(self.sending)
        now = self.clock()
        if not free or not await self.db.read(deliveries.deliveries_due, now=now):
            return False
        claimed = await self.db.write(deliveries.claim_next, now=now, limit=free)
        for claim in claimed:
            task = asyncio.create_task(self._send(claim))
            self.sending.add(task)
            task.add_done_callback(self.sending.discard)
        return bool(claimed)

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self.sending, return_exceptions=True)

    async def _send(self, claim: Claimed) -> None:
        failure: Undeliverable | None = None
        try:
            message = compose(
                claim.facts,
                lang=claim.lang or self.settings.language,
                token=token_for(self.secret, claim.delivery_id),
                public_url=self.settings.public_url,
                now=self.clock(),
            )
            await self.channels[claim.channel].send(message, claim.target)
        except Undeliverable as refusal:
            failure = refusal
        except Exception:
            log.exception("deliver.failed", channel=claim.channel)
            failure = Undeliverable(BROKEN, retry_after=5)
        await self.db.write_one_of_many(deliveries.sent_now, (claim, failure, self.clock()))


async def main(
    db: Database, channels: Mapping[str, Channel], settings: Settings, secret: bytes, *, stop: asyncio.Event
) -> None:
    """Send until `stop`, then wait for what is under way and close the channels."""
    deliverer = Deliverer(db, channels, settings, secret)
    try:
        await loop.run("deliver", deliverer.step, pulse=db.pulse, stop=stop, rest=0.5)
        await deliverer.finish()
    finally:
        for channel in channels.values():
            await channel.close()
