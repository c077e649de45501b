"""When is a tag's value an alarm? Pure: a rule, what was known, what was read, the time; nothing else.

Longer than most files because words and decision are one thing: who reads `evaluate` needs them on the same page.
Terms are those of ISA-18.2 / OPC UA Part 9. The order is fixed: quality gate → condition with dead-band → active only
when → on- and off-delay → latch → suppression and shelving → re-alarm. Chatter and first-out of a group follow in
watch.py, floods at the one door (capture/intake.py).
Bad quality holds a process alarm: it neither raises nor clears it. That the signal is lost is an alarm of its own
(BAD_STATUS, STALE), never "all good".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.kit.errors import N_, DomainError
from app.machines import windows
from app.machines.samples import BAD as BAD
from app.machines.samples import GOOD as GOOD
from app.machines.samples import SILENT as SILENT
from app.machines.samples import Quality as Quality
from app.machines.samples import Sample as Sample
from app.machines.samples import is_boolean as is_boolean
from app.machines.samples import is_number as is_number
from app.machines.samples import is_whole, word
from app.machines.terms import Term, all_hold, any_holds, unheard


class Kind(StrEnum):
    """What is watched for."""

    HIGH = "high"
    LOW = "low"
    DISCRETE = "discrete"
    BAD_STATUS = "bad_status"
    STALE = "stale"
    RATE_OF_CHANGE = "rate_of_change"
    DEVIATION = "deviation"
    BIT_PATTERN = "bit_pattern"
    STATE = "state"
    COUNT = "count"
    COMBINATION = "combination"


HIGH, LOW, DISCRETE, BAD_STATUS, STALE = list(Kind)[:5]  # looked up a million times: a global is cheaper
RATE_OF_CHANGE, DEVIATION, BIT_PATTERN, STATE, COUNT, COMBINATION = list(Kind)[5:]

SIGNAL_KINDS = frozenset({BAD_STATUS, STALE})
"""Alarms about the signal itself; the others are process alarms."""
LIMITED = frozenset({HIGH, LOW, RATE_OF_CHANGE, DEVIATION, COUNT})
"""Those that need a number as their limit."""
STEADY = frozenset({HIGH, LOW, DISCRETE, BAD_STATUS, STALE, BIT_PATTERN, STATE})
"""Those that are told by the present value of their own tag alone."""

SHELVED, SUPPRESSED = "shelved", "suppressed"
PLAUSIBLE_AGE = timedelta(hours=1)
"""An older time stamp of a source is not believed as the moment something began: we then say "now"."""
FOR_EVER = datetime.max.replace(tzinfo=UTC)
MOST_COUNTED = 100
NOTHING: Mapping[UUID, Sample] = {}


class BadRule(DomainError):
    code = "machines.bad_rule"
    message = N_(
        "An alarm rule needs a number as its limit, and a dead-band and delays that are not negative. This rule is not "
        "watched; all others are. Correct it."
    )


@dataclass(frozen=True, slots=True)
class Shelving:
    """A person has hidden the alarm. `until` None: until somebody ends it; `one_shot`: until it is normal once."""

    since: datetime
    until: datetime | None = None
    one_shot: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """The shifts in which an alarm is meant, in the wall clock of the site."""

    zone: str
    spans: tuple[tuple[time, time], ...]

    def contain(self, *, now: datetime) -> bool:
        clock = now.astimezone(ZoneInfo(self.zone)).time()
        return any(a <= clock < b if a < b else clock >= a or clock < b for a, b in self.spans)

    def next_change(self, *, now: datetime) -> datetime:
        local = now.astimezone(ZoneInfo(self.zone))
        days = (local.date(), local.date() + timedelta(days=1))
        edges = (datetime.combine(day, at, local.tzinfo) for day in days for span in self.spans for at in span)
        return min(at for edge in edges if (at := edge.astimezone(UTC)) > now)


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on one tag. Delays and windows are seconds.

    `setpoint` is the limit of HIGH and LOW; for RATE_OF_CHANGE by how much the value rises (negative: falls) within
    `window`; for DEVIATION how far it may be from `target`, or from the value of `target_tag`; for COUNT how often it
    goes on within `window`. For STALE it is the greatest age, in seconds, of the source's own time stamp, for values
    that never rest (a value that rests is seen again only when all are read again), or None where an old value is fine
    as long as the link lives. `active_when` is the abnormal side of DISCRETE and COUNT. BIT_PATTERN: the bits of `mask`
    are as in `pattern`; STATE: the value is one of `states`; COMBINATION: `terms` hold, all or (`any_of`) one of them.

    `only_when` and `hours`: else it is not meant, and normal. `suppress_when`: as long as one of these holds, and
    `release_delay` longer, it is not announced; what is still active then, is.

    Raises:
        BadRule: no finite limit where one is needed, or something negative, or missing.
    """

    id: UUID
    kind: Kind
    setpoint: float | None = None
    deadband: float = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    active_when: bool = True
    window: float = 0.0
    target: float = 0.0
    target_tag: UUID | None = None
    mask: int = 0
    pattern: int = 0
    states: frozenset[str] = frozenset()
    terms: tuple[Term, ...] = ()
    any_of: bool = False
    only_when: tuple[Term, ...] = ()
    hours: Hours | None = None
    suppress_when: tuple[Term, ...] = ()
    release_delay: float = 0.0
    realarm_time: float = 0.0
    latched: bool = False
    reset_at: datetime | None = None
    shelf: Shelving | None = None
    is_simple: bool = field(init=False, repr=False, compare=False)
    """Told by the present value of its own tag, and always meant: judged a million times."""

    def __post_init__(self) -> None:
        more = self.only_when or self.hours or self.suppress_when or self.realarm_time or self.latched or self.shelf
        object.__setattr__(self, "is_simple", self.kind in STEADY and not more)
        numbers = (self.deadband, self.on_delay, self.off_delay, self.window, self.release_delay, self.realarm_time)
        if not (all(isfinite(n) and n >= 0 for n in numbers) and isfinite(self.target)):
            raise BadRule(rule=self.id)
        if self.setpoint is None:
            if self.kind in LIMITED:
                raise BadRule(rule=self.id)
        elif not isfinite(self.setpoint) or (self.kind is STALE and self.setpoint <= 0):
            raise BadRule(rule=self.id)
        if not self._has_its_own():
            raise BadRule(rule=self.id)

    @property
    def tags(self) -> frozenset[UUID]:
        """The other tags that it looks at."""
        named = {term.tag for term in (*self.terms, *self.only_when, *self.suppress_when)}
        return frozenset(named | {self.target_tag} if self.target_tag else named)

    def _has_its_own(self) -> bool:
        kind, limit = self.kind, self.setpoint or 0
        if not all(term.can_work for term in (*self.terms, *self.only_when, *self.suppress_when)):
            return False
        if kind is RATE_OF_CHANGE:
            return self.window > 0 and limit != 0
        if kind is COUNT:
            return self.window > 0 and 1 <= limit <= MOST_COUNTED
        if kind is DEVIATION:
            return limit > 0
        if kind is BIT_PATTERN:
            return self.mask > 0 and self.pattern & ~self.mask == 0
        return bool(self.states) if kind is STATE else bool(self.terms) if kind is COMBINATION else True


