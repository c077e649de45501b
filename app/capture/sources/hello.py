"""Is this an address, and does somebody there speak OPC UA? Asked by hand, to tell people the right reason."""

import asyncio
import contextlib
from urllib.parse import urlsplit

from app.machines import faults
from app.machines.faults import LinkError

PATIENCE_S = 2.0
HELLO = b"HELF\x20\0\0\0" + b"\0\0\0\0" + b"\0\0\1\0" * 2 + b"\0\0\0\0" * 2 + b"\xff\xff\xff\xff"


def address(url: str) -> tuple[str, int]:
    """Return host and port of an address like opc.tcp://10.20.1.15:4840.

    Raises:
        LinkError: it is none.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise LinkError(faults.BAD_ADDRESS.code) from error
    if parts.scheme != "opc.tcp" or not host or not port:
        raise LinkError(faults.BAD_ADDRESS.code)
    return host, port


async def speaks_opc_ua(host: str, port: int) -> bool:
    """Say hello: an OPC UA server acknowledges, or says ERR."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(HELLO)
                return await reader.readexactly(3) in (b"ACK", b"ERR")
            finally:
                writer.close()
    return False
