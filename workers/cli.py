"""The `pullcord` command. Heavy imports wait until a command needs them."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings

LOOPS = ("dispatch", "deliver", "lights", "machines", "tidy", "evidence", "foresee")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; every failure that a person can mend is one sentence."""
    parser = argparse.ArgumentParser(prog="pullcord", description="The andon cord on every phone in the plant.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="everything on one machine: the web server and every loop")
    commands.add_parser("web", help="the web server alone")
    work = commands.add_parser("work", help="loops alone")
    work.add_argument("loops", nargs="*", choices=[*LOOPS, []], help="which ones; none: all")
    commands.add_parser("migrate", help="bring the database to this version")
    demo = commands.add_parser("demo", help="the demonstration plant with its own machines")
    demo.add_argument("--no-machines", action="store_true", help="do not start the plant's OPC UA simulator")
    bad = commands.add_parser("misbehave", help="let a machine of the demonstration plant leave its limits")
    bad.add_argument("station", nargs="?", help="code or number of the station; none: Press 7")
    commands.add_parser("settings", help="print every setting with what it means, as an .env file")
    given = parser.parse_args(arguments)
    try:
        _run(given)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from app.kit.errors import DomainError

        if not isinstance(error, DomainError):
            raise
        sys.exit(f"{error.code}: {error.message % error.details}")


def _run(given: argparse.Namespace) -> None:
    from app.settings import describe, load

    if given.command == "settings":
        print(describe())
        return
    settings = load()
    _log(settings)
    if given.command == "migrate":
        from app.kit.migrate import upgrade

        upgrade(settings.database)
    elif given.command == "misbehave":
        from workers import demo

        asyncio.run(demo.misbehave(settings, given.station))
    elif given.command == "demo":
        _serve(settings, web=True, loops=LOOPS, demo=True, own_machines=not given.no_machines)
    else:
        loops = {"up": LOOPS, "web": (), "work": tuple(getattr(given, "loops", ()) or LOOPS)}[given.command]
        _serve(settings, web=given.command != "work", loops=loops)


def _serve(
    settings: "Settings", *, web: bool, loops: Sequence[str], demo: bool = False, own_machines: bool = False
) -> None:
    import gc

    import uvloop

    gc.disable()  # nothing that is loaded at the start is garbage; House.settle turns it on again
    lock = _only_one(settings) if web else None
    ready = None
    try:
        if demo:
            from workers.demo import prepare, welcome

            settings = prepare(settings)
            ready = partial(welcome, settings)
        if web:
            _check_door(settings)
        if not uvloop.run(_live(settings, web=web, loops=loops, own_machines=own_machines, ready=ready)):
            sys.exit(1)
    finally:
        if lock is not None:
            os.close(lock)


async def _live(
    settings: "Settings", *, web: bool, loops: Sequence[str], own_machines: bool, ready: Callable[[], None] | None
) -> bool:
    from app.kit.db import Database
    from app.kit.migrate import upgrade
    from workers.house import House

    stop = asyncio.Event()

    def leave() -> None:
        if stop.is_set():
            os._exit(130)  # asked twice: at once. What was answered is on disk, the rest was never promised
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, leave)
    await asyncio.to_thread(upgrade, settings.database)
    db = Database(settings.database)
    house = House(settings, db, stop, ready=ready)
    try:
        well = await house.run(web=web, loops=loops, own_machines=own_machines)
    finally:
        db.close()
    if house.left_open:  # the server still waits for a phone that never finishes: not for us
        sys.stderr.flush()
        os._exit(0 if well else 1)
    return well


def _check_door(settings: "Settings") -> None:
    """Refuse in a sentence what the web server would refuse with a stack trace, or not at all."""
    from workers.ports import is_free

    for file in (settings.tls_certificate, settings.tls_key):
        if file is not None and not file.is_file():
            raise SystemExit(f"The TLS file {file} does not exist. Nothing was started.")
    if not is_free(settings.host, settings.port):
        raise SystemExit(
            f"Somebody listens on {settings.host}:{settings.port} already. Nothing was started. "
            "Stop that, or choose another PULLCORD_PORT."
        )


def _only_one(settings: "Settings") -> int | None:
    """On SQLite one web process: a second one would keep limits and caches of its own beside the same file."""
    import fcntl

    if not settings.database.startswith("sqlite"):
        return None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(settings.data_dir / "web.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(
            f"Pullcord runs already on {settings.data_dir} (on SQLite there is one web process). "
            "Stop it first, or set PULLCORD_DATABASE_URL to PostgreSQL to run several."
        ) from None
    return lock


def _log(settings: "Settings") -> None:
    from workers.logs import configure

    configure(settings.log_format)


if __name__ == "__main__":
    main()
