"""Real browsers whose notifications land in our tray. A missing one fails the test and says what to install."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.push.service import PushService
from tests.push.tray import Tray

CHROMIUM, FIREFOX = Path("/usr/bin/chromium"), Path("/usr/bin/firefox-esr")
ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # Google's push service above all
PHONE = {"width": 412, "height": 839}


@contextmanager
def firefox(tray: Tray, service: PushService) -> Iterator[Browser]:
    """A Firefox that uses our push service and our tray, and whose owner allows notifications."""
    _needs(FIREFOX, "firefox-esr")
    prefs = {
        "dom.push.connection.enabled": True,  # remote control switches it off
        "dom.push.serverURL": service.url.replace("http", "ws", 1) + "/",
        "dom.push.testing.allowInsecureServerURL": True,
        "permissions.default.desktop-notification": 1,
        "alerts.useSystemBackend": True,
    }
    with sync_playwright() as playwright:
        browser = playwright.firefox.launch(
            channel="moz-firefox", executable_path=FIREFOX, firefox_user_prefs=prefs, env=dict(tray.env)
        )
        yield browser
        browser.close()


@contextmanager
def chromium(env: Mapping[str, str], profile: Path) -> Iterator[BrowserContext]:
    """A Chromium with a profile of its own: without one, clicks on notifications find nobody."""
    _needs(CHROMIUM, "chromium")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, env=dict(env), viewport=PHONE, args=[ONLY_HERE]
        )
        yield context
        context.close()


def _needs(program: Path, package: str) -> None:
    for path, name in [(str(program), package), ("dbus-daemon", "dbus")]:
        if shutil.which(path) is None:
            pytest.fail(f"{path} is missing: apt-get install {name}")
