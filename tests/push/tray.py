"""The notification tray of a desktop, on a private D-Bus: what a user would see, and buttons to press.

Chromium and Firefox both talk to `org.freedesktop.Notifications`; we play that daemon.
"""

import asyncio
import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
DISMISSED, CLOSED = 2, 3

Strings = Annotated[list[str], DBusSignature("as")]
Hints = Annotated[dict[str, Any], DBusSignature("a{sv}")]
Closing = Annotated[tuple[int, int], DBusSignature("uu")]
Invoking = Annotated[tuple[int, str], DBusSignature("us")]
About = Annotated[tuple[str, str, str, str], DBusSignature("ssss")]


@dataclass(frozen=True, slots=True)
class Shown:
    """One notification in the tray. `buttons` maps what is written on them to the browser's name for them."""

    id: int
    title: str
    body: str
    buttons: dict[str, str]


class Tray:
    """`with Tray() as tray:`, start the browser with `env=tray.env`, then wait, read and press."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        address = f"unix:path={self._folder.name}/bus"
        self.env = os.environ | {"DBUS_SESSION_BUS_ADDRESS": address}
        self._bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _until(lambda: Path(self._folder.name, "bus").exists(), "dbus-daemon did not start")
        self._daemon = _Daemon()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=lambda: self._loop.run_until_complete(self._serve(address, ready)), daemon=True).start()
        assert ready.wait(10), "nobody answered on the private D-Bus"
        return self

    def __exit__(self, *_: object) -> None:
        self._bus.terminate()
        self._bus.wait(10)
        self._folder.cleanup()

    def shown(self) -> list[Shown]:
        return list(self._daemon.shown.values())

    def wait_for(self, title: str | None, *, meanwhile: Callable[[], object], seconds: float = 30) -> Shown:
        """Return the newest notification with this title, or any; `meanwhile` lets the browser driver breathe."""

        def found() -> list[Shown]:
            meanwhile()
            return [one for one in self.shown() if title in (None, one.title)]

        _until(lambda: bool(found()), f"no notification {title!r}, only {self.shown()}", seconds)
        return found()[-1]

    def press(self, one: Shown, button: str) -> None:
        """Press a button, as a finger would: the notification then goes away."""
        self._loop.call_soon_threadsafe(self._daemon.pressed, one.id, one.buttons[button])

    def tap(self, one: Shown) -> None:
        """Tap on the notification itself."""
        self._loop.call_soon_threadsafe(self._daemon.pressed, one.id, "default")

    def clear(self) -> None:
        """Sweep everything away, between two tests."""
        self._daemon.shown.clear()

    async def _serve(self, address: str, ready: threading.Event) -> None:
        bus = await MessageBus(bus_address=address).connect()
        bus.export(PATH, self._daemon)
        await bus.request_name(NAME)
        ready.set()
        with contextlib.suppress(EOFError, OSError):  # the test is over
            await bus.wait_for_disconnect()


class _Daemon(ServiceInterface):
    def __init__(self) -> None:
        super().__init__(NAME)
        self.shown: dict[int, Shown] = {}
        self._last = 0

    def pressed(self, number: int, key: str) -> None:
        self.ActionInvoked(number, key)
        self.shown.pop(number, None)
        self.NotificationClosed(number, DISMISSED)

    @dbus_method()
    def GetCapabilities(self) -> Strings:
        return ["actions", "body", "body-markup", "persistence"]

    @dbus_method()
    def GetServerInformation(self) -> About:
        return ("tray", "tests", "1.0", "1.2")

    @dbus_method()
    def Notify(
        self,
        app_name: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: Strings,
        hints: Hints,
        timeout: DBusInt32,
    ) -> DBusUInt32:
        if not replaces:
            self._last += 1
        number = replaces or self._last
        self.shown[number] = Shown(number, summary, body, dict(zip(actions[1::2], actions[::2], strict=True)))
        return number

    @dbus_method()
    def CloseNotification(self, number: DBusUInt32) -> None:
        self.shown.pop(number, None)
        self.NotificationClosed(number, CLOSED)

    @dbus_signal()
    def NotificationClosed(self, number: int, reason: int) -> Closing:
        return (number, reason)

    @dbus_signal()
    def ActionInvoked(self, number: int, key: str) -> Invoking:
        return (number, key)


def _until(condition: Callable[[], bool], otherwise: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
