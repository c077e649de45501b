"""MQTT: a stack light, a siren or a horn that listens to a broker of the plant.

The state is a retained message, so a light that comes back from a power cut shows what is true now. A second retained
topic, `<topic>/alive`, says whether Pullcord still speaks: its last will makes the broker say "0" when we are gone.

checked-address: done
gone: exempt (a broker that is away comes back; an administrator removes the outlet)
retry-after: exempt (brokers do not ask to wait; a failed message is tried again)
timeout: done
replaces: done
displayed: exempt (a light has no eyes; the broker's yes is what there is)
no-secrets-logged: done
tested: done
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from app.channels.base import Message, Undeliverable
from app.channels.light import Wanted
from app.kit.errors import N_, DomainError
from app.settings import Settings

if TYPE_CHECKING:
    from aiomqtt import Client, Will

TIMEOUT = 8.0
GOODBYE = 1.0
KEEP_ALIVE = 15  # seconds: a cable that was pulled is noticed after one and a half of them
AGAIN = 30.0  # seconds after which the state is written once more, whatever anybody believes
CALM = 0.2  # seconds between two writes: two Pullcords that disagree for a moment must not flicker
PORTS = {"mqtt": 1883, "mqtts": 8883}

UNREACHABLE = N_("The MQTT broker does not answer. Check its address and the network; it is tried again.")
REFUSED = N_("The MQTT broker refused the user or the password. Correct them under Channels.")
UNTRUSTED = N_("The MQTT broker's certificate is not trusted. Add the authority that signed it under Channels.")


class BadLight(DomainError):
    code = "channels.bad_light"
    message = N_("This light cannot be used: %(why)s. Nothing was stored. Correct it and save again.")
    status = 400


@dataclass(frozen=True, slots=True)
class Lamp:
    """Where a light listens and what it understands. `authority`: PEM of a private one that signs the broker."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    topic: str
    on: str
    off: str
    authority: str

    @classmethod
    def of(cls, target: Mapping[str, object]) -> Self:
        """Check a target: `url` (mqtt:// or mqtts://, with user and password), `topic`, `on`, `off`, `authority`.

        Raises:
            BadLight: in a sentence that names what is wrong.
        """
        try:
            url = urlsplit(str(target.get("url", "")))
            port = url.port or PORTS.get(url.scheme, 0)
        except ValueError:
            raise BadLight(why=N_("its address is none")) from None
        topic = str(target.get("topic", ""))
        if url.scheme not in PORTS or not url.hostname:
            raise BadLight(why=N_("its address must look like mqtts://user:password@broker:8883"))
        if not topic or len(topic) > 200 or set(topic) & set("+#\x00"):
            raise BadLight(why=N_("its topic must be one topic, without + and #"))
        return cls(
            host=url.hostname,
            port=port,
            tls=url.scheme == "mqtts",
            user=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            topic=topic,
            on=str(target.get("on") or "ON"),
            off=str(target.get("off") or "OFF"),
            authority=str(target.get("authority") or ""),
        )

    @property
    def alive(self) -> str:
        return f"{self.topic}/alive"

    def says(self, on: bool) -> str:
        return self.on if on else self.off


class Mqtt:
    """Publishes what a light should show."""

    kind = "mqtt"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, target: Mapping[str, object]) -> None:
        """Switch it on. It goes off when nothing rings any more: see `hold`."""
        lamp = Lamp.of(target)
        async with _connected(lamp) as client:
            await client.publish(lamp.topic, lamp.says(True), qos=1, retain=True)

    async def hold(self, target: Mapping[str, object], wanted: Wanted) -> None:
        """Keep it as it should be: write at once, at every change, and when somebody else wrote something else."""
        from aiomqtt import MqttError

        lamp = Lamp.of(target)
        async with _connected(lamp, mourned=True) as client:
            await client.publish(lamp.alive, "1", qos=1, retain=True)
            await client.subscribe([(lamp.topic, 1), (lamp.alive, 1)])
            tasks = [asyncio.create_task(part(client, lamp, wanted)) for part in (_write, _listen)]
            try:
                # Who listens knows at once that the broker is gone; who writes would wait for its answer.
                ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                await ended.pop()  # it says why
            except asyncio.CancelledError:
                with suppress(MqttError):
                    await client.publish(lamp.alive, "0", qos=1, retain=True, timeout=GOODBYE)
                raise
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Nothing stays open between two messages."""


async def _write(client: "Client", lamp: Lamp, wanted: Wanted) -> None:
    while True:
        await client.publish(lamp.topic, lamp.says(wanted.on), qos=1, retain=True)
        await asyncio.sleep(CALM)
        await wanted.news(within=AGAIN)


async def _listen(client: "Client", lamp: Lamp, wanted: Wanted) -> None:
    async for heard in client.messages:
        said = heard.payload.decode("utf-8", "replace") if isinstance(heard.payload, bytes) else str(heard.payload)
        if str(heard.topic) == lamp.alive and said != "1":  # another Pullcord's last will: we are still here
            await client.publish(lamp.alive, "1", qos=1, retain=True)
        elif str(heard.topic) == lamp.topic and said != lamp.says(wanted.on):
            wanted.doubt()


@asynccontextmanager
async def _connected(lamp: Lamp, *, mourned: bool = False) -> AsyncIterator["Client"]:
    """Open a connection; whatever goes wrong on it is one sentence."""
    import aiomqtt
    from aiomqtt.exceptions import MqttConnectError

    will: Will | None = aiomqtt.Will(lamp.alive, "0", qos=1, retain=True) if mourned else None
    options: dict[str, Any] = {"tls_context": _trusting(lamp)} if lamp.tls else {}
    try:
        async with aiomqtt.Client(
            lamp.host,
            lamp.port,
            username=lamp.user,
            password=lamp.password,
            timeout=TIMEOUT,
            keepalive=KEEP_ALIVE,
            will=will,
            **options,
        ) as client:
            yield client
    except MqttConnectError as refusal:
        raise Undeliverable(REFUSED, retry_after=60) from refusal
    except aiomqtt.MqttError as fault:
        untrusted = isinstance(fault.__cause__, ssl.SSLError) or "CERTIFICATE" in str(fault)
        raise Undeliverable(UNTRUSTED if untrusted else UNREACHABLE, retry_after=5) from fault


def _trusting(lamp: Lamp) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=lamp.authority or None)
    except ssl.SSLError:
        raise BadLight(why=N_("its authority is no certificate in PEM form")) from None
