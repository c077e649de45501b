"""In which order somebody is reached, over what they have. Pure."""

from collections.abc import Iterable
from typing import Final

from app.people.models import Address, Person

CHAT: Final = ("dingtalk_stream", "feishu_long", "wecom_smart")
USUAL: Final = ("webpush", *CHAT, "ntfy", "email", "sms", "voice")
"""The order of the plant: what rings first and says whether it was shown; what costs money comes last."""


def in_order(person: Person, kinds: Iterable[str]) -> list[str]:
    """Return each of `kinds` once: first as the person wants it, then as is usual, then what nobody has ranked."""
    ranked = [*dict.fromkeys((*person.ways, *USUAL))]
    return sorted(set(kinds), key=lambda kind: (ranked.index(kind) if kind in ranked else len(ranked), kind))


def kinds_of(person: Person, addresses: Iterable[Address]) -> list[str]:
    """Return the channels over which somebody can be reached, in their order."""
    has = {address.channel for address in addresses}
    return in_order(person, has | {"email"} if person.email else has)
