"""When is a tag's value an alarm? Pure: a rule, what was known, what was read, the time; nothing else.

Longer than most files because words and decision are one thing: who reads `evaluate` needs them on the same page.
Terms are those of ISA-18.2 / OPC UA Part 9. The order is fixed, and later steps have their place in it: quality gate →
condition with dead-band → on- and off-delay → (latch → suppression → chatter → flood: not decided here yet).
Bad quality holds a process alarm: it neither raises nor clears it. That the signal is lost is an alarm of its own
(BAD_STATUS, STALE), never "all good".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from math import isfinite
from uuid import UUID

from app.kit.errors import N_, DomainError


class Kind(StrEnum):
    """What is watched for. Rate of change, bit patterns and deviation will be further kinds."""

    HIGH = "high"
    LOW = "low"
    DISCRETE = "discrete"
    BAD_STATUS = "bad_status"
    STALE = "stale"


class Quality(Enum):
    """GOOD: a value to judge by. BAD: the server says it is none. SILENT: nobody says anything."""

    GOOD = 1
    BAD = 2
    SILENT = 3


HIGH, LOW, DISCRETE, BAD_STATUS, STALE = Kind  # looked up a million times: a global is cheaper than an attribute
GOOD, BAD, SILENT = Quality

SIGNAL_KINDS = frozenset({BAD_STATUS, STALE})
"""Alarms about the signal itself; the others are process alarms."""

PLAUSIBLE_AGE = timedelta(hours=1)
"""An older time stamp of a source is not believed as the moment something began: we then say "now"."""


class BadRule(DomainError):
    code = "machines.bad_rule"
    message = N_(
        "An alarm rule needs a number as its limit, and a dead-band and delays that are not negative. This rule is not "
        "watched; all others are. Correct it."
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on one tag. Delays are seconds.

    `setpoint` is the limit of HIGH and LOW. For STALE it is the greatest age, in seconds, of the source's own time
    stamp, for values that never rest (a value that rests is seen again only when all are read again), or None where
    an old value is fine as long as the link lives. `active_when` is the abnormal side of DISCRETE.

    Raises:
        BadRule: no finite limit where one is needed, or something negative.
    """

    id: UUID
    kind: Kind
    setpoint: float | None = None
    deadband: float = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    active_when: bool = True

    def __post_init__(self) -> None:
        numbers = (self.deadband, self.on_delay, self.off_delay)
        if not all(isfinite(n) and n >= 0 for n in numbers):
            raise BadRule(rule=self.id)
        if self.setpoint is None:
            if self.kind in (HIGH, LOW):
                raise BadRule(rule=self.id)
        elif not isfinite(self.setpoint) or (self.kind is STALE and self.setpoint <= 0):
            raise BadRule(rule=self.id)


@dataclass(slots=True)
class Sample:
    """What was read. `status` is the server's word for it; `at` is the source's moment on our clock, aware UTC.

    `after_gap`: first seen when the link came back, so it may have been so for longer, or more than once.
    """

    value: object
    quality: Quality
    at: datetime
    status: str = "Good"
    after_gap: bool = False


@dataclass(slots=True)
class State:
    """What is known of one rule. Treated as a value: `evaluate` returns a new one or the same, and changes none.

    `pending_since`: since when the condition has been the opposite of `active`, waiting for a delay to pass.
    `changes` counts the transitions, so that each has a number of its own.
    """

    active: bool = False
    since: datetime | None = None
    pending_since: datetime | None = None
    changes: int = 0


@dataclass(slots=True)
class Transition:
    """An edge. `since` is when the condition began, `at` when the delay had passed and we said so."""

    active: bool
    since: datetime
    at: datetime
    number: int
    sample: Sample


def evaluate(rule: Rule, state: State, sample: Sample, *, now: datetime) -> tuple[State, Transition | None]:
    """Return what is known now, and the edge if there is one.

    Call it with each sample, and again with the same sample when `next_due` says so: a steady value sends nothing more,
    and its delays must pass all the same.
    """
    abnormal = _abnormal(rule, state.active, sample, now)
    if abnormal is None:
        return state, None
    began = state.pending_since
    if abnormal is state.active:
        if began is None:
            return state, None
        return State(state.active, state.since, None, state.changes), None
    if began is None or began > now:  # later than now: somebody turned the clock back
        began = _moment(rule, sample, now)
    delay = rule.off_delay if state.active else rule.on_delay
    if delay and now - began < timedelta(seconds=delay):
        if began is state.pending_since:
            return state, None
        return State(state.active, state.since, began, state.changes), None
    number = state.changes + 1
    return State(abnormal, began, None, number), Transition(abnormal, began, now, number, sample)


def next_due(rule: Rule, state: State, sample: Sample) -> datetime | None:
    """Return when to call `evaluate` again if no further sample comes, or None when only a sample can change it."""
    if _abnormal(rule, state.active, sample, sample.at) is None:
        return None  # held
    if state.pending_since is not None:
        return state.pending_since + timedelta(seconds=rule.off_delay if state.active else rule.on_delay)
    if rule.kind is STALE and rule.setpoint is not None and sample.quality is GOOD and not state.active:
        return sample.at + timedelta(seconds=rule.setpoint)
    return None


def is_number(value: object) -> bool:
    """Can it be compared with a limit? True and False cannot, infinity and NaN cannot."""
    kind = type(value)
    return kind is int or (kind is float and isfinite(value))  # type: ignore[arg-type]


def is_boolean(value: object) -> bool:
    """Is it on or off? Many controllers say it with 0 and 1."""
    return type(value) is bool or (type(value) is int and value in (0, 1))


def _abnormal(rule: Rule, active: bool, sample: Sample, now: datetime) -> bool | None:
    """Is the condition there? None: this sample does not tell."""
    kind = rule.kind
    if kind is STALE:
        if sample.quality is not GOOD:
            return True
        return rule.setpoint is not None and now - sample.at >= timedelta(seconds=rule.setpoint)
    if kind is BAD_STATUS:
        return None if sample.quality is SILENT else sample.quality is BAD
    if sample.quality is not GOOD:
        return None
    value = sample.value
    if kind is DISCRETE:
        return bool(value) is rule.active_when if is_boolean(value) else None
    if not is_number(value):
        return None
    # Active, it must come back past the dead-band to be normal again.
    if kind is HIGH:
        return value > (rule.setpoint - rule.deadband if active else rule.setpoint)  # type: ignore[operator]
    return value < (rule.setpoint + rule.deadband if active else rule.setpoint)  # type: ignore[operator]


def _moment(rule: Rule, sample: Sample, now: datetime) -> datetime:
    """When did it begin? The source knows best, as long as what it says can be true."""
    began = sample.at
    if rule.kind is STALE and sample.quality is GOOD and rule.setpoint is not None:
        age = timedelta(seconds=rule.setpoint)
        began += age if now - began >= age else timedelta()
    return began if now - PLAUSIBLE_AGE <= began <= now else now