@dataclass(slots=True)
class State:
    """What is known of one rule. Treated as a value: `evaluate` returns a new one or the same, and changes none.

    `active`: it was announced, and not its end. `withheld`: the condition is there, but is not announced, and why.
    `pending_since`: since when the condition has been the opposite, waiting for a delay to pass.
    `changes` counts the transitions, so that each has a number of its own. The rest is what only some rules need:
    when it was last told, until when it is suppressed, the one-shot shelf that is used up, what its window has seen,
    and when to look again.
    """

    active: bool = False
    since: datetime | None = None
    pending_since: datetime | None = None
    changes: int = 0
    withheld: str = ""
    told_at: datetime | None = None
    suppressed_until: datetime | None = None
    spent: datetime | None = None
    memory: Any = None
    due: datetime | None = None
    first: UUID | None = field(default=None, compare=False)
    """After a restart: the alarm of its group that it followed when it rose."""


@dataclass(slots=True)
class Transition:
    """An edge. `since` is when the condition began, `at` when the delay had passed and we said so.

    `withheld`: nobody is told, and why. `again`: it was told before, and is still so after the re-alarm time.
    """

    active: bool
    since: datetime
    at: datetime
    number: int
    sample: Sample
    withheld: str = ""
    again: bool = False


def evaluate(
    rule: Rule, state: State, sample: Sample, *, now: datetime, others: Mapping[UUID, Sample] = NOTHING
) -> tuple[State, Transition | None]:
    """Return what is known now, and the edge if there is one. `others`: what was last read of the tags a rule names.

    Call it with each sample, again with the same sample when `next_due` says so or another tag it names has changed:
    a steady value sends nothing more, and its delays must pass all the same.
    """
    if not rule.is_simple or state.withheld:
        return _in_full(rule, state, sample, now, others)
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
    if not rule.is_simple or state.withheld:
        return state.due
    if _abnormal(rule, state.active, sample, sample.at) is None:
        return None  # held
    if state.pending_since is not None:
        return state.pending_since + timedelta(seconds=rule.off_delay if state.active else rule.on_delay)
    if rule.kind is STALE and rule.setpoint is not None and sample.quality is GOOD and not state.active:
        return sample.at + timedelta(seconds=rule.setpoint)
    return None


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
    if kind is BIT_PATTERN:
        return value & rule.mask == rule.pattern if is_whole(value) else None  # type: ignore[operator]
    if kind is STATE:
        said = word(value)
        return None if said is None else said in rule.states
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


