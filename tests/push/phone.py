"""A phone in a pocket, with real keys: what it shows was really encrypted, signed, sent and decrypted.

It stands for browser, service worker and notification tray together, and keeps to what
`manifest/service-worker.js` does; that file itself is tested in real browsers (tests/browser/test_push_*.py).
"""

import json
import os
from dataclasses import dataclass
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.push.service import PushService, Subscriber
from tests.push.signature import encode


@dataclass(frozen=True, slots=True)
class Post:
    """What the phone's service worker would send: POST `form` to `path`."""

    path: str
    form: dict[str, str]


class Phone:
    def __init__(self, service: PushService) -> None:
        self._service = service
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)
        self._subscriber: Subscriber | None = None

    def subscribe(self, application_server_key: str | None) -> dict[str, Any]:
        """Turn ringing on. Returns what a browser's `toJSON()` gives, for POST /addresses."""
        self._subscriber = self._service.subscribe(application_server_key)
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self._service.endpoint(self._subscriber),
            "expirationTime": None,
            "keys": {"p256dh": encode(point), "auth": encode(self._auth)},
        }

    def unsubscribe(self) -> None:
        self._service.unsubscribe(self._me)

    def goes_offline(self) -> None:
        self._me.online = False

    def comes_back(self) -> None:
        self._service.back_online(self._me)

    def rang(self) -> list[dict[str, Any]]:
        """Every notification this phone ever received, in order, as the service worker gets them."""
        return [self._read(letter.body)["notification"] for letter in list(self._me.delivered)]

    def received(self) -> list[tuple[float, dict[str, Any]]]:
        """The same, each with the moment of the real world in which the push service took it."""
        return [(letter.at, self._read(letter.body)["notification"]) for letter in list(self._me.delivered)]

    def shown(self) -> list[dict[str, Any]]:
        """What lies in the tray: of each tag only the newest, in the order they came."""
        tray: dict[str, dict[str, Any]] = {}
        for notification in self.rang():
            tray.pop(notification["tag"], None)
            tray[notification["tag"]] = notification
        return list(tray.values())

    def forgets(self) -> None:
        """Empty the tray, and forget what rang until now."""
        self._me.delivered.clear()

    def titles(self) -> list[str]:
        return [notification["title"] for notification in self.shown()]

    def displays(self, notification: dict[str, Any]) -> Post:
        return _post(notification, "displayed")

    def opens(self, notification: dict[str, Any]) -> Post:
        return _post(notification, "opened")

    def accepts(self, notification: dict[str, Any]) -> Post:
        """Press Accept in the tray; fails when the notification has no such button."""
        assert "accept" in [action["action"] for action in notification["actions"]], "there is no Accept here"
        return _post(notification, notification["data"].get("answer", "acceptance"))

    def _read(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        letter: dict[str, Any] = json.loads(plain)
        assert letter["web_push"] == 8030
        return letter

    @property
    def _me(self) -> Subscriber:
        assert self._subscriber, "this phone has not turned ringing on"
        return self._subscriber


def _post(notification: dict[str, Any], what: str) -> Post:
    data = notification["data"]
    return Post(f"/deliveries/{data['delivery']}/{what}", {"token": data["token"]})
