"""Stack light by OPC UA: writes one tag of a machine or a light controller, and reads it back.

Writing into a plant is a permission of its own. Only the one node that an administrator has confirmed twice is written,
only as a boolean or an integer, only the two values that were confirmed.

checked-address: done
gone: exempt (a controller that is away comes back; an administrator removes the outlet)
retry-after: exempt (OPC UA servers do not ask to wait; a failed message is tried again)
timeout: done
replaces: done
displayed: exempt (nobody says that they saw a light; the tag is read back instead)
no-secrets-logged: done
tested: done
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from app.channels.base import Message, Undeliverable
from app.channels.light import Wanted
from app.channels.mqtt import BadLight
from app.kit.errors import N_
from app.settings import Settings

if TYPE_CHECKING:
    from asyncua import Node, ua

TIMEOUT = 8.0
ONE_CALL = 4.0
GOODBYE = 1.0
SESSION_TIMEOUT = 60_000  # ms: what a crash of ours leaves on the controller is soon gone
LOOK_AGAIN = 2.0  # seconds between two looks at what the light really shows
CONFIRMATIONS = 2

UNCONFIRMED = N_("An administrator has to confirm twice that Pullcord may write this tag. Nothing was written.")
UNREACHABLE = N_("The controller of the light does not answer. Check its address and the network; it is tried again.")
NO_NODE = N_("The controller of the light does not know this tag. Nothing was written. Correct it under Channels.")
WRONG_KIND = N_("This tag is neither a boolean nor an integer. Nothing was written. Choose another one under Channels.")
NOT_WRITABLE = N_("The controller does not let this tag be written. Allow it there, for the user Pullcord signs in as.")
NOT_KEPT = N_("The tag was written but still reads otherwise: something else in the plant writes it too.")

logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # what goes wrong is told once, by us, in plain words


@dataclass(frozen=True, slots=True)
class Lamp:
    """One tag. `on` and `off` are what is written: 1 and 0, or others for an integer that means more."""

    url: str
    user: str
    password: str
    node: str
    on: int
    off: int
    confirmed: int

    @classmethod
    def of(cls, target: Mapping[str, object]) -> Self:
        """Check a target: `url` (opc.tcp://, with user and password), `node`, `on`, `off`, `confirmed` (by whom).

        Raises:
            BadLight: in a sentence that names what is wrong.
        """
        try:
            url = urlsplit(str(target.get("url", "")))
            port = url.port or 4840
        except ValueError:
            raise BadLight(why=N_("its address is none")) from None
        node = str(target.get("node", ""))
        if url.scheme != "opc.tcp" or not url.hostname:
            raise BadLight(why=N_("its address must look like opc.tcp://controller:4840"))
        if "=" not in node or len(node) > 300:
            raise BadLight(why=N_("its tag must look like nsu=urn:maker:light;s=Lamp1 or ns=2;s=Lamp1"))
        try:
            on, off = int(str(target.get("on") or 1)), int(str(target.get("off") or 0))
        except ValueError:
            raise BadLight(why=N_("its values must be whole numbers")) from None
        if on == off:
            raise BadLight(why=N_("on and off must be two different values"))
        confirmed = target.get("confirmed")
        return cls(
            url=f"opc.tcp://{url.hostname}:{port}{url.path}",
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            node=node,
            on=on,
            off=off,
            confirmed=len(confirmed) if isinstance(confirmed, list) else 0,
        )


class StackLight:
    """Writes the one tag."""

    kind = "stacklight"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, target: Mapping[str, object]) -> None:
        """Switch it on, and see that it is. It goes off when nothing rings any more: see `hold`."""
        async with _tag(Lamp.of(target)) as tag:
            await tag.be(True)

    async def hold(self, target: Mapping[str, object], wanted: Wanted) -> None:
        """Keep it as it should be: look at what it shows every two seconds, and write when that is not it."""
        async with _tag(Lamp.of(target)) as tag:
            while True:
                await tag.be(wanted.on)
                await wanted.news(within=LOOK_AGAIN)

    async def close(self) -> None:
        """Nothing stays open between two messages."""


class _Tag:
    """The tag on an open connection."""

    def __init__(self, node: "Node", lamp: Lamp, kind: "ua.VariantType") -> None:
        self._node, self._lamp, self._kind = node, lamp, kind

    async def be(self, on: bool) -> None:
        """Write unless it already reads so; then read it back.

        Raises:
            Undeliverable: it does not keep what was written.
        """
        from asyncua import ua

        value: bool | int = on if self._kind is ua.VariantType.Boolean else self._lamp.on if on else self._lamp.off
        if await self._node.read_value() == value:
            return
        # Without times of our own: many controllers refuse a value that brings them.
        await self._node.write_attribute(ua.AttributeIds.Value, ua.DataValue(ua.Variant(value, self._kind)))
        if await self._node.read_value() != value:
            raise Undeliverable(NOT_KEPT, retry_after=5)


@asynccontextmanager
async def _tag(lamp: Lamp) -> AsyncIterator[_Tag]:
    """Connect and find the tag; whatever goes wrong is one sentence. Unconfirmed, there is not even a connection."""
    from asyncua import Client, ua

    if lamp.confirmed < CONFIRMATIONS:
        raise Undeliverable(UNCONFIRMED)
    client = Client(lamp.url, timeout=ONE_CALL)
    client.name, client.session_timeout = "Pullcord", SESSION_TIMEOUT
    if lamp.user:
        client.set_user(lamp.user)
        client.set_password(lamp.password)
    errors = ua.uaerrors
    try:
        async with asyncio.timeout(TIMEOUT):
            await client.connect()
        try:
            async with asyncio.timeout(TIMEOUT):
                node = client.get_node(await _resolved(client, lamp.node))
                kind = await node.read_data_type_as_variant_type()
            if kind is not ua.VariantType.Boolean and kind.name not in _INTEGERS:
                raise Undeliverable(WRONG_KIND)
            yield _Tag(node, lamp, kind)
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(GOODBYE):
                    await client.disconnect()
            client.disconnect_socket()
    except (errors.BadNodeIdUnknown, errors.BadNodeIdInvalid, errors.UaStringParsingError) as error:
        raise Undeliverable(NO_NODE) from error
    except (errors.BadNotWritable, errors.BadUserAccessDenied, errors.BadWriteNotSupported) as error:
        raise Undeliverable(NOT_WRITABLE, retry_after=60) from error
    except (OSError, TimeoutError, ua.UaError) as error:
        raise Undeliverable(UNREACHABLE, retry_after=5) from error


async def _resolved(client: Any, text: str) -> str:
    """Return the node id with the number its namespace has on this server today."""
    if not text.startswith("nsu="):
        return text
    uri, _, rest = text[4:].partition(";")
    try:
        return f"ns={await client.get_namespace_index(unquote(uri))};{rest}"
    except ValueError:
        raise Undeliverable(NO_NODE) from None


_INTEGERS = frozenset({"SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64"})
