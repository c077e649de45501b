"""Which on-delay, off-delay or dead-band would rid us of an alarm's chatter, and of nothing else. Pure.

Longer than most files because what counts as a real event and what is proposed must be read together.
Each proposal is played through the same `Watch` as live. When in doubt, an alarm is a real event: one that lasted, one
that went far beyond the limit, one that somebody worked on. A proposal that would lose one of them is none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, pairwise, product
from math import floor, log10
from statistics import median
from typing import NamedTuple
from uuid import UUID

from app.machines.replay import TOGETHER, Span, replay, spans, telling
from app.machines.rules import GOOD, HIGH, LOW, Rule, Sample, is_number

ON_DELAYS = (2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0)
OFF_DELAYS = (5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)
NOISES = (2.0, 3.0, 4.0, 6.0, 8.0)
"""Dead-bands that are tried, as multiples of the signal's own noise."""

LASTED = ((30.0, 0.9), (60.0, 0.8), (120.0, 0.7))
"""Seconds, and the share of them in which the condition was there: then something did happen."""
FAR_NOISES, FAR_TYPICAL = 6.0, 4.0
"""How far beyond the limit is far: in noises of the signal, and in typical excesses of the chatter it stands in."""

LATEST = {1: 10.0, 2: 20.0, 3: 60.0, 4: 60.0}
"""By how many seconds a real event of each severity may be told later."""
FEWEST = 5
"""So few alarms are no nuisance yet."""
WORTH = 0.5
"""A proposal removes at least this share."""
ENOUGH = 0.9
"""One number that removes this share of what can be removed is better than two that remove more."""
AS_GOOD = 0.02
MOST_TOLD = 20_000
"""How many telling samples are played for each trial; of more, the newest."""


class Numbers(NamedTuple):
    """The three numbers that are tuned; seconds, and the tag's own unit."""

    deadband: float
    on_delay: float
    off_delay: float


