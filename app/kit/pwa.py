"""Static files under names that change with their content, the manifest, and the service worker with its list."""

import hashlib
import json
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
MANIFEST = ROOT / "manifest"
SERVED = ("css", "js", "images", "vendor")
PRECACHED = ("css/tokens.css", "css/base.css", "css/screens.css", "images/icons.svg", "js/page.js")
OFFLINE = "/offline"

mimetypes.add_type("application/wasm", ".wasm")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    media_type: str
    version: str


class Assets:
    """Every static file, read once at start. They are few and small; a changed file has a new address."""

    def __init__(self) -> None:
        self.files: dict[str, Asset] = {}
        for folder in SERVED:
            for file in sorted((FRONTEND / folder).rglob("*")):
                if file.is_file() and file.suffix not in (".py", ".json", ".md"):
                    self.files[file.relative_to(FRONTEND).as_posix()] = _read(file)
        for file in sorted((MANIFEST / "icons").glob("*")):
            self.files[f"icons/{file.name}"] = _read(file)

    def url(self, name: str) -> str:
        """Return the address of a file; it may be kept by browsers for ever."""
        return f"/static/{name}?v={self.files[name].version}"

    @cached_property
    def version(self) -> str:
        """Changes when any file does."""
        told = "".join(f"{n}{a.version}" for n, a in self.files.items())
        told += "".join((MANIFEST / name).read_text("utf-8") for name in ("service-worker.js", "offline.html"))
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @cached_property
    def service_worker(self) -> bytes:
        """The service worker, with the list of what it keeps for a phone without a network."""
        wanted = [self.url(name) for name in PRECACHED if name in self.files]
        text = (MANIFEST / "service-worker.js").read_text("utf-8")
        return (
            text.replace("__VERSION__", self.version).replace("__PRECACHE__", json.dumps([OFFLINE, *wanted])).encode()
        )

    @cached_property
    def manifest(self) -> bytes:
        return (MANIFEST / "app.webmanifest").read_bytes()


def _read(file: Path) -> Asset:
    body = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Asset(body, kind, hashlib.sha256(body).hexdigest()[:12])
