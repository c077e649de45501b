"""A real MQTT broker on this machine, with a user and, if wanted, TLS; and an ear on one topic."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import trustme
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from pwdlib.hashers.argon2 import Argon2Hasher

USER, PASSWORD = "pullcord", "s3cret/with:signs"


class MqttBroker:
    """Starts, stops and starts again at the same port. Forgets what was retained, as a broker without a disk does."""

    def __init__(self, folder: Path, *, tls: trustme.CA | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._passwords = folder / "passwords"
        cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
        self._passwords.write_text(f"{USER}:{cheap.hash(PASSWORD)}\n")
        self._tls: dict[str, Any] = {}
        if tls:
            certificate = tls.issue_cert("127.0.0.1")
            chain, key = folder / "chain.pem", folder / "key.pem"
            certificate.cert_chain_pems[0].write_to_path(chain)
            certificate.private_key_pem.write_to_path(key)
            self._tls = {"ssl": True, "certfile": chain, "keyfile": key}

    async def __aenter__(self) -> "MqttBroker":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        listener = ListenerConfig(bind=f"127.0.0.1:{self.port}", **self._tls)
        secret = {"password_file": str(self._passwords)}
        plugins = {"amqtt.plugins.authentication.FileAuthPlugin": secret}
        self._broker = Broker(BrokerConfig(listeners={"default": listener}, plugins=plugins))
        await self._broker.start()

    async def stop(self) -> None:
        await self._broker.shutdown()

    @asynccontextmanager
    async def ear(self, topic: str) -> AsyncIterator["Ear"]:
        """Listen to a topic, from what is retained there on."""
        async with aiomqtt.Client("127.0.0.1", self.port, username=USER, password=PASSWORD) as client:
            ear = Ear(client)
            await client.subscribe(topic, qos=1)
            yield ear


class Ear:
    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[str] = []

    async def hears(self, what: str) -> None:
        """Wait until it says this."""
        async with asyncio.timeout(15):
            async for message in self.client.messages:
                self.heard.append(message.payload.decode())
                if self.heard[-1] == what:
                    return
