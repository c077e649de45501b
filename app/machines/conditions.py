"""What an event of a server's own alarm (OPC UA Part 9) means to us. Pure: what was known, what was told.

A condition calls when it becomes active, and returns to normal when it is active no more; `Retain` alone, or a missing
confirmation alone, is no call. A branch is an earlier alarm of the same condition for which somebody still owes an
answer: it calls nobody, but it is kept and can be answered. Telling twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import blake2b
from uuid import UUID

from app.machines.condition_models import Act

LEAST, MOST = 1, 1000
SEVERITIES = (801, 601, 401, 201)
"""From which of the server's severities on an alarm is urgent, serious, ordinary, minor; below: only in the list."""


class Step(Enum):
    """Something people or the timeline should hear of."""

    RISE = 1
    CLEAR = 2
    WORSE = 3
    BRANCH = 4
    ACKED = 5


@dataclass(frozen=True, slots=True)
class Told:
    """One event of one condition. None: the server does not say, or this condition has no such state."""

    node: str
    at: datetime
    branch: str = ""
    event_id: str = ""
    source: str = ""
    source_name: str = ""
    name: str = ""
    message: str = ""
    language: str = "en"
    severity: int = LEAST
    active: bool | None = None
    asks: bool | None = None
    acked: bool | None = None
    confirmed: bool | None = None
    retain: bool | None = None
    enabled: bool | None = None
    hidden: str = ""
    quality: str = ""
    comment: str = ""
    user: str = ""

    @property
    def live(self) -> bool:
        """Does the server still keep it?"""
        return self.retain is not False and self.enabled is not False

    @property
    def on(self) -> bool:
        """Is it abnormal now? A condition that is never active or not is so while nobody has answered it."""
        if not self.live:
            return False
        for state in (self.asks, self.active):
            if state is not None:
                return state
        return self.acked is not True


@dataclass(frozen=True, slots=True)
class Repeated:
    """A refresh is over: these (ConditionId, BranchId) are all the server still keeps."""

    keys: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Errand:
    """An answer to take to the machine."""

    id: UUID
    node: str
    event_id: str
    act: Act
    comment: str


@dataclass(frozen=True, slots=True)
class Known:
    """What was last made known of a condition. `level` is the severity we said, `changes` counts what we said."""

    announced: bool = False
    level: int | None = None
    acked: bool | None = None
    changes: int = 0


def judge(
    known: Known | None, told: Told, *, limits: Sequence[int] = SEVERITIES, shelved: bool = False
) -> tuple[Known, list[Step]]:
    """Return what is known from now on, and what it means. `shelved`: a person here does not want to hear of it."""
    before = known or Known()
    announced, level = before.announced, severity(told.severity, limits)
    # One that returns to normal unanswered may leave what it is owed to a branch: nobody has acknowledged then.
    handed_over = announced and told.active is False
    steps = [Step.ACKED] if told.acked and before.acked is False and not handed_over else []
    if told.branch:
        if known is None and told.live:
            steps.append(Step.BRANCH)
    elif announced and not told.on:
        steps.append(Step.CLEAR)
        announced, level = False, None
    elif announced:
        if level is not None and before.level is not None and level < before.level:
            steps.append(Step.WORSE)
        else:
            level = before.level
    elif told.on and level is not None and not told.hidden and not shelved:
        steps.append(Step.RISE)
        announced = True
    return Known(announced, level, told.acked, before.changes + len(steps)), steps


def severity(told: int, limits: Sequence[int] = SEVERITIES) -> int | None:
    """Return ours, 1 (urgent) to 4 (minor), of the server's 1 to 1000. None: nobody is called."""
    bounded = min(max(told, LEAST), MOST)
    return next((ours for ours, least in enumerate(limits, 1) if bounded >= least), None)


def identity(source_id: UUID, node: str, branch: str = "") -> UUID:
    """The id of a condition here: the same for the same server, ConditionId and BranchId."""
    seed = b"\0".join((source_id.bytes, node.encode(), branch.encode()))
    return UUID(bytes=blake2b(seed, digest_size=16).digest())


def key(condition_id: UUID, step: Step, *, event_id: str, number: int, at: datetime) -> UUID:
    """The name of one step: a UUIDv7 of the moment it happened, the rest drawn from condition, event and number."""
    seed = f"{condition_id.hex}:{step.value}:{event_id}:{number}".encode()
    drawn = int.from_bytes(blake2b(seed, digest_size=10).digest())
    milliseconds = int(at.timestamp() * 1000) & (1 << 48) - 1
    return UUID(int=milliseconds << 80 | drawn & ~(0xF << 76) & ~(0b11 << 62) | 0x7 << 76 | 0b10 << 62)


def forgotten(open_keys: Iterable[tuple[str, str]], repeated: Repeated) -> list[tuple[str, str]]:
    """Return what has cleared while nobody listened: what was open and is not repeated. Branches never are."""
    return [key for key in open_keys if not key[1] and key not in repeated.keys]
