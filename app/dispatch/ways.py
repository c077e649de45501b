"""Over which ways somebody is called: their own order, the first that works, and what the rung adds. Pure."""

from collections.abc import Collection, Iterable
from typing import TypeAlias
from uuid import UUID

from app.people.models import Address, Person
from app.people.ways import in_order

Way: TypeAlias = tuple[str, UUID | None]
"""A channel, and the address there; None: the channel needs none."""

INSIDE: Way = ("stream", None)
ON_RECORD: Way = ("log", None)
NOT_OF_PEOPLE = frozenset({"stream", "log"})


def ways(
    person: Person,
    addresses: Iterable[Address],
    channels: Collection[str],
    *,
    added: Collection[str] = (),
    used: Collection[str] = (),
    muted: bool = False,
) -> list[Way]:
    """Return the ways to call `person` now: all phones of the first channel, those that are `added`, and the open page.

    `channels` are those this installation has; what was `used` for this call already is left out, so that the next
    channel is the first. `muted`: the open page only. Nobody at all to hear it is on record in the log.
    """
    of: dict[str, list[Way]] = {}
    for address in addresses:
        if address.channel in channels:
            of.setdefault(address.channel, []).append((address.channel, address.id))
    if person.email and "email" in channels:
        of.setdefault("email", [("email", None)])
    left = [kind for kind in in_order(person, of.keys() - NOT_OF_PEOPLE) if kind not in used]
    chosen = [] if muted else [kind for place, kind in enumerate(left) if place == 0 or kind in added]
    found = [INSIDE] if "stream" in channels and "stream" not in used else []
    found += [way for kind in chosen for way in of[kind]]
    if not of and not muted and "log" in channels and "log" not in used:
        found.append(ON_RECORD)
    return found
