"""The demonstration plant: put up when the database is empty, with machines of its own, and a word of welcome."""

import asyncio
import sys
from pathlib import Path
from unicodedata import east_asian_width

from app import demo
from app.capture.routes import store_photo
from app.demo import machines
from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.errors import DomainError
from app.kit.ids import new_id
from app.kit.migrate import upgrade
from app.kit.storage import Storage
from app.people.models import Role
from app.plant.codes import label_address, qr_for_terminal
from app.settings import Settings
from workers import ports

ROLES = {
    Role.OPERATOR: "operator 操作工",
    Role.TEAM_LEAD: "team lead 班组长",
    Role.ENGINEER: "engineer 工程师",
    Role.MANAGER: "manager 经理",
    Role.ADMIN: "administrator 管理员",
}


def prepare(settings: Settings) -> Settings:
    """Make the database ready; return the settings with a port that is free and the address that belongs to it.

    Raises:
        SystemExit: a plant of somebody's own is in this database, or no port is free; in a sentence.
    """
    try:
        asyncio.run(_put_up(settings))
        return _settle(settings)
    except (DomainError, OSError) as refusal:
        raise SystemExit(refusal.message if isinstance(refusal, DomainError) else str(refusal)) from None


async def watch_own_machines(db: Database, data_dir: Path, *, ready: asyncio.Event, stop: asyncio.Event) -> None:
    """Watch machines as everywhere, with the plant's own ones there from before the first look until after the last.

    `ready` is set when they answer. They are at their usual port or the next free one; the watcher finds the address
    in the database.
    """
    from workers import machines as watch
    from workers import simulator

    port = ports.first_free(ports.LOOPBACK, machines.PORT)
    await db.write(machines.move, f"opc.tcp://{ports.LOOPBACK}:{port}")
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(simulator.serve(ports.LOOPBACK, port, ready=ready))
        await ready.wait()
        await watch.main(db, data_dir, stop=stop)
        serving.cancel()


async def misbehave(settings: Settings, station: str | None) -> None:
    """Let one machine leave its limits for a minute, and say what will happen.

    Raises:
        SystemExit: there is no such machine, or the demonstration does not run; in a sentence.
    """
    from workers import simulator

    db = Database(settings.database)
    try:
        url = await db.read(machines.address)
        if url is None:
            raise ConnectionError
        tag, place = await db.read(machines.suspect, station)
        await simulator.misbehave(url, tag.node, tag.abnormal)
    except DomainError as refusal:
        raise SystemExit(refusal.message) from None
    except (OSError, TimeoutError, LookupError):
        raise SystemExit(
            "The demonstration plant's machines do not answer. Start them with `make run` in another terminal.\n"
            "演示工厂的设备没有应答。请在另一个终端运行 make run。"
        ) from None
    finally:
        db.close()
    change = f"{_shown(tag.normal)} → {_shown(tag.abnormal)} {tag.unit}".strip()
    print(f"{place.names['en']}: {tag.en} {change} for a minute. In a few seconds it is in the queue and rings.")
    print(f"{place.names['zh']}：{tag.zh} {change}，持续一分钟。几秒后出现在“待处理”中并呼叫。")


def welcome(settings: Settings) -> None:
    """Print where it is, who can log in, what to scan and what to try."""
    here = settings.public_url.rstrip("/")
    label = label_address(here, demo.PRESS_7)
    everywhere = settings.host in ports.EVERYWHERE
    lines = [
        "",
        "  Pullcord · demonstration plant 演示工厂",
        "",
        f"  Open 打开          {here}/",
        f"  Station 工位       {here}/s/{demo.PRESS_7}   Press 7 on Line 3 · 三号线 7 号冲压机",
        f"  Queue 待处理     {here}/queue",
        "",
        f"  Log in 登录        name 姓名 + PIN {demo.PIN}        or a badge 或工牌",
        *(f"    {_wide(part.name, 15)}{_wide(ROLES[part.role], 24)}{here}/b/{part.badge}" for part in demo.LEADING),
        "",
        *(f"  {row}" for row in qr_for_terminal(label).splitlines()),
        f"  {label}",
        "  Scan it with a phone in the same network. 用同一网络的手机扫码。"
        if everywhere
        else "  For phones in the same network 让手机也能打开:   make run HOST=0.0.0.0",
        "",
        "  Let a machine misbehave 让设备报警:   make misbehave        (.venv/bin/pullcord misbehave)",
        "  Stop 停止:   Ctrl-C",
        "",
    ]
    print("\n".join(lines), flush=True)


async def _put_up(settings: Settings) -> None:
    upgrade(settings.database)
    db = Database(settings.database)
    try:
        if await db.read(demo.is_here):
            await db.write(demo.prolong, now=utcnow())
            return
        print("Putting up the demonstration plant … 正在搭建演示工厂……", file=sys.stderr, flush=True)
        files = Storage(settings.storage_url.get_secret_value() or settings.data_dir / "files")
        photos = [await store_photo(files, raw, new_id()) for raw in demo.photos()]
        await db.write(demo.seed, now=utcnow(), photos=photos)
    finally:
        db.close()


def _settle(settings: Settings) -> Settings:
    port = ports.first_free(settings.host, settings.port)
    if port != settings.port:
        print(f"Port {settings.port} is taken, so it is {port} this time. 端口 {settings.port} 被占用，改用 {port}。")
    chosen: dict[str, object] = {"port": port}
    if "public_url" not in settings.model_fields_set:
        host = ports.lan_address() if settings.host in ports.EVERYWHERE else settings.host
        chosen["public_url"] = f"{'https' if settings.tls_certificate else 'http'}://{host}:{port}"
    return settings.model_copy(update=chosen)


def _shown(value: float | bool) -> str:
    return {True: "1", False: "0"}[value] if isinstance(value, bool) else f"{value:g}"


def _wide(text: str, columns: int) -> str:
    """Pad to a width in the terminal, where a Chinese character takes two columns."""
    taken = sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
    return text + " " * max(columns - taken, 1)
