"""What may be asked of a source while somebody waits for the answer. Who asks it stands above this slice."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from app.machines.faults import Fault
from app.machines.plan import LinkPlan
from app.machines.security import Offer


@dataclass(frozen=True, slots=True)
class Discovery:
    """Who answers at an address, and the ways in it offers, the best first. `others`: servers it knows of."""

    name: str
    uri: str
    offers: tuple[Offer, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """What a server says of itself. `behind_s`: how far its clock is behind ours."""

    product: str
    state: str
    running: bool
    since: datetime | None
    behind_s: float | None
    took_ms: int


@dataclass(frozen=True, slots=True)
class Child:
    """A thing in the address space. `node` keeps the namespace by name. `opens`: what can be watched lies below it."""

    node: str
    name: str
    is_value: bool
    opens: bool
    value: str = ""
    good: bool = True
    status: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """What lies below a node, from number `skip` on; `more`: there are others behind these."""

    node: str
    name: str
    children: tuple[Child, ...]
    skip: int
    more: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that somebody wants to watch, as it is now. `numeric`: limits make sense. `low`, `high`: its range."""

    node: str
    name: str
    value: str
    good: bool
    status: str
    at: datetime | None
    numeric: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None


@runtime_checkable
class Asker(Protocol):
    """Asks within a time limit, leaves nothing behind, and answers with a Fault where it cannot."""

    def meet(self, url: str) -> Awaitable[Discovery | Fault]:
        """Who is there? Sends nothing that is secret, and believes nothing."""

    def test(self, plan: LinkPlan) -> Awaitable[Health | Fault]:
        """Log in as the watcher would, and ask how it is."""

    def browse(self, plan: LinkPlan, node: str, skip: int) -> Awaitable[Level | Fault]:
        """What lies below a node? Empty: below the objects."""

    def look(self, plan: LinkPlan, nodes: Sequence[str]) -> Awaitable[tuple[Seen, ...] | Fault]:
        """How are these values now, in which unit and range?"""
