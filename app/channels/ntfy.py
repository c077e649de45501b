"""Messages through ntfy: they ring over a server of one's own, with neither Apple nor Google in between.

checked-address: done
gone: exempt (a topic exists as soon as somebody writes to it)
retry-after: done
timeout: done
replaces: done
displayed: exempt (ntfy does not tell the sender)
no-secrets-logged: done
tested: done

https://docs.ntfy.sh/publish/#publish-as-json. The server is the plant's choice, the topic each person's: whoever knows
a topic reads it, so nothing that accepts is in the message.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self

import structlog
from yarl import URL

from app.channels.answers import SOON, wait
from app.channels.base import Message, Receipt, Undeliverable
from app.channels.hosts import BadPushSetting
from app.channels.outbound import Outbound
from app.channels.personal import TOPIC
from app.kit.clock import utcnow
from app.kit.errors import N_
from app.settings import Settings

log = structlog.get_logger(__name__)

PRIORITY: Final = {1: 5, 2: 4, 3: 3, 4: 2}

NOT_SET_UP: Final = N_("ntfy is not set up here. Your administrator can name a server in the setting ntfy_url.")
NO_TOPIC: Final = N_("This is not an ntfy topic.")
NO_LOGIN: Final = N_("The ntfy server refused our token. Check the setting ntfy_url.")
REFUSED: Final = N_("The ntfy server did not take the message.")
BUSY: Final = N_("The ntfy server has a fault or asks us to wait.")


class Ntfy:
    """Publishes to one server. A newer message about the same anomaly takes the place of the older one."""

    kind: ClassVar[str] = "ntfy"

    def __init__(self, server: URL | None, *, clock: Callable[[], datetime] = utcnow) -> None:
        self._server, self._clock, self._out = server, clock, Outbound()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read the server from the settings.

        Raises:
            BadPushSetting: it is no http(s) address.
        """
        given = settings.ntfy_url.get_secret_value()
        if not given:
            return cls(None)
        url = URL(given)
        if url.scheme not in ("https", "http") or not url.host:
            raise BadPushSetting(setting="ntfy_url", why="it is no https:// address")
        return cls(url)

    async def send(self, message: Message, address: Mapping[str, object]) -> Receipt | None:
        await self._publish(letter(message, _topic(address)))
        return {"sequence": message.tag}

    async def change(self, message: Message, address: Mapping[str, object], receipt: Receipt) -> None:
        sequence = str(receipt.get("sequence", message.tag))
        await self._publish(letter(message, _topic(address)) | {"sequence_id": sequence, "priority": 1})

    async def close(self) -> None:
        await self._out.close()

    async def _publish(self, document: dict[str, Any]) -> None:
        if self._server is None:
            raise Undeliverable(NOT_SET_UP)
        headers = {"Content-Type": "application/json"}
        if self._server.user:
            headers["Authorization"] = f"Bearer {self._server.user}"
        url = self._server.with_user(None).with_path("/")
        answer = await self._out.post(url, json.dumps(document, ensure_ascii=False).encode(), headers)
        if answer.status == 200:
            return
        log.warning("ntfy refused", host=url.host, status=answer.status)
        if answer.status in (401, 403):
            raise Undeliverable(NO_LOGIN)
        if answer.status == 429 or answer.status >= 500:
            raise Undeliverable(BUSY, retry_after=max(wait(answer.retry_after, now=self._clock()), SOON))
        raise Undeliverable(REFUSED)


def letter(message: Message, topic: str) -> dict[str, Any]:
    """Return the message as ntfy wants it. Touching it opens the page."""
    return {
        "topic": topic,
        "title": message.title,
        "message": message.body,
        "priority": PRIORITY.get(message.severity, 3),
        "click": message.url,
        "actions": [{"action": "view", "label": message.words.open, "url": message.url, "clear": True}],
        "sequence_id": message.tag,
    }


def _topic(address: Mapping[str, object]) -> str:
    topic = str(address.get("topic", ""))
    if not TOPIC.fullmatch(topic):
        raise Undeliverable(NO_TOPIC, gone=True)
    return topic
