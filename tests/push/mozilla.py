"""The other half of a push service: Mozilla's WebSocket protocol, so that a real Firefox can subscribe here.

Firefox says hello (with the id it got last time), registers channels, and acknowledges what it was given.
"""

import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.push.signature import encode

if TYPE_CHECKING:
    from tests.push.service import Letter, PushService, Subscriber

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Carrier = Callable[["Letter"], Awaitable[None]]


def browser(service: "PushService") -> Handler:
    """Return the handler for one Firefox after another. Their subscriptions outlive the connection."""
    profiles: dict[str, dict[str, Subscriber]] = {}

    async def connected(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("push-notification",))
        await socket.prepare(request)
        channels: dict[str, Subscriber] = {}
        mine: list[Carrier] = []

        def carry_for(channel: str, one: "Subscriber") -> Carrier:
            one.carry = _carrier(socket, channel, one)
            mine.append(one.carry)
            return one.carry

        async for frame in socket:
            said: dict[str, Any] = json.loads(frame.data)
            match said.get("messageType", "ping"):
                case "ping":
                    await socket.send_json({})
                case "hello":
                    name = said["uaid"] if said.get("uaid") in profiles else secrets.token_hex(16)
                    channels = profiles.setdefault(name, {})
                    answer = {"status": 200, "uaid": name, "use_webpush": True, "broadcasts": {}}
                    await socket.send_json({"messageType": "hello", **answer})
                    for channel, one in channels.items():
                        carry = carry_for(channel, one)
                        for letter in service.back_online(one):
                            await carry(letter)
                case "register":
                    channel = said["channelID"]
                    one = channels[channel] = service.subscribe(said.get("key"))
                    carry_for(channel, one)
                    answer = {"status": 200, "channelID": channel, "pushEndpoint": service.endpoint(one)}
                    await socket.send_json({"messageType": "register", **answer})
                case "unregister":
                    channel = said["channelID"]
                    if channel in channels:
                        service.unsubscribe(channels.pop(channel))
                    await socket.send_json({"messageType": "unregister", "status": 200, "channelID": channel})
                case "ack":
                    for update in said["updates"]:
                        _acknowledged(channels[update["channelID"]], update["version"])
        for one in channels.values():
            if one.carry in mine:  # else the same Firefox is already connected again
                one.online = False
        return socket

    return connected


def _carrier(socket: web.WebSocketResponse, channel: str, one: "Subscriber") -> Carrier:
    async def carry(letter: "Letter") -> None:
        one.waiting.append(letter)  # until Firefox says that it has it
        with contextlib.suppress(ConnectionError):
            await socket.send_json(
                {
                    "messageType": "notification",
                    "channelID": channel,
                    "version": letter.id,
                    "ttl": letter.ttl,
                    "data": encode(letter.body),
                    "headers": {"encoding": "aes128gcm"},
                }
            )

    return carry


def _acknowledged(one: "Subscriber", version: str) -> None:
    for letter in [letter for letter in one.waiting if letter.id == version]:
        one.waiting.remove(letter)
        one.delivered.append(letter)
