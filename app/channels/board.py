"""Hall board: a screen that shows what is open to everybody who walks past.

There is nothing to send. The event log is the stream, and every board follows it by itself; this channel gives the call
a delivery row, and the board tells when it has shown it.

checked-address: exempt (the address is the board's own row)
gone: exempt (a board that was taken down has no outlet any more)
retry-after: exempt (nobody to wait for)
timeout: exempt (no network)
replaces: done
displayed: done
no-secrets-logged: done
tested: done
"""

from collections.abc import Mapping
from typing import Self

from app.channels.base import Message
from app.settings import Settings


class Board:
    """Answers yes: the event is in the log before any delivery is planned."""

    kind = "board"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        """Return at once; see above."""

    async def close(self) -> None:
        """Nothing is open."""
