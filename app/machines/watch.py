"""All alarms of one source together: which rules a sample concerns, what became of them, and when to look again.

Pure, and kept in memory while a source is watched. What must survive is in the edges: who takes them stores them.
Longer than most files because tags, alarms on watch and timers change only together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from math import isfinite
from uuid import UUID

from app.machines.rules import (
    BAD,
    DISCRETE,
    GOOD,
    SIGNAL_KINDS,
    SILENT,
    STALE,
    Rule,
    Sample,
    State,
    Transition,
    evaluate,
    is_boolean,
    is_number,
    next_due,
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule, and what people need to know when it speaks."""

    rule: Rule
    source_id: UUID
    tag_id: UUID
    station_id: UUID
    tag: dict[str, str]
    unit: str = ""
    severity: int = 3
    category: str = "machine"
    message: dict[str, str] = field(default_factory=dict)
    component: str = ""

    @property
    def is_signal(self) -> bool:
        """Is it about the signal itself? All lost signals of a source at a station are one anomaly."""
        return self.rule.kind in SIGNAL_KINDS


@dataclass(frozen=True, slots=True)
class Edge:
    """An alarm that rose or cleared."""

    alarm: Alarm
    transition: Transition


@dataclass(slots=True)
class _Post:
    """One alarm on watch. `due` is its next entry in the timers: never too late, perhaps too early."""

    alarm: Alarm
    state: State
    due: datetime | None = None


@dataclass(slots=True)
class _Tag:
    sample: Sample
    posts: list[_Post]
    wants_number: bool = False
    wants_boolean: bool = False


class Watch:
    """`take` what was read, call `tick` when `due` has come, store the edges they return in their order."""

    def __init__(self, alarms: Iterable[Alarm], states: Mapping[UUID, State], *, now: datetime) -> None:
        self._tags: dict[UUID, _Tag] = {}
        self._timers: list[tuple[datetime, int, _Post]] = []
        self._tickets = 0
        self._ticked = now
        self._seat(alarms, states, {}, now=now)

    @property
    def due(self) -> datetime | None:
        """When to call `tick`, if no sample comes before. At times it then finds nothing to do."""
        return self._timers[0][0] if self._timers else None

    def take(self, samples: Iterable[tuple[UUID, Sample]], *, now: datetime) -> list[Edge]:
        """Judge what was read, in its order. Tags nobody watches are passed over."""
        edges: list[Edge] = []
        for tag_id, sample in samples:
            tag = self._tags.get(tag_id)
            if tag is None:
                continue
            if sample.quality is GOOD and not _fits(tag, sample.value):
                sample = Sample(sample.value, BAD, sample.at, "BadTypeMismatch", sample.after_gap)
            tag.sample = sample
            for post in tag.posts:
                self._look(post, sample, now, edges)
        return edges

    def silence(self, *, status: str, now: datetime) -> list[Edge]:
        """The link is gone: of no tag is anything known from now on."""
        edges: list[Edge] = []
        for tag in self._tags.values():
            if tag.sample.quality is not SILENT:
                tag.sample = Sample(None, SILENT, now, status)
            self._look_at_all(tag, now, edges)
        return edges

    def tick(self, *, now: datetime) -> list[Edge]:
        """Let the delays that are over have their effect.

        Call it every few seconds even if nothing is due: the clock may have been turned back.
        """
        edges: list[Edge] = []
        if now < self._ticked:
            for tag in self._tags.values():
                self._look_at_all(tag, now, edges)
        self._ticked = now
        over: list[_Post] = []
        while self._timers and self._timers[0][0] <= now:
            due, _, post = heappop(self._timers)
            if due == post.due:
                post.due = None
                over.append(post)
        for post in over:
            self._look(post, self._tags[post.alarm.tag_id].sample, now, edges)
        return edges

    def change(self, alarms: Iterable[Alarm], states: Mapping[UUID, State], *, now: datetime) -> list[Edge]:
        """Watch other alarms from now on. What is known of those that stay is kept; new limits count at once.

        `states` is what the database knows, for alarms that are new here. Tags that had no alarm until now have
        no value yet: have them read.
        """
        known = {p.alarm.rule.id: p.state for tag in self._tags.values() for p in tag.posts}
        samples = {tag_id: tag.sample for tag_id, tag in self._tags.items()}
        self._seat(alarms, {**states, **known}, samples, now=now)
        edges: list[Edge] = []
        for tag_id in samples.keys() & self._tags.keys():
            self._look_at_all(self._tags[tag_id], now, edges)
        return edges

    def _seat(
        self,
        alarms: Iterable[Alarm],
        states: Mapping[UUID, State],
        samples: Mapping[UUID, Sample],
        *,
        now: datetime,
    ) -> None:
        self._tags.clear()
        self._timers.clear()
        unknown = Sample(None, SILENT, now, "BadWaitingForInitialData")
        for alarm in alarms:
            tag = self._tags.get(alarm.tag_id)
            if tag is None:
                tag = self._tags[alarm.tag_id] = _Tag(samples.get(alarm.tag_id, unknown), [])
            tag.posts.append(_Post(alarm, states.get(alarm.rule.id) or State()))
        for tag in self._tags.values():
            kinds = {post.alarm.rule.kind for post in tag.posts} - SIGNAL_KINDS
            tag.wants_boolean = kinds == {DISCRETE}
            tag.wants_number = bool(kinds) and DISCRETE not in kinds

    def _look_at_all(self, tag: _Tag, now: datetime, edges: list[Edge]) -> None:
        for post in tag.posts:
            self._look(post, tag.sample, now, edges)

    def _look(self, post: _Post, sample: Sample, now: datetime, edges: list[Edge]) -> None:
        rule, before = post.alarm.rule, post.state
        state, transition = evaluate(rule, before, sample, now=now)
        if transition is not None:
            edges.append(Edge(post.alarm, transition))
        post.state = state
        if state.pending_since is not None or (rule.kind is STALE and rule.setpoint is not None):
            self._wind(post, next_due(rule, state, sample))

    def _wind(self, post: _Post, due: datetime | None) -> None:
        if due is None or (post.due is not None and post.due <= due):
            return  # an entry that comes too early looks, and winds anew
        post.due = due
        self._tickets += 1
        heappush(self._timers, (due, self._tickets, post))


def _fits(tag: _Tag, value: object) -> bool:
    """A value of a type the alarms of this tag cannot judge is no good value, whatever the server says."""
    if tag.wants_number:
        return is_number(value)
    if tag.wants_boolean:
        return is_boolean(value)
    return value is not None and not (type(value) is float and not isfinite(value))
