"""One process: the web server and the loops it was asked for, stopped together and cleanly."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog

from app.channels import build_channels
from app.kit.db import Database
from app.kit.secret import keep
from app.main import SECRET_FILE, create_app
from app.settings import Settings
from workers import deliver, dispatch, tidy

BACKLOG = 8192  # granian's default, 1024, counts idle streams: with 1500 phones online nobody else gets in
GRACE = 8.0

log = structlog.get_logger()


class House:
    def __init__(self, settings: Settings, db: Database, stop: asyncio.Event) -> None:
        self.settings, self.db, self.stop = settings, db, stop

    async def run(self, *, web: bool, loops: Sequence[str], machines: bool) -> None:
        """Run until `stop`. If one part dies, all stop: whoever started us starts us again, and nothing is lost."""
        pulse = asyncio.create_task(self.db.pulse.listen())
        parts: list[tuple[str, Callable[[], Awaitable[None]]]] = [(name, self._loop(name)) for name in loops]
        if machines:
            parts.append(("simulator", self._simulator))
        if web:
            parts.append(("web", self._web))
        tasks = {asyncio.create_task(self._part(name, start), name=name) for name, start in parts}
        try:
            await self.stop.wait()
            await asyncio.wait(tasks, timeout=GRACE)
        finally:
            for task in (*tasks, pulse):
                task.cancel()
            await asyncio.gather(*tasks, pulse, return_exceptions=True)

    async def _part(self, name: str, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await start()
        except Exception:
            log.exception("part.died", part=name)
            raise
        finally:
            self.stop.set()

    def _loop(self, name: str) -> Callable[[], Awaitable[None]]:
        settings, db, stop = self.settings, self.db, self.stop
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

    async def _simulator(self) -> None:
        from workers import demo

        await demo.run_simulator(stop=self.stop)

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
            ssl_cert=_existing(settings.tls_certificate),
            ssl_key=_existing(settings.tls_key),
        )
        serving = asyncio.create_task(server.serve())
        await self.stop.wait()
        app.state.live.close()  # an open stream would keep the server from stopping
        server.stop()  # type: ignore[no-untyped-call]
        await serving


def _existing(file: Path | None) -> Path | None:
    if file is not None and not file.is_file():
        raise SystemExit(f"The TLS file {file} does not exist. Nothing was started.")
    return file
