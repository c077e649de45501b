"""What a change would have done to the last 30 days: recorded anomalies, called again under the old and the new plan.

Pure. The log says when each clock ran and who accepted; that stays as it was. What differs is who is called meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from app.anomaly.actions import CLOCKS
from app.anomaly.lifecycle import Action, Status
from app.anomaly.models import Clock
from app.foresight.timeline import Case, Climbed, Plan, Stretch, play

LENGTH = timedelta(days=30)
KINDS = ("reported", "split_from", "regrade", "hold", "resume", *Action)
"""The events that start or stop a clock."""
LADDERS = (Clock.ACCEPTED, Clock.ON_SITE, Clock.RESOLVED, Clock.VERIFIED)


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the log, as far as clocks and calls depend on it."""

    kind: str
    at: datetime
    by_id: UUID | None
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class Past:
    """One recorded anomaly: where it was, and everything that was told of it, in order.

    `shown` are the moments at which a phone displayed one of its calls, in order.
    """

    number: int
    case: Case
    events: Sequence[Told]
    shown: Sequence[datetime] = ()

    @property
    def taken(self) -> Told | None:
        """When and by whom it was first accepted."""
        return next((told for told in self.events if told.kind == Action.ACCEPT), None)


@dataclass(frozen=True, slots=True)
class Ring:
    """Somebody is called."""

    at: datetime
    clock: str
    place: int
    person_id: UUID


@dataclass(slots=True)
class Difference:
    """What would be different. `later`: by how much later those were called who then came; `never`: not at all."""

    anomalies: int = 0
    calls: int = 0
    fewer: int = 0
    more: int = 0
    later: list[timedelta] = field(default_factory=list)
    sooner: list[timedelta] = field(default_factory=list)
    never: list[int] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return not (self.fewer or self.more or self.later or self.sooner or self.never)


def dry_run(past: Iterable[Past], old: Plan, new: Plan, *, until: datetime) -> Difference:
    """Compare two plans over what really happened.

    The same log and the same plans give the same answer, and what it says of the new one is what dispatch would do with
    this log. Who came is taken to have come at the first call of theirs, or, where they were never called, of anybody.
    """
    found = Difference()
    for one in past:
        before = calls(one, old, until=until)
        untouched = old.routing is new.routing and old.flows[one.case.category] is new.flows[one.case.category]
        after = before if untouched and old.roster is new.roster else calls(one, new, until=until)
        found.anomalies += 1
        found.calls += len(before)
        found.fewer += max(len(before) - len(after), 0)
        found.more += max(len(after) - len(before), 0)
        if one.taken is None or not before:
            continue
        came = one.taken.by_id if any(ring.person_id == one.taken.by_id for ring in before) else None
        was, would = _first(before, came), _first(after, came)
        if was is None:
            continue
        if would is None:
            found.never.append(one.number)
        elif would > was:
            found.later.append(would - was)
        elif would < was:
            found.sooner.append(was - would)
    return found


def calls(past: Past, plan: Plan, *, until: datetime) -> list[Ring]:
    """Return everybody whom dispatch calls under `plan` while this log happens, in the order of time."""
    found: list[Ring] = []
    for stretch, case, so_far in _stretches(past, until):
        for step in play(case, plan, stretch, so_far):
            found += [Ring(step.at, step.clock, step.place, one.person.id) for one in step.found]
    return found


def typical(lengths: Sequence[timedelta]) -> timedelta:
    """Return the middle one."""
    return timedelta(seconds=median(one.total_seconds() for one in lengths)) if lengths else timedelta()


def _first(rings: Sequence[Ring], person_id: UUID | None) -> datetime | None:
    """When somebody was first called to accept it; anybody, where nobody is named."""
    return min(
        (ring.at for ring in rings if ring.clock in ("accepted", "displayed") and person_id in (None, ring.person_id)),
        default=None,
    )


def _stretches(past: Past, until: datetime) -> list[tuple[Stretch, Case, Climbed]]:
    """Return the clocks that ran, as the log tells it; one that still runs ends `until`.

    A hold and another severity interrupt a clock without starting it anew: what was climbed goes on.
    """
    found: list[tuple[Stretch, Case, Climbed]] = []
    case, climbed = past.case, Climbed()
    clock: Clock | None = None
    start = begins = until
    held_at: datetime | None = None

    def close(at: datetime) -> None:
        if clock in LADDERS and begins < at:
            shown = next((moment for moment in past.shown if start <= moment), None)
            found.append((Stretch(str(clock), start, begins, at, shown), case, climbed))

    for told in past.events:
        status = told.details.get("status")
        if told.kind in ("reported", "split_from") or status:
            close(told.at)
            now = Status(str(status)) if status else Status.REPORTED
            clock, start, begins, climbed, held_at = CLOCKS[now], told.at, told.at, Climbed(), None
            if told.kind in (Action.ACCEPT, Action.HAND_OVER):
                case = replace(case, owner_id=told.by_id)
            elif now == Status.REPORTED:
                case = replace(case, owner_id=None)
            if told.kind == "reported" and "severity" in told.details:
                case = replace(case, severity=int(str(told.details["severity"])))
        elif told.kind == "regrade":
            close(told.at)
            severity = int(str(told.details["severity"]))
            if severity < case.severity and clock == Clock.ACCEPTED:
                start, climbed = told.at, Climbed()
            case, begins = replace(case, severity=severity), told.at
        elif told.kind == "hold":
            close(told.at)
            held_at, begins = told.at, until
        elif told.kind == "resume" and held_at is not None:
            start, begins, held_at = start + (told.at - held_at), told.at, None
            climbed = Climbed(climbed.rungs, climbed.unseen)
    if held_at is None:
        close(until)
    return found
