"""Where one can listen, and whether somebody answers there."""

import asyncio
import contextlib
import socket
import ssl

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
LOOPBACK = "127.0.0.1"


def is_free(host: str, port: int) -> bool:
    """Tell whether nobody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def first_free(host: str, port: int, *, tries: int = 100) -> int:
    """Return `port` or the next one after it where nobody listens.

    Raises:
        OSError: all of them are taken.
    """
    for candidate in range(port, min(port + tries, 65536)):
        if is_free(host, candidate):
            return candidate
    raise OSError(f"No free port from {port} on.")


def lan_address() -> str:
    """Return this computer's address in its network, or the loopback address when it is in none. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: only the route to it is looked up
        except OSError:
            return LOOPBACK
        found: str = probe.getsockname()[0]
        return found


async def answers(host: str, port: int, path: str, *, tls: bool) -> bool:
    """Ask once; tell whether a web server says yes."""
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # our own, by its address
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    return False
