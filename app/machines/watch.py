"""All alarms of one source together: which rules a sample concerns, what became of them, and when to look again.

Pure, and kept in memory while a source is watched. What must survive is in the edges: who takes them stores them.
Longer than most files because tags, alarms on watch and timers change only together.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from uuid import UUID

from app.machines.rules import (
    BAD,
    BIT_PATTERN,
    COMBINATION,
    COUNT,
    DISCRETE,
    GOOD,
    SIGNAL_KINDS,
    SILENT,
    STALE,
    STATE,
    Rule,
    Sample,
    State,
    Transition,
    evaluate,
    is_boolean,
    is_number,
    next_due,
)
from app.machines.samples import is_any, is_whole, is_word

CHATTER = 3
CHATTER_WITHIN = timedelta(seconds=60)
"""So many rises in so short a time are chatter: one anomaly, and what follows is only counted."""
QUIET_AFTER = timedelta(minutes=10)
FLEETING = timedelta(seconds=10)
"""An alarm that is gone so soon is gone before anybody can do anything."""
TOGETHER = timedelta(seconds=60)
"""What rises in a group so soon after the first is its consequence."""

FITS: dict[object, Callable[[object], bool]] = {
    DISCRETE: is_boolean, COUNT: is_boolean, BIT_PATTERN: is_whole, STATE: is_word, COMBINATION: is_any
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule, and what people need to know when it speaks. `group`: at its station, the first to rise is the cause."""

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
    group: str = ""

    @property
    def is_signal(self) -> bool:
        """Is it about the signal itself? All lost signals of a source at a station are one anomaly."""
        return self.rule.kind in SIGNAL_KINDS


@dataclass(frozen=True, slots=True)
class Edge:
    """An alarm that rose or cleared.

    `first`: the alarm of its group that it follows; `is_first`: others may follow it. `chattering`: from now on its
    transitions are only counted; `counted`: how many rises were, until it was quiet. `fleeting`: gone at once.
    """

    alarm: Alarm
    transition: Transition
    first: Alarm | None = None
    is_first: bool = False
    chattering: bool = False
    counted: int = 0
    fleeting: bool = False


@dataclass(slots=True)
class _Calm:
    """What is known of an alarm's unrest. `quiet_at`: when it counts as over, unless it goes on."""

    rises: tuple[datetime, ...] = ()
    quiet_at: datetime | None = None
    counted: int = 0


@dataclass(slots=True)
class _Post:
    """One alarm on watch. `due` is its next entry in the timers: never too late, perhaps too early."""

    alarm: Alarm
    state: State
    due: datetime | None = None
    calm: _Calm = field(default_factory=_Calm)
    first: Alarm | None = None
    rose_at: datetime | None = None


@dataclass(slots=True)
class _Tag:
    """`posts` are the alarms on this tag, `followers` those on other tags that look at this one too.

    `is_named`: some alarm asks for it by its name.
    """

    sample: Sample
    posts: list[_Post]
    followers: list[_Post] = field(default_factory=list)
    fits: Callable[[object], bool] = is_any
    is_named: bool = False


