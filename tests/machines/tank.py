"""A server of another maker for tests: node-opcua from the npm registry, where Node.js is there. See nodeopcua/."""

import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.machines.oven import Oven

HOME = Path(__file__).parent / "nodeopcua"
LEAST_NODE = 20


@functools.cache
def missing() -> str:
    """Say why there is none; empty: there is one. The first to ask waits until its packages are there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "Node.js is not on this machine"
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)", said)
    if version is None or int(version[1]) < LEAST_NODE:
        return f"Node.js {LEAST_NODE} or newer is not on this machine"
    if not (HOME / "node_modules" / "node-opcua").is_dir():
        install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        if subprocess.run(install, cwd=HOME, capture_output=True, timeout=300, check=False).returncode:
            return "npm could not install it"
    return ""


class Tank(Oven):
    """Its level is 50; above 80 and 95 it is an alarm that wants to be acknowledged and confirmed."""

    def __init__(self) -> None:
        super().__init__({})
        self._folder = tempfile.TemporaryDirectory(prefix="tank-")

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._folder.cleanup()

    def start(self, *, filler_namespaces: int = 0) -> None:
        command = ["node", str(HOME / "server.cjs"), str(self.port), self._folder.name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def fills_to(self, level: float) -> None:
        self._say(do="level", value=level)

    def shelves(self, on: bool = True) -> None:
        """Somebody puts the alarm aside at the machine, or takes it back."""
        self._say(do="shelve", on=on)

    def alarm(self) -> dict[str, Any]:
        """How the alarm stands: active, acked, confirmed, comment, branches."""
        found: dict[str, Any] = self._say(do="state")
        return found