def _in_full(
    rule: Rule, state: State, sample: Sample, now: datetime, others: Mapping[UUID, Sample]
) -> tuple[State, Transition | None]:
    """`evaluate` for rules that remember, look at other tags, or are not always announced."""
    on = state.active or state.withheld != ""
    new = State(
        state.active, state.since, state.pending_since, state.changes, state.withheld, state.told_at,
        state.suppressed_until, state.spent, _remembered(rule, state.memory, sample, now),
    )  # fmt: skip
    abnormal = _meant(rule, _there(rule, on, sample, now, others, new.memory), now, others)
    hidden = _hidden(rule, new, now, others)
    if abnormal and not on and rule.suppress_when and not hidden and unheard(rule.suppress_when, others):
        abnormal = None  # what would suppress it is still to be read
    if abnormal is not None:
        on = _delayed(rule, new, on, abnormal, sample, now)
    edge = _announce(rule, state, new, on, hidden, sample, now)
    new.due = _due(rule, new, on, abnormal, sample, now)
    return (state if new == state else new), edge


def _remembered(rule: Rule, memory: Any, sample: Sample, now: datetime) -> Any:
    """What a window has seen. Without good quality nothing is known of the time in between, so it begins anew."""
    kind, value = rule.kind, sample.value
    if kind is RATE_OF_CHANGE:
        if sample.quality is not GOOD or not is_number(value):
            return None
        return windows.noted(memory or (), value, _moment(rule, sample, now), timedelta(seconds=rule.window))  # type: ignore[arg-type]
    if kind is COUNT and sample.quality is GOOD and is_boolean(value):
        most = int(rule.setpoint or 0)
        return windows.counted(memory, bool(value) is rule.active_when, _moment(rule, sample, now), most)
    return memory


def _there(
    rule: Rule, on: bool, sample: Sample, now: datetime, others: Mapping[UUID, Sample], memory: Any
) -> bool | None:
    """Is the condition there? As `_abnormal`, for every kind."""
    kind, limit = rule.kind, rule.setpoint or 0.0
    if kind is COMBINATION:
        return any_holds(rule.terms, others) if rule.any_of else all_hold(rule.terms, others)
    if kind in STEADY:
        return _abnormal(rule, on, sample, now)
    if sample.quality is not GOOD:
        return None
    if kind is COUNT:
        until = windows.lasts_until(memory, _often(rule, on), timedelta(seconds=rule.window))
        return (until is not None and now < until) if memory else None
    if kind is RATE_OF_CHANGE:
        by = windows.change(memory or (), timedelta(seconds=rule.window), now=now)
        if by is None:
            return None
        far = by if limit > 0 else -by
    else:
        target = others.get(rule.target_tag) if rule.target_tag else None
        wanted = rule.target if rule.target_tag is None else target.value if target and target.quality is GOOD else None
        if not (is_number(sample.value) and is_number(wanted)):
            return None
        far = abs(sample.value - wanted)  # type: ignore[operator]
    return far > (abs(limit) - rule.deadband if on else abs(limit))


def _often(rule: Rule, on: bool) -> float:
    """How often it must come; as a dead-band, fewer times keep it."""
    limit = rule.setpoint or 0.0
    return max(limit - rule.deadband, 1.0) if on else limit


def _meant(rule: Rule, abnormal: bool | None, now: datetime, others: Mapping[UUID, Sample]) -> bool | None:
    """Outside its hours, and while the line does not run, an alarm is normal."""
    if rule.hours and not rule.hours.contain(now=now):
        return False
    if rule.only_when:
        meant = all_hold(rule.only_when, others)
        return abnormal if meant else meant
    return abnormal


