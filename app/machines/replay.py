"""What a rule would have said of values that are kept: the same `Watch` as live, with the values' own times as clock.

So there is nothing here that decides what an alarm is, and what was replayed is what will happen.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import pairwise
from operator import itemgetter
from uuid import UUID

from app.machines.rules import GOOD, HIGH, LOW, STALE, Rule, Sample, State, Transition, is_number
from app.machines.watch import Alarm, Edge, Watch

TOGETHER = timedelta(seconds=60)
"""Alarms that follow each other faster than this belong together."""


@dataclass(frozen=True, slots=True)
class Span:
    """One alarm: `began` is when the condition was there, `raised` when we said so, `cleared` None while it lasts."""

    began: datetime
    raised: datetime
    cleared: datetime | None


def replay(
    rule: Rule,
    samples: Iterable[Sample],
    *,
    state: State | None = None,
    until: datetime | None = None,
    tag_id: UUID | None = None,
    others: Mapping[UUID, Iterable[Sample]] | None = None,
) -> list[Transition]:
    """Return every edge this rule would have had over these samples, which are in the order of their times.

    `state` is what was known of it before the first one; delays that are over by `until` have their effect too.
    `others` are the samples of the other tags it looks at, `tag_id` is its own where it must be told from them.
    Nothing is held back as chatter: how much there is of it is what we want to know.
    """
    own = tag_id or rule.id
    alarm = Alarm(rule, source_id=rule.id, tag_id=own, station_id=rule.id, tag={})
    states = {rule.id: state} if state else {}
    watch: Watch | None = None
    edges: list[Edge] = []
    for at, seen in _in_order(own, samples, others or {}):
        if watch is None:
            watch = Watch((alarm,), states, now=at)
        while (due := watch.due) is not None and due <= at:
            edges += watch.tick(now=due)
        edges += watch.take((seen,), now=at)
    while watch and until and (due := watch.due) is not None and due <= until:
        edges += watch.tick(now=due)
    return [edge.transition for edge in edges if not edge.transition.again]


def spans(transitions: Iterable[Transition]) -> list[Span]:
    """Return the alarms these edges are, in their order."""
    found: list[Span] = []
    for edge in transitions:
        if edge.active:
            found.append(Span(edge.since, edge.at, None))
        elif found and found[-1].cleared is None:
            found[-1] = Span(found[-1].began, found[-1].raised, edge.at)
    return found


def telling(rule: Rule, samples: Iterable[Sample], deadbands: Collection[float] = ()) -> Iterator[Sample]:
    """Return the samples that can change anything for this rule, with its dead-band or any of `deadbands`.

    A value on the same side of the same limits as the one before it changes nothing that a timer would not: without
    it, a replay finds the same edges at the same moments. Of kinds where every value counts, all are returned.
    """
    if not rule.is_simple or rule.kind is STALE:
        yield from samples
        return
    limits: list[float] = []
    if rule.setpoint is not None and rule.kind in (HIGH, LOW):
        sign = 1 if rule.kind is HIGH else -1
        limits = sorted({rule.setpoint - sign * width for width in (0.0, rule.deadband, *deadbands)})
    place = bisect_left if rule.kind is HIGH else bisect_right  # HIGH rises above a limit, LOW below it
    before: object = None
    for sample in samples:
        value = sample.value
        if sample.quality is not GOOD:
            side: object = sample.quality
        elif limits:
            side = place(limits, value) if is_number(value) else "no number"  # type: ignore[call-overload]
        else:
            side = type(value), value
        if side != before:
            before = side
            yield sample


@dataclass(frozen=True, slots=True)
class BackTest:
    """How often a rule would have spoken in a stretch of time.

    `close` is how many of the alarms came within a minute after another one, `active` the seconds it lasted in all.
    """

    since: datetime
    until: datetime
    samples: int
    alarms: int
    close: int
    active: float


def back_test(
    rule: Rule,
    samples: Iterable[Sample],
    *,
    since: datetime,
    until: datetime,
    tag_id: UUID | None = None,
    others: Mapping[UUID, Iterable[Sample]] | None = None,
) -> BackTest:
    """Play a rule over what is kept of its tag from `since` to `until`."""
    counted = 0

    def counting() -> Iterator[Sample]:
        nonlocal counted
        for sample in samples:
            counted += 1
            yield sample

    told = telling(rule, counting())
    found = spans(replay(rule, told, until=until, tag_id=tag_id, others=others))
    close = sum(after.raised - before.raised <= TOGETHER for before, after in pairwise(found))
    active = sum(((one.cleared or until) - one.began).total_seconds() for one in found)
    return BackTest(since, until, counted, len(found), close, active)


def _in_order(
    own: UUID, samples: Iterable[Sample], others: Mapping[UUID, Iterable[Sample]]
) -> Iterator[tuple[datetime, tuple[UUID, Sample]]]:
    """Everything that was read, at its time. What is not our own comes first: it was so already."""
    if not others:
        return _named(own, samples)
    return merge(*(_named(tag_id, seen) for tag_id, seen in {**others, own: samples}.items()), key=itemgetter(0))


def _named(tag_id: UUID, samples: Iterable[Sample]) -> Iterator[tuple[datetime, tuple[UUID, Sample]]]:
    return ((sample.at, (tag_id, sample)) for sample in samples)
