"""What a phone on the shop floor sees and hears: a film of a label, a tone, a photo; and a browser that is a phone."""

import io
import math
import struct
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


def label(address: str) -> Image.Image:
    """A label as a camera sees it: a QR code on a grey machine."""
    code = io.BytesIO()
    segno.make(address, error="q").save(code, kind="png", scale=10, border=4)
    picture = Image.new("RGB", (1280, 720), (120, 124, 130))
    picture.paste(Image.open(code).convert("RGB").rotate(8, expand=True, fillcolor=(120, 124, 130)), (440, 140))
    return picture


def jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def film(address: str, file: Path) -> Path:
    """Motion JPEG is one picture after the other: first nothing, then the label."""
    nothing = jpeg(Image.new("RGB", (1280, 720), (90, 90, 90)))
    file.write_bytes(nothing * 10 + jpeg(label(address)) * 30)
    return file


def tone(file: Path, seconds: int = 4) -> Path:
    """Somebody who hums an A."""
    rate = 48_000
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        samples = (int(12_000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(rate * seconds))
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file


@contextmanager
def phone(*more: str) -> Iterator[Browser]:
    """A Chromium that talks to this machine only."""
    if not Path(CHROMIUM).exists():
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *more])
        yield browser
        browser.close()


def somebody(browser: Browser, *, lang: str = "en-GB", **more: Any) -> BrowserContext:
    """A person with a phone of their own."""
    return browser.new_context(**PHONE, locale=lang, **more)