def _delayed(rule: Rule, new: State, on: bool, abnormal: bool, sample: Sample, now: datetime) -> bool:
    """Let the delays pass, and a latch hold. Return whether the condition counts as there."""
    began = new.pending_since
    if abnormal is on:
        new.pending_since = None
        return on
    if began is None or began > now:
        own = rule.kind in STEADY and not (rule.only_when or rule.hours)
        began = _moment(rule, sample, now) if own else now  # else what began it may be another tag, or the hour
    delay = rule.off_delay if on else rule.on_delay
    if (on and _is_latched(rule, new)) or (delay and now - began < timedelta(seconds=delay)):
        new.pending_since = began
        return on
    new.since, new.pending_since = began, None
    return abnormal


def _is_latched(rule: Rule, state: State) -> bool:
    """It stays until somebody has looked and reset it."""
    if not rule.latched or state.withheld:
        return False
    told = state.told_at or state.since
    return rule.reset_at is None or (told is not None and rule.reset_at < told)


def _hidden(rule: Rule, new: State, now: datetime, others: Mapping[UUID, Sample]) -> str:
    shelf = rule.shelf
    if shelf and shelf.since != new.spent and (shelf.until is None or now < shelf.until):
        return SHELVED
    if rule.suppress_when:
        if any_holds(rule.suppress_when, others):
            new.suppressed_until = FOR_EVER
        elif new.suppressed_until == FOR_EVER:
            new.suppressed_until = now + timedelta(seconds=rule.release_delay)
        if new.suppressed_until and now < new.suppressed_until:
            return SUPPRESSED
    new.suppressed_until = None
    return ""


def _announce(
    rule: Rule, state: State, new: State, on: bool, hidden: str, sample: Sample, now: datetime
) -> Transition | None:
    """Say what people must hear of it now. Suppression keeps an alarm from rising; shelving also hides one that is
    there: it is told as gone, and once more when the shelf is over and it still stands."""
    hide = hidden == SHELVED or (hidden and not state.active)
    new.active, new.withheld = on and not hide, hidden if on and hide else ""
    since = new.since or now
    if new.active and not state.active:
        back = state.withheld == SHELVED  # shown again
        return _edge(new, Transition(True, now if back else since, now, 0, sample), now)
    if state.active and not new.active:
        if on:
            return _edge(new, Transition(False, now, now, 0, Sample(None, SILENT, now, "Shelved")), now)
        return _edge(new, Transition(False, since, now, 0, sample), now)
    if on and new.withheld and not state.withheld:
        return _edge(new, Transition(True, since, now, 0, sample, withheld=new.withheld), now)
    if state.withheld and not on:
        if state.withheld == SHELVED and rule.shelf and rule.shelf.one_shot:
            new.spent = rule.shelf.since
        return _edge(new, Transition(False, since, now, 0, sample, withheld=state.withheld), now)
    if new.active and rule.realarm_time and now - (new.told_at or since) >= timedelta(seconds=rule.realarm_time):
        return _edge(new, Transition(True, now, now, 0, sample, again=True), now)
    return None


def _edge(new: State, transition: Transition, now: datetime) -> Transition:
    new.changes += 1
    transition.number = new.changes
    if not transition.withheld:
        new.told_at = now
    return transition


def _due(rule: Rule, new: State, on: bool, abnormal: bool | None, sample: Sample, now: datetime) -> datetime | None:
    """When to look again although nothing is read."""
    window = timedelta(seconds=rule.window)
    moments: list[datetime | None] = [new.suppressed_until if new.suppressed_until != FOR_EVER else None]
    if new.pending_since is not None and abnormal is not None and not (on and _is_latched(rule, new)):
        moments.append(new.pending_since + timedelta(seconds=rule.off_delay if on else rule.on_delay))
    if rule.kind is STALE and rule.setpoint is not None and sample.quality is GOOD and not on:
        moments.append(sample.at + timedelta(seconds=rule.setpoint))
    if rule.kind is RATE_OF_CHANGE and new.memory:
        moments.append(windows.changes_next(new.memory, window, now=now))
    if rule.kind is COUNT and on:
        moments.append(windows.lasts_until(new.memory, _often(rule, on), window))
    if rule.shelf and rule.shelf.until and rule.shelf.since != new.spent:
        moments.append(rule.shelf.until)
    if rule.realarm_time and new.active and new.told_at:
        moments.append(new.told_at + timedelta(seconds=rule.realarm_time))
    if rule.hours:
        moments.append(rule.hours.next_change(now=now))
    return min((moment for moment in moments if moment and moment > now), default=None)
