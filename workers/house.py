"""One process: the web server and the loops it was asked for, stopped together and cleanly."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence

import structlog

from app.channels import build_channels
from app.kit.db import Database
from app.kit.secret import keep
from app.main import SECRET_FILE, create_app
from app.settings import Settings
from workers import deliver, dispatch, ports, tidy

BACKLOG = 8192  # granian's default, 1024, counts idle streams: with 1500 phones online nobody else gets in
GRACE = 8.0  # seconds for all parts to finish what they have begun
PATIENCE = 3.0  # seconds for phones to finish what they are sending: what was not answered they send again
LOOK_AGAIN = 0.05
SETTLED = 2.0  # seconds until everything is loaded that stays

log = structlog.get_logger()


class House:
    """`ready` is called when the web server answers for the first time."""

    def __init__(
        self, settings: Settings, db: Database, stop: asyncio.Event, *, ready: Callable[[], None] | None = None
    ) -> None:
        self.settings, self.db, self.stop, self.ready = settings, db, stop, ready
        self.died = self.left_open = False

    async def run(self, *, web: bool, loops: Sequence[str], own_machines: bool = False) -> bool:
        """Run until `stop`. If one part dies, all stop: whoever started us starts us again, and nothing is lost.

        `own_machines`: with those of the demonstration plant. Return whether all went well.
        """
        pulse = asyncio.create_task(self.db.pulse.listen())
        parts = [(name, self._loop(name, own_machines)) for name in loops]
        if web:
            parts.append(("web", self._web))
        tasks = {asyncio.create_task(self._part(name, start), name=name) for name, start in parts}
        asyncio.get_running_loop().call_later(SETTLED, gc.freeze)  # looking through all that was loaded takes 0.1 s
        try:
            await self.stop.wait()
            _, late = await asyncio.wait(tasks, timeout=GRACE)
            for task in late:
                log.warning("part.slow_to_stop", part=task.get_name())
        finally:
            for task in (*tasks, pulse):
                task.cancel()
            await asyncio.gather(*tasks, pulse, return_exceptions=True)
            gc.unfreeze()  # or the C++ libraries complain at the end about what is still held
        return not self.died

    async def _part(self, name: str, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await start()
        except Exception:
            self.died = True
            log.exception("part.died", part=name)
        finally:
            self.stop.set()

    def _loop(self, name: str, own_machines: bool) -> Callable[[], Awaitable[None]]:
        settings, db, stop = self.settings, self.db, self.stop
        if name == "machines" and own_machines:
            from workers import demo

            return lambda: demo.watch_own_machines(db, stop=stop)
        if name == "machines":
            from workers import machines  # asyncua is large: only who watches machines loads it

            return lambda: machines.main(db, stop=stop)
        if name == "tidy":
            return lambda: tidy.main(db, stop=stop)
        if name == "dispatch":
            return lambda: dispatch.main(db, build_channels(settings), stop=stop)
        return self._deliver

    async def _deliver(self) -> None:
        channels = build_channels(self.settings)
        secret = keep(self.settings.data_dir / SECRET_FILE)
        try:
            await deliver.main(self.db, channels, self.settings, secret, stop=self.stop)
        finally:
            for channel in channels.values():
                await channel.close()

    async def _web(self) -> None:
        from granian.constants import Interfaces
        from granian.server.embed import Server

        settings = self.settings
        app = create_app(settings, db=self.db)
        server = Server(
            app,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            backlog=BACKLOG,
            backpressure=BACKLOG,
            log_enabled=False,
            ssl_cert=settings.tls_certificate,
            ssl_key=settings.tls_key,
        )
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(self.stop.wait())
        greeting = asyncio.create_task(self._greet())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        greeting.cancel()
        app.state.live.close()  # an open stream would keep the server from stopping
        if not serving.done():
            server.stop()  # type: ignore[no-untyped-call]
        _, late = await asyncio.wait({serving}, timeout=PATIENCE)
        if late:
            self.left_open = True
            serving.cancel()
        await asyncio.gather(serving, return_exceptions=bool(late))

    async def _greet(self) -> None:
        """Say that we are ready when we are, not before."""
        if self.ready is None:
            return
        host = ports.LOOPBACK if self.settings.host in ports.EVERYWHERE else self.settings.host
        tls = self.settings.tls_certificate is not None
        while not await ports.answers(host, self.settings.port, "/readyz", tls=tls):  # noqa: ASYNC110  (no event tells)
            await asyncio.sleep(LOOK_AGAIN)
        self.ready()
