"""In-app stream: what a person sees who has Pullcord open.

There is nothing to send. The event log is the stream, and every open page follows it by itself; this channel
gives the call a delivery row, so that an open page is told apart from a phone in a pocket.

checked-address: exempt (everybody who is logged in has it)
gone: exempt (a closed page follows nothing, and nothing is lost)
retry-after: exempt (nobody to wait for)
timeout: exempt (no network)
replaces: exempt (a card on the page replaces itself)
displayed: done
no-secrets-logged: done
tested: done
"""

from collections.abc import Mapping
from typing import Self

from app.channels.base import Message
from app.settings import Settings


class Stream:
    """Answers yes: the event is in the log before any delivery is planned."""

    kind = "stream"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        """Return at once; see above."""

    async def close(self) -> None:
        """Nothing is open."""
