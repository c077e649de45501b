"""Is this container well? `python -m workers.health` ends with 0 or 1. Often asked, so standard library only.

A web process is well when it answers that its database does. Loops alone have no port: they end themselves when a part
of them dies, so a process that is still there is well.
"""

import asyncio
import os
import sys
from pathlib import Path

from workers import ports

COMMAND_OF_CONTAINER = Path("/proc/1/cmdline")


def main() -> bool:
    """Tell whether this container does what it was started for."""
    if b"work" in COMMAND_OF_CONTAINER.read_bytes().split(b"\0"):
        return True
    port = int(os.environ.get("PULLCORD_PORT", "8000"))
    tls = bool(os.environ.get("PULLCORD_TLS_CERTIFICATE"))
    return asyncio.run(ports.answers(ports.LOOPBACK, port, "/readyz", tls=tls))


if __name__ == "__main__":
    sys.exit(not main())