class Event(NamedTuple):
    """Something real: from when until when the condition was there."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """`removed` of `alarms` would not have been, `real` events would all have been told, at most `later` s later."""

    numbers: Numbers
    alarms: int
    removed: int
    real: int
    later: float
    since: datetime
    until: datetime


def numbers(rule: Rule) -> Numbers:
    """Return what a rule has now."""
    return Numbers(rule.deadband, rule.on_delay, rule.off_delay)


def with_numbers(rule: Rule, to: Numbers) -> Rule:
    """Return the rule as it would be."""
    return replace(rule, deadband=to.deadband, on_delay=to.on_delay, off_delay=to.off_delay)


def propose(
    rule: Rule,
    samples: Sequence[Sample],
    *,
    until: datetime,
    severity: int = 3,
    worked_on: Sequence[Event] = (),
    tag_id: UUID | None = None,
    others: Mapping[UUID, Sequence[Sample]] | None = None,
) -> Proposal | None:
    """Return the numbers that remove the most alarms and lose no real event, or None where nothing helps enough.

    `samples` are those of the rule's tag, in full; `worked_on` is what people found to be real. See `replay`.
    """
    sigma = _noise(rule, samples)
    widths = _deadbands(rule, samples, sigma)
    told = list(telling(rule, samples, widths))[-MOST_TOLD:]
    if not told:
        return None
    since = told[0].at if len(told) == MOST_TOLD else samples[0].at
    past = _Past(told, until, tag_id, others)
    before = past.spans(rule)
    if len(before) < FEWEST:
        return None
    real = real_events(rule, before, samples, sigma, until=until, worked_on=worked_on)
    best = _search(rule, past, before, real, widths, latest=LATEST.get(severity, 60.0))
    if best is None or len(before) - best.alarms < WORTH * len(before):
        return None
    return Proposal(best.numbers, len(before), len(before) - best.alarms, len(real), best.later, since, until)


def real_events(
    rule: Rule,
    before: Sequence[Span],
    samples: Sequence[Sample],
    sigma: float,
    *,
    until: datetime,
    worked_on: Sequence[Event] = (),
) -> list[Event]:
    """Return what was real among these alarms, in order, without overlaps."""
    active = [Event(one.began, one.cleared or until) for one in before]
    found = [*_lasting(active), *_far(rule, active, samples, sigma)]
    for event in worked_on:  # the condition may have come and gone many times while somebody was at it
        there = [one for one in active if one.begins <= event.ends and one.ends >= event.begins]
        found += [Event(there[0].begins, there[-1].ends)] if there else []
    merged: list[Event] = []
    for event in sorted(found):
        if merged and event.begins - merged[-1].ends < TOGETHER:
            merged[-1] = Event(merged[-1].begins, max(merged[-1].ends, event.ends))
        else:
            merged.append(event)
    return merged


@dataclass(frozen=True, slots=True)
class _Past:
    """What every trial is played over."""

    told: Sequence[Sample]
    until: datetime
    tag_id: UUID | None
    others: Mapping[UUID, Sequence[Sample]] | None

    def spans(self, rule: Rule) -> list[Span]:
        return spans(replay(rule, self.told, until=self.until, tag_id=self.tag_id, others=self.others))


class _Trial(NamedTuple):
    numbers: Numbers
    alarms: int
    later: float


def _search(
    rule: Rule,
    past: _Past,
    before: Sequence[Span],
    real: Sequence[Event],
    widths: Sequence[float],
    *,
    latest: float,
) -> _Trial | None:
    now = numbers(rule)
    ons = [delay for delay in ON_DELAYS if now.on_delay < delay <= now.on_delay + latest]
    offs = [delay for delay in OFF_DELAYS if delay > now.off_delay]

    def tried(many: Iterable[Numbers]) -> list[_Trial]:
        trials = (_try(rule, one, past, before, real) for one in many)
        return [trial for trial in trials if trial and trial.later <= latest]

    alone = {
        "on": tried(now._replace(on_delay=delay) for delay in ons),
        "off": tried(now._replace(off_delay=delay) for delay in offs),
        "band": tried(now._replace(deadband=width) for width in widths),
    }
    singles = [trial for trials in alone.values() for trial in trials]
    best = _best(singles, len(before))
    removable = len(before) - len(real)
    if best is None or len(before) - best.alarms >= ENOUGH * removable:
        return best
    few = {name: sorted(trials, key=lambda one: one.alarms)[:3] for name, trials in alone.items()}
    pairs = [now._replace(on_delay=a.numbers.on_delay, off_delay=b.numbers.off_delay)
             for a, b in product(few["on"], few["off"])]  # fmt: skip
    pairs += [now._replace(deadband=a.numbers.deadband, off_delay=b.numbers.off_delay)
              for a, b in product(few["band"], few["off"])]  # fmt: skip
    pairs += [now._replace(deadband=a.numbers.deadband, on_delay=b.numbers.on_delay)
              for a, b in product(few["band"], few["on"])]  # fmt: skip
    return _best([*singles, *tried(pairs)], len(before))


def _best(trials: Sequence[_Trial], alarms: int) -> _Trial | None:
    """Of those that remove about as much as any, the one that tells soonest, and then clears soonest."""
    fewest = min((trial.alarms for trial in trials), default=0)
    good = [trial for trial in trials if trial.alarms <= fewest + AS_GOOD * alarms]
    return min(good, key=lambda one: (one.later, one.numbers.off_delay, one.numbers), default=None)


def _try(rule: Rule, to: Numbers, past: _Past, before: Sequence[Span], real: Sequence[Event]) -> _Trial | None:
    """Return how it would have gone, or None when a real event would have had no alarm of its own."""
    after = past.spans(with_numbers(rule, to))
    raised = [one.raised for one in before]
    later, place = 0.0, 0
    for event in real:
        while place < len(after) and (after[place].cleared or past.until) <= event.begins:
            place += 1
        if place == len(after) or not event.begins - TOGETHER <= after[place].raised <= event.ends:
            return None
        was = raised[min(bisect_left(raised, event.begins), len(raised) - 1)]
        later = max(later, (after[place].raised - was).total_seconds())
        place += 1  # an alarm that has stood since before tells nobody of the next one
    return _Trial(to, len(after), later)


def _lasting(active: Sequence[Event]) -> Iterator[Event]:
    """The condition was there for most of some stretch of time, however often it blinked."""
    if not active:
        return
    epoch = active[0].begins
    begins = [(one.begins - epoch).total_seconds() for one in active]
    ends = [(one.ends - epoch).total_seconds() for one in active]
    total = [0.0, *accumulate(end - begin for begin, end in zip(begins, ends, strict=True))]

    def lasted(until: float) -> float:
        """Seconds it was there from the first alarm until then."""
        done = bisect_right(begins, until)
        return total[done] - max(ends[done - 1] - until, 0.0) if done else 0.0

    for length, share in LASTED:
        for begin in {*begins, *(end - length for end in ends)}:
            if lasted(begin + length) - lasted(begin) >= share * length:
                first = bisect_right(ends, begin)
                last = bisect_left(begins, begin + length) - 1
                while first < last and begins[first + 1] - ends[first] > ends[first] - begins[first]:
                    first += 1  # a blip that happened to come before it
                yield Event(active[first].begins, active[last].ends)


def _far(rule: Rule, active: Sequence[Event], samples: Sequence[Sample], sigma: float) -> Iterator[Event]:
    """Short, but far beyond the limit: no noise does that."""
    if rule.kind not in (HIGH, LOW) or rule.setpoint is None:
        return
    sign = 1 if rule.kind is HIGH else -1
    times = [sample.at for sample in samples]
    excess = []
    for one in active:
        inside = samples[bisect_left(times, one.begins) : bisect_right(times, one.ends)]
        beyond = (sign * (value.value - rule.setpoint) for value in inside if _judged(value))  # type: ignore[operator]
        excess.append(max(beyond, default=0.0))
    typical = median(excess) if excess else 0.0
    crowded = _crowded(active)
    for one, how_far, in_crowd in zip(active, excess, crowded, strict=True):
        if how_far > max(FAR_NOISES * sigma, FAR_TYPICAL * typical if in_crowd else 0.0):
            yield one


def _crowded(active: Sequence[Event]) -> list[bool]:
    """Has it another one within a minute?"""
    close = [after.begins - before.ends <= TOGETHER for before, after in pairwise(active)]
    return [left or right for left, right in zip([False, *close], [*close, False], strict=True)]


def _noise(rule: Rule, samples: Sequence[Sample]) -> float:
    """Return the standard deviation of what the signal does from one value to the next; blips do not count."""
    if rule.kind not in (HIGH, LOW):
        return 0.0
    values = [sample.value for sample in samples if _judged(sample)]
    steps = [abs(after - before) for before, after in pairwise(values)]  # type: ignore[operator]
    return 1.4826 * median(steps) / 2**0.5 if steps else 0.0


def _deadbands(rule: Rule, samples: Sequence[Sample], sigma: float) -> list[float]:
    """Return dead-bands wider than the present one, with two digits, from which a calm signal still comes back."""
    if rule.kind not in (HIGH, LOW) or rule.setpoint is None or not sigma:
        return []
    calm = median(value.value for value in samples if _judged(value))  # type: ignore[type-var]
    room = abs(rule.setpoint - calm) / 2  # type: ignore[operator]
    widths = {_round(many * sigma) for many in NOISES}
    return sorted(width for width in widths if rule.deadband < width <= room)


def _judged(sample: Sample) -> bool:
    return sample.quality is GOOD and is_number(sample.value)


def _round(value: float) -> float:
    """Two digits: an engineer sets 3.5, not 3.4871."""
    step = 10.0 ** (floor(log10(value)) - 1)
    return round(round(value / step) * step, 12)
