"""Fetch the browser libraries pinned below into this folder: `python frontend/vendor/vendor.py`.

Plain Python, no Node. The registry is the one your npm is set to (NPM_CONFIG_REGISTRY, else `npm config get registry`).
vendor.lock.json remembers what came: a package whose sha512 or a file whose sha256 has changed is refused, nothing is
written. `--check` compares the files on disk with the lock and needs no network.
"""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "vendor.lock.json"
# Script and WASM of zxing only work in the same version: it stands in both names.
WANTED = {
    ("htmx.org", "2.0.11"): {
        "dist/htmx.min.js": "htmx-2.0.11.min.js",
        "LICENSE": "htmx.LICENSE",
    },
    ("zxing-wasm", "3.1.4"): {
        "dist/iife/reader/index.js": "zxing-3.1.4.js",
        "dist/reader/zxing_reader.wasm": "zxing-3.1.4.wasm",
        "LICENSE": "zxing-wasm.LICENSE",
    },
}


def registry() -> str:
    asked = os.environ.get("NPM_CONFIG_REGISTRY")
    if not asked:
        asked = subprocess.run(
            ["npm", "config", "get", "registry"], capture_output=True, text=True, check=True
        ).stdout
    return asked.strip().rstrip("/")


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())


def refuse(what: str) -> None:
    sys.exit(f"{what} is not what {LOCK.name} says. Nothing more was written; find out why before you change the lock.")


def package(name: str, version: str, known: dict | None) -> tuple[bytes, dict]:
    """The tarball and its entry for the lock; the sha512 must fit the lock, or the registry's word the first time."""
    facts = json.loads(get(f"{registry()}/{name.replace('/', '%2f')}/{version}"))
    integrity = known["integrity"] if known else facts["dist"]["integrity"]
    tarball = get(facts["dist"]["tarball"])
    if "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode() != integrity:
        refuse(f"{name} {version}")
    return tarball, {"name": name, "version": version, "licence": facts.get("license"), "integrity": integrity}


def fetch() -> None:
    known = {(entry["name"], entry["version"]): entry for entry in json.loads(LOCK.read_text())} if LOCK.exists() else {}
    lock = []
    for (name, version), files in WANTED.items():
        before = known.get((name, version))
        tarball, entry = package(name, version, before)
        with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
            found = {there: archive.extractfile(f"package/{inside}") for inside, there in files.items()}
            contents = {there: file.read() for there, file in found.items() if file}
        entry["files"] = {there: hashlib.sha256(content).hexdigest() for there, content in contents.items()}
        if before and before["files"] != entry["files"]:
            refuse(f"{name} {version}")
        for there, content in contents.items():
            (HERE / there).write_bytes(content)
        lock.append(entry)
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def check() -> None:
    for entry in json.loads(LOCK.read_text()):
        for there, digest in entry["files"].items():
            if hashlib.sha256((HERE / there).read_bytes()).hexdigest() != digest:
                refuse(there)


if __name__ == "__main__":
    check() if "--check" in sys.argv else fetch()
