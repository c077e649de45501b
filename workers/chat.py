"""Listens to chat apps: one outgoing connection for each, opened again for ever; a click is an acceptance."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import structlog

from app.channels.apps import APPS
from app.channels.base import Channel, Undeliverable
from app.channels.line import Click, Line, Reply
from app.dispatch import chats
from app.dispatch.chats import App
from app.dispatch.messages import compose
from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.i18n import sentence
from app.kit.secret import unseal
from app.settings import Settings
from workers import loop

FIRST_REST = 1.0
LONGEST_REST = 60.0

log = structlog.get_logger()


class Listener:
    """Keeps a connection for each chat app. It shares the channels with whoever sends: some send over it."""

    def __init__(
        self,
        db: Database,
        channels: Mapping[str, Channel],
        settings: Settings,
        secret: bytes,
        *,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._db, self._settings, self._secret, self._clock = db, settings, secret, clock
        self._lines: dict[str, Line] = {kind: channels[kind] for kind in APPS}  # type: ignore[misc]
        self._open: dict[UUID, tuple[App, asyncio.Task[None]]] = {}

    async def step(self) -> bool:
        """Open what is new, let go of what is gone or was changed. Rest after it in any case."""
        wanted = {app.outlet_id: app for app in await self._db.read(chats.apps)}
        for outlet_id in [one for one, (app, _) in self._open.items() if wanted.get(one) != app]:
            await self._let_go(outlet_id)
        for outlet_id in wanted.keys() - self._open.keys():
            app = wanted[outlet_id]
            self._open[outlet_id] = (app, asyncio.create_task(self._listen(app)))
        return False

    async def close(self) -> None:
        for outlet_id in list(self._open):
            await self._let_go(outlet_id)

    async def answer(self, click: Click) -> Reply:
        """Do what the click means, and say what became of it."""
        now = self._clock()
        press = await self._db.write(chats.press, click.delivery_id, click.kind, click.app, click.user, now=now)
        lang = press.lang or self._settings.language
        here = self._settings.public_url.rstrip("/")
        card = None
        if press.facts:
            common = self._settings.language
            card = compose(press.facts, lang=common, token="", public_url=here, now=now)
        return Reply(
            sentence(press.sentence, {"url": f"{here}/me/chat", **press.holes}, lang=lang), card, press.everybody
        )

    async def _let_go(self, outlet_id: UUID) -> None:
        _, task = self._open.pop(outlet_id)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _listen(self, app: App) -> None:
        rest, said = FIRST_REST, ""
        while True:
            began, reason = asyncio.get_running_loop().time(), ""
            try:
                await self._lines[app.kind].listen(unseal(self._secret, app.target), self.answer)
            except Undeliverable as fault:
                reason = fault.reason
            except Exception:
                log.exception("chat.failed", outlet=str(app.outlet_id))
            if asyncio.get_running_loop().time() - began > LONGEST_REST:
                rest, said = FIRST_REST, ""
            if reason != said:  # once for each reason, not once a second
                log.warning("chat.lost", outlet=str(app.outlet_id), reason=reason)
            said = reason
            await asyncio.sleep(random.uniform(rest / 2, rest))
            rest = min(rest * 2, LONGEST_REST)


async def main(
    db: Database, channels: Mapping[str, Channel], settings: Settings, secret: bytes, *, stop: asyncio.Event
) -> None:
    """Listen until `stop`."""
    listener = Listener(db, channels, settings, secret)
    try:
        await loop.run("chat", listener.step, pulse=db.pulse, stop=stop, rest=2.0)
    finally:
        await listener.close()
