"""What every channel is: one message in, a receipt out at most, or `Undeliverable` with what to do about it.

A channel starts with its checklist: each of `CHECKLIST` once, `done`, `todo (reason)` or `exempt (reason)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable
from uuid import UUID

CHECKLIST = (
    "checked-address",  # an address is checked before it is stored, and again before it is used
    "gone",  # an address that died is told apart from a bad moment
    "retry-after",  # when the other side asks us to wait, we wait
    "timeout",  # every wait on a network ends
    "replaces",  # news about one anomaly replaces older news on the phone
    "displayed",  # the phone says when the message was shown
    "no-secrets-logged",  # neither tokens nor addresses reach the log
    "tested",  # against a stand-in that speaks the real protocol
)


class Urgency(StrEnum):
    """How much battery a message is worth. High wakes a sleeping phone: for what asks somebody to move."""

    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Words:
    """What a phone says by itself, in the language of its owner; it has no catalogue of its own."""

    accept: str
    open: str
    accepted: str
    failed: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a digest, and where it leads."""

    text: str
    url: str


Receipt: TypeAlias = dict[str, object]
"""What the other side calls the message it took: enough to change it later. It is kept with the delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One call to one person or place, ready to be read.

    `tag` is the anomaly: a newer message with the same tag replaces the older one, and rings again only with
    `renotify`. `token` proves that the phone which answers is the one that was called; it accepts only when
    `can_accept`. `url` is where the message leads, absolute. `severity` is 1 (line stopped) to 4 (nuisance).
    `ttl` (seconds), `urgency` and `topic` override what the channel makes of severity and tag.
    `answer` is what accepting posts to, under the delivery: another one than "acceptance" is also posted by a tap on
    the message itself. `items` are the lines of a digest; who cannot show them as links has them in `body` as well.
    `everybody`: a group is to be woken, not only told.
    """

    delivery_id: UUID
    title: str
    body: str
    url: str
    tag: str
    severity: int
    lang: str
    words: Words
    token: str
    can_accept: bool = True
    answer: str = "acceptance"
    renotify: bool = False
    ttl: int | None = None
    urgency: Urgency | None = None
    topic: str | None = None
    items: tuple[Item, ...] = ()
    everybody: bool = False


class Undeliverable(Exception):
    """The message did not get out.

    `gone`: the address is dead for ever; forget it.
    `retry_after`: seconds to wait before this message may be tried again; None when trying again cannot help.
    `reason`: one translatable English sentence, for the delivery's line on the page and for the log.
    `said`: the other side's own words, for whoever has to look them up.
    """

    def __init__(self, reason: str, *, gone: bool = False, retry_after: float | None = None, said: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.said = said
        self.gone = gone
        self.retry_after = retry_after


class Channel(Protocol):
    """A way to reach a person."""

    @property
    def kind(self) -> str: ...

    async def send(self, message: Message, address: Mapping[str, object]) -> Receipt | None:
        """Hand `message` over to whoever carries it to `address`, and wait for their yes.

        Return what is needed to change it later, None when nothing can be changed.

        Raises:
            Undeliverable: they said no, or nothing in time.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. The channel may be used again afterwards."""
        ...


@runtime_checkable
class Changing(Channel, Protocol):
    """A way to reach people that can put right what it said: one card is changed, not many sent."""

    async def change(self, message: Message, address: Mapping[str, object], receipt: Receipt) -> None:
        """Let what was sent say `message` from now on, in its old place and without a sound.

        Raises:
            Undeliverable: as `send`.
        """
        ...
