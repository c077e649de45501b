"""Deliveries in, rings out. Each push service and each outlet has hands of its own: a dead one delays nobody else."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import structlog

from app.channels.base import Changing, Channel, Undeliverable
from app.dispatch import deliveries
from app.dispatch.answers import token_for
from app.dispatch.deliveries import Claimed, NotTried, Outcome
from app.dispatch.messages import compose
from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.errors import N_
from app.kit.secret import Unsealable, unseal
from app.settings import Settings
from workers import loop

AT_ONCE: Final = 500  # claimed in one transaction
HANDS: Final = 64  # for one service; a channel may use fewer connections
QUEUE: Final = 1000  # that may wait for those hands; what is beyond goes back and is claimed again
SLOW: Final = 3.0  # seconds; a failure that took so long has held a hand
STRIKES: Final = 3  # such failures in a row, and the service is left alone for a while
FIRST_REST: Final = 5.0
LONGEST_REST: Final = 60.0

log = structlog.get_logger()

BROKEN: Final = N_("The message could not be made or sent. The log says why.")
RESTING: Final = N_("This service did not answer several times in a row. It is tried again in a moment.")
FULL: Final = N_("This service has more to carry than it can. It is tried again in a moment.")
SEALED: Final = N_("The secret of this outlet was sealed by another installation. Enter it again under Channels.")


class Lane:
    """The hands for one service, and what we know of its health."""

    def __init__(self) -> None:
        self.hands = asyncio.Semaphore(HANDS)
        self.waiting = 0
        self._strikes = 0
        self._rest = FIRST_REST
        self._until = 0.0

    def resting(self) -> float:
        """Return for how many seconds the service is to be left alone."""
        return max(self._until - asyncio.get_running_loop().time(), 0.0)

    def note(self, outcome: Outcome, took: float) -> None:
        """Learn from what happened. Only failures that held a hand count: a quick no harms nobody else."""
        if not isinstance(outcome, Undeliverable):
            self._strikes, self._rest = 0, FIRST_REST
        elif took >= SLOW:
            self._strikes += 1
            if self._strikes >= STRIKES and not self.resting():
                self._until = asyncio.get_running_loop().time() + self._rest
                self._rest = min(self._rest * 2, LONGEST_REST)


class Deliverer:
    """Claims what is due; each message is sent and written down on its own."""

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
        self.lanes: defaultdict[str, Lane] = defaultdict(Lane)

    async def step(self) -> bool:
        """Begin to send what is due. Return False when nothing is."""
        now = self.clock()
        if not await self.db.read(deliveries.deliveries_due, now=now):
            return False
        claimed = await self.db.write(deliveries.claim_next, now=now, limit=AT_ONCE)
        for claim in claimed:
            task = asyncio.create_task(self._carry(claim))
            self.sending.add(task)
            task.add_done_callback(self.sending.discard)
        return bool(claimed)

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self.sending, return_exceptions=True)

    async def _carry(self, claim: Claimed) -> None:
        lane = self.lanes[service(claim)]
        outcome: Outcome
        if lane.waiting >= QUEUE:
            outcome = NotTried(FULL, retry_after=1)
        else:
            lane.waiting += 1
            async with lane.hands:
                lane.waiting -= 1
                if self.clock() > claim.lease - deliveries.LEASE / 2:  # it could end while we send
                    outcome = NotTried(FULL, retry_after=1)
                else:
                    outcome = await self._through(lane, claim)
        await self.db.write_one_of_many(deliveries.sent_now, (claim, outcome, self.clock()))

    async def _through(self, lane: Lane, claim: Claimed) -> Outcome:
        if rest := lane.resting():
            return NotTried(RESTING, retry_after=rest)
        began = asyncio.get_running_loop().time()
        outcome = await self._send(claim)
        lane.note(outcome, asyncio.get_running_loop().time() - began)
        return outcome

    async def _send(self, claim: Claimed) -> Outcome:
        try:
            message = compose(
                claim.facts,
                lang=claim.lang or self.settings.language,
                token=token_for(self.secret, claim.delivery_id),
                public_url=self.settings.public_url,
                now=self.clock(),
                others=claim.others,
            )
            target = unseal(self.secret, claim.sealed) if claim.sealed else claim.target
            channel = self.channels[claim.channel]
            if claim.receipt is None:
                return await channel.send(message, target)
            if isinstance(channel, Changing):
                await channel.change(message, target, claim.receipt)
            return claim.receipt
        except Undeliverable as refusal:
            return refusal
        except Unsealable:
            return Undeliverable(SEALED)
        except Exception:
            log.exception("deliver.failed", channel=claim.channel)
            return Undeliverable(BROKEN, retry_after=5)


def service(claim: Claimed) -> str:
    """Return who carries it: the push service of the phone, the outlet itself, or the one server of a channel."""
    if claim.outlet_id is not None:
        return str(claim.outlet_id)
    endpoint = claim.target.get("endpoint")
    return urlsplit(endpoint).netloc if isinstance(endpoint, str) else claim.channel


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
