"""One process: the web server and the loops it was asked for, stopped together and cleanly."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import structlog

from app.kit.db import Database
from app.kit.secret import SECRET_FILE, keep
from app.settings import Settings
from workers import ports

BACKLOG = 8192  # granian's default, 1024, counts idle streams: with 1500 phones online nobody else gets in
GRACE = 8.0  # seconds for all parts to finish what they have begun
PATIENCE = 3.0  # seconds for phones to finish what they are sending: what was not answered they send again
LOOK_AGAIN = 0.05
SETTLED = 5.0  # seconds until everything is loaded that stays

log = structlog.get_logger()


class House:
    """`ready` is called when everything answers for the first time."""

    def __init__(
        self, settings: Settings, db: Database, stop: asyncio.Event, *, ready: Callable[[], None] | None = None
    ) -> None:
        self.settings, self.db, self.stop, self.ready = settings, db, stop, ready
        self.died = self.left_open = False
        self.open = asyncio.Event()  # phones are answered
        self.machines = asyncio.Event()  # the demonstration plant's own answer too
        self.loading = asyncio.Lock()

    async def run(self, *, web: bool, loops: Sequence[str], own_machines: bool = False) -> bool:
        """Run until `stop`. If one part dies, all stop: whoever started us starts us again, and nothing is lost.

        Phones come first: the loops begin when the web server answers, for what they need takes a second to load.
        `own_machines`: with those of the demonstration plant. Return whether all went well.
        """
        pulse = asyncio.create_task(self.db.pulse.listen())
        if not own_machines:
            self.machines.set()
        parts = {name: self._loop(name, own_machines) for name in loops}
        if web:
            parts["web"] = self._web()
        else:
            self.open.set()
        tasks = {asyncio.create_task(self._part(name, part), name=name) for name, part in parts.items()}
        asyncio.get_running_loop().call_later(SETTLED, settle)
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

    async def _part(self, name: str, part: Coroutine[None, None, None]) -> None:
        try:
            await part
        except Exception:
            self.died = True
            log.exception("part.died", part=name)
        finally:
            self.stop.set()

    async def _loop(self, name: str, own_machines: bool) -> None:
        await first_of(self.open.wait(), self.stop.wait())
        if not self.stop.is_set():
            async with self.loading:
                start = await asyncio.to_thread(self._load, name, own_machines)
            await start()

    def _load(self, name: str, own_machines: bool) -> Callable[[], Awaitable[None]]:
        settings, db, stop = self.settings, self.db, self.stop
        if name == "machines" and own_machines:
            from workers import demo

            return lambda: demo.watch_own_machines(db, settings.data_dir, ready=self.machines, stop=stop)
        if name == "machines":
            from workers import machines

            return lambda: machines.main(db, settings.data_dir, stop=stop)
        if name == "tidy":
            from workers import tidy

            return lambda: tidy.main(db, settings, stop=stop)
        if name == "evidence":
            from workers import evidence

            return lambda: evidence.main(db, normal_minutes=settings.normal_minutes, stop=stop)
        if name == "foresee":
            from workers import foresee

            return lambda: foresee.main(db, stop=stop)
        secret = keep(settings.data_dir / SECRET_FILE)
        if name == "lights":
            from workers import lights

            return lambda: lights.main(db, secret, stop=stop)
        from app.channels.registry import CHANNELS, build_channels

        if name == "dispatch":
            from workers import dispatch

            return lambda: dispatch.main(db, CHANNELS, stop=stop)
        from workers import chat, deliver

        carried = (db, build_channels(settings), settings, secret)

        async def carry() -> None:
            await asyncio.gather(deliver.main(*carried, stop=stop), chat.main(*carried, stop=stop))

        return carry

    async def _web(self) -> None:
        from granian.constants import Interfaces
        from granian.server.embed import Server
        from granian.utils.proxies import wrap_asgi_with_proxy_headers

        from app.main import create_app

        settings = self.settings
        app = create_app(settings, db=self.db)
        server = Server(
            wrap_asgi_with_proxy_headers(app, settings.trusted_proxies) if settings.trusted_proxies else app,
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
        greeting = asyncio.create_task(self._greet())
        await first_of(serving, self.stop.wait())
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
        """Say that we are open when we are, not before."""
        host = ports.LOOPBACK if self.settings.host in ports.EVERYWHERE else self.settings.host
        tls = self.settings.tls_certificate is not None
        while not await ports.answers(host, self.settings.port, "/readyz", tls=tls):  # noqa: ASYNC110  (no event tells)
            await asyncio.sleep(LOOK_AGAIN)
        self.open.set()
        if self.ready:
            await self.machines.wait()
            self.ready()


async def first_of(*these: Awaitable[object]) -> None:
    """Wait until one of them is done."""
    await asyncio.wait([asyncio.ensure_future(one) for one in these], return_when=asyncio.FIRST_COMPLETED)


def settle() -> None:
    """Let the collector of garbage work, but never look again at what was loaded: that takes 0.1 s each time."""
    gc.freeze()
    gc.enable()