class Watch:
    """`take` what was read, call `tick` when `due` has come, store the edges they return in their order.

    `calming`: hold back what chatters.
    """

    def __init__(
        self, alarms: Iterable[Alarm], states: Mapping[UUID, State], *, now: datetime, calming: bool = False
    ) -> None:
        self._tags: dict[UUID, _Tag] = {}
        self._named: dict[UUID, Sample] = {}  # what was last read of tags that alarms on other tags look at
        self._groups: dict[tuple[UUID, str], tuple[Alarm, datetime]] = {}
        self._timers: list[tuple[datetime, int, _Post]] = []
        self._tickets = 0
        self._ticked = now
        self._calming = calming
        self._seat(alarms, states, {}, {}, now=now)

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
            if sample.quality is GOOD and not tag.fits(sample.value):
                sample = Sample(sample.value, BAD, sample.at, "BadTypeMismatch", sample.after_gap)
            tag.sample = sample
            if tag.is_named:
                self._named[tag_id] = sample
            for post in tag.posts:
                self._look(post, sample, now, edges)
            for post in tag.followers:
                self._look(post, self._tags[post.alarm.tag_id].sample, now, edges)
        return edges

    def silence(self, *, status: str, now: datetime) -> list[Edge]:
        """The link is gone: of no tag is anything known from now on."""
        edges: list[Edge] = []
        for tag_id, tag in self._tags.items():
            if tag.sample.quality is not SILENT:
                tag.sample = Sample(None, SILENT, now, status)
            if tag.is_named:
                self._named[tag_id] = tag.sample
        for tag in self._tags.values():
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
            if post.calm.quiet_at is not None:
                self._calm_down(post, now, edges)
        return edges

    def change(self, alarms: Iterable[Alarm], states: Mapping[UUID, State], *, now: datetime) -> list[Edge]:
        """Watch other alarms from now on. What is known of those that stay is kept; new limits count at once.

        `states` is what the database knows, for alarms that are new here. Tags that had no alarm until now have
        no value yet: have them read.
        """
        known = {p.alarm.rule.id: p for tag in self._tags.values() for p in tag.posts}
        samples = {tag_id: tag.sample for tag_id, tag in self._tags.items()}
        self._seat(alarms, states, samples, known, now=now)
        edges: list[Edge] = []
        for tag_id in samples.keys() & self._tags.keys():
            self._look_at_all(self._tags[tag_id], now, edges)
        return edges

    def _seat(
        self,
        alarms: Iterable[Alarm],
        states: Mapping[UUID, State],
        samples: Mapping[UUID, Sample],
        known: Mapping[UUID, _Post],
        *,
        now: datetime,
    ) -> None:
        self._tags.clear()
        self._timers.clear()
        unknown = Sample(None, SILENT, now, "BadWaitingForInitialData")

        def tag_of(tag_id: UUID) -> _Tag:
            tag = self._tags.get(tag_id)
            if tag is None:
                tag = self._tags[tag_id] = _Tag(samples.get(tag_id, unknown), [])
            return tag

        by_id = {alarm.rule.id: alarm for alarm in alarms}
        for alarm in by_id.values():
            before, state = known.get(alarm.rule.id), states.get(alarm.rule.id)
            if before is not None:
                first = before.first and by_id.get(before.first.rule.id)
                post = _Post(alarm, before.state, None, before.calm, first, before.rose_at)
            else:
                first = by_id.get(state.first) if state and state.first else None
                post = _Post(alarm, state or State(), None, _Calm(), first)
            tag_of(alarm.tag_id).posts.append(post)
            self._remember_first(post)
            if post.calm.quiet_at is not None:
                self._wind(post, post.calm.quiet_at)
            for tag_id in alarm.rule.tags:
                tag_of(tag_id).is_named = True
                if tag_id != alarm.tag_id:
                    tag_of(tag_id).followers.append(post)
        self._named = {tag_id: tag.sample for tag_id, tag in self._tags.items() if tag.is_named}
        for tag in self._tags.values():
            kinds = {post.alarm.rule.kind for post in tag.posts} - SIGNAL_KINDS
            needs = {FITS.get(kind, is_number) for kind in kinds}
            tag.fits = needs.pop() if len(needs) == 1 else is_any

    def _look_at_all(self, tag: _Tag, now: datetime, edges: list[Edge]) -> None:
        for post in tag.posts:
            self._look(post, tag.sample, now, edges)

    def _look(self, post: _Post, sample: Sample, now: datetime, edges: list[Edge]) -> None:
        rule, before = post.alarm.rule, post.state
        state, transition = evaluate(rule, before, sample, now=now, others=self._named)
        post.state = state
        if transition is not None:
            self._tell(post, transition, now, edges)
        if not rule.is_simple:
            self._wind(post, state.due)
        elif state.pending_since is not None or (rule.kind is STALE and rule.setpoint is not None):
            self._wind(post, next_due(rule, state, sample))

    def _tell(self, post: _Post, transition: Transition, now: datetime, edges: list[Edge]) -> None:
        """Hand out an edge, unless it chatters; the first of a group takes those that follow it."""
        alarm, calm = post.alarm, post.calm
        is_first = chattering = fleeting = False
        if not transition.withheld:
            if calm.quiet_at is not None:
                if transition.sample.status != "Shelved":
                    calm.counted += transition.active
                    calm.quiet_at = now + QUIET_AFTER
                    return
                post.calm = calm = _Calm()
            if not transition.active:
                fleeting = post.rose_at is not None and now - post.rose_at < FLEETING
                post.rose_at = None
            elif not transition.again:
                post.rose_at = now
                post.first = self._first_of(alarm, now)
                if is_first := bool(alarm.group) and post.first is None:
                    self._groups[alarm.station_id, alarm.group] = alarm, now
                if self._calming:
                    calm.rises = (*(at for at in calm.rises if now - at < CHATTER_WITHIN), now)
                    if chattering := len(calm.rises) >= CHATTER:
                        calm.rises, calm.quiet_at = (), now + QUIET_AFTER
                        self._wind(post, calm.quiet_at)
        edges.append(Edge(alarm, transition, post.first, is_first, chattering, fleeting=fleeting))

    def _calm_down(self, post: _Post, now: datetime, edges: list[Edge]) -> None:
        """It was quiet for long enough: say how often it rose meanwhile, and that it is normal, if it is."""
        calm, state, sample = post.calm, post.state, self._tags[post.alarm.tag_id].sample
        if calm.quiet_at is not None and now < calm.quiet_at:
            self._wind(post, calm.quiet_at)
            return
        post.calm = _Calm()
        if not state.active:
            back = Transition(False, state.since or now, now, state.changes, sample)
            edges.append(Edge(post.alarm, back, post.first, counted=calm.counted))

    def _first_of(self, alarm: Alarm, now: datetime) -> Alarm | None:
        first = self._groups.get((alarm.station_id, alarm.group)) if alarm.group else None
        if first is None or not timedelta(0) <= now - first[1] <= TOGETHER or first[0].rule.id == alarm.rule.id:
            return None
        return first[0]

    def _remember_first(self, post: _Post) -> None:
        """After a restart: of a group, the alarm that began it, and when."""
        alarm, state = post.alarm, post.state
        if alarm.group and state.active and post.first is None and state.since is not None:
            at = state.told_at or state.since
            before = self._groups.get((alarm.station_id, alarm.group))
            if before is None or at > before[1]:
                self._groups[alarm.station_id, alarm.group] = alarm, at

    def _wind(self, post: _Post, due: datetime | None) -> None:
        if due is None or (post.due is not None and post.due <= due):
            return  # an entry that comes too early looks, and winds anew
        post.due = due
        self._tickets += 1
        heappush(self._timers, (due, self._tickets, post))
