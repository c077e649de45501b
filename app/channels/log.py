"""The log: every call as a line, for a plant that is being set up and has no phones yet.

checked-address: exempt (there is one log)
gone: exempt (it does not go away)
retry-after: exempt (nobody to wait for)
timeout: exempt (no network)
replaces: exempt (a log keeps everything)
displayed: exempt (nobody looks at a log in time)
no-secrets-logged: done
tested: done
"""

from collections.abc import Mapping
from typing import Self

import structlog

from app.channels.base import Message
from app.settings import Settings

log = structlog.get_logger(__name__)


class Log:
    """Writes the message down, without the token that could accept it."""

    kind = "log"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        log.info(
            "call",
            title=message.title,
            body=message.body,
            severity=message.severity,
            tag=message.tag,
            url=message.url,
            delivery=str(message.delivery_id),
        )

    async def close(self) -> None:
        """Nothing is open."""
