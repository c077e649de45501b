"""What dispatch will do if nobody reacts, to the second: who is called when, why, and who cannot be reached. Pure.

It climbs with the same functions as the dispatch that rings (`climb`, `not_shown`, `recipients`, `ways`), over a
roster, routes and flows that are handed in: those of today, those of then, or those somebody only thinks about.

Longer than most files because it keeps step with `actions`, turn by turn.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from app.channels.limits import meant
from app.dispatch.ladder import climb, not_shown
from app.dispatch.recipients import Recipient, recipients
from app.dispatch.ways import INSIDE, ways
from app.flows.document import FlowDocument, Rung
from app.flows.routing import Routing
from app.people.models import Address, Person
from app.plant.models import Station
from app.rosters.roster import Roster

ACCEPTED = "accepted"
SILENT = frozenset({"stream", "log"})  # what makes no phone ring


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides who is called: who works when, the routes, the flow of each category, and the ways.

    `channels` are those of the installation; `addresses` those that work, by person.
    """

    roster: Roster
    routing: Routing
    flows: Mapping[str, FlowDocument]
    teams: Mapping[str, UUID]
    addresses: Mapping[UUID, Sequence[Address]] = field(default_factory=dict)
    channels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """An anomaly as dispatch looks at it. It need not exist."""

    site_id: UUID
    line_id: UUID
    station_id: UUID
    category: str
    severity: int
    team_id: UUID | None
    owner_id: UUID | None = None

    @classmethod
    def at(cls, station: Station, category: str, severity: int, plan: Plan) -> "Case":
        """What would be opened there."""
        team = plan.teams.get(plan.flows[category].team)
        return cls(station.site_id, station.line_id, station.id, category, severity, team)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung that is called at a moment. `place` counts from 0; one beyond the last repeats it.

    `early`: the rungs before reached nobody, so it did not wait for its time.
    """

    clock: str
    place: int
    at: datetime
    rung: Rung
    found: tuple[Recipient, ...]
    early: bool = False
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """Somebody whom a step means and who will not hear it, and why: `away`, `red`, `no phone`."""

    person: Person
    why: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """One clock as long as it runs: from `begins` to just before `ends`, its rungs counted from `clock_from`.

    `shown_at` is when a phone shows one of its calls (None: never).
    """

    clock: str
    clock_from: datetime
    begins: datetime
    ends: datetime
    shown_at: datetime | None = None


@dataclass(slots=True)
class Climbed:
    """How far the ladder was climbed in a round, and who was called over what. Handed on while a round goes on."""

    rungs: int = 0
    unseen: int = 0
    since: datetime | None = None
    last_at: datetime | None = None
    used: list[tuple[UUID, datetime, frozenset[str]]] = field(default_factory=list)


def play(case: Case, plan: Plan, stretch: Stretch, so_far: Climbed | None = None) -> Iterator[Step]:
    """Yield every step that is called while the clock of `stretch` runs and nobody reacts, in the order of time."""
    done = so_far or Climbed()
    ladder = plan.flows[case.category].ladder(case.severity)
    rungs = ladder.of(stretch.clock)
    checks = ladder.of("displayed") if stretch.clock == ACCEPTED else []
    now: datetime | None = stretch.begins
    while now is not None and now < stretch.ends:
        turn = _Turn(case, plan, done, now, len(rungs))
        shown_by = None
        if checks:
            shown = stretch.shown_at is not None and stretch.shown_at <= now
            done.unseen, shown_by = not_shown(
                checks,
                done.unseen,
                calling_since=done.since,
                shown=shown,
                now=now,
                reach=partial(turn.call, since=done.since or now),
            )
        before = done.rungs
        done.rungs, next_at = climb(
            rungs,
            before,
            clock_from=stretch.clock_from,
            now=now,
            last_at=done.last_at if before >= len(rungs) else None,
            reach=partial(turn.call, since=stretch.clock_from),
        )
        if done.rungs > before:
            done.last_at = now
        yield from turn.steps
        if shown_by is None and done.unseen < len(checks) and done.since is not None:
            shown_by = done.since + timedelta(seconds=checks[done.unseen].after)
        now = min((at for at in (next_at, shown_by) if at is not None), default=None)


def nobody_reacts(case: Case, plan: Plan, *, at: datetime, clock: str = ACCEPTED) -> list[Step]:
    """Return the whole ladder of a clock that starts at `at`, up to the first reminder after its end."""
    found: list[Step] = []
    for step in play(case, plan, Stretch(clock, at, at, datetime.max.replace(tzinfo=at.tzinfo))):
        found.append(step)
        if step.repeat:
            break
    return found


def missed(step: Step, case: Case, plan: Plan) -> list[Missed]:
    """Return whom a step means and does not reach: they are away, their phone is red, or nothing of theirs rings."""
    reached = {one.person.id for one in step.found}
    if step.clock == "displayed":
        return []  # it means those who were called before: they are named there
    wider = {
        "away": replace(plan, roster=replace(plan.roster, away=frozenset())),
        "red": replace(plan, roster=replace(plan.roster, silent=frozenset())),
    }
    left_out: dict[UUID, Missed] = {}
    for why, other in wider.items():
        for one in _recipients(step.rung, case, other, step.at):
            if one.person.id not in reached:
                left_out[one.person.id] = Missed(one.person, why)
    return [*left_out.values(), *(Missed(one.person, "no phone") for one in step.found if not rings(one, step, plan))]


def rings(one: Recipient, step: Step, plan: Plan) -> list[str]:
    """Return the channels over which somebody is rung by a step; none: only whoever looks at the app sees it."""
    added = meant(step.rung.channels)
    way = ways(one.person, plan.addresses.get(one.person.id, ()), plan.channels, added=added, muted=one.muted)
    return list(dict.fromkeys(channel for channel, _ in way if channel not in SILENT))


class _Turn:
    """What is called at one moment."""

    def __init__(self, case: Case, plan: Plan, done: Climbed, now: datetime, rungs: int) -> None:
        self.case, self.plan, self.done, self.now, self.rungs = case, plan, done, now, rungs
        self.steps: list[Step] = []
        self._used: defaultdict[UUID, set[str]] = defaultdict(set)
        waiting = {person for person, due_at, channels in done.used if due_at > now and channels}
        for person, due_at, channels in done.used:
            if due_at <= now and channels:
                self._used[person] |= channels
        self._called = [person for person in self._used if person not in waiting]

    def call(self, options: Sequence[Rung], place: int, *, since: datetime) -> int:
        rung, found = options[0], self._recipients(options[0])
        for other in options[1:]:
            if found:
                break
            rung, found = other, self._recipients(other)
        early = since + timedelta(seconds=rung.after) > self.now
        added = meant(rung.channels)
        again = rung.clock == "displayed"
        for one in found:
            over = self._ways(one, added, self._used[one.person.id] if again else ())
            self.done.used.append((one.person.id, self.now, over & {INSIDE[0]}))
            self.done.used.append((one.person.id, self.now + one.wait, over - {INSIDE[0]}))
            if again:  # another rung of this very moment goes one way further
                self._used[one.person.id] |= over
        if found and self.done.since is None:
            self.done.since = self.now
        repeat = not again and place >= self.rungs
        self.steps.append(Step(rung.clock, place, self.now, rung, tuple(found), early, repeat))
        return len(found)

    def _recipients(self, rung: Rung) -> list[Recipient]:
        found = _recipients(rung, self.case, self.plan, self.now, self._called)
        if rung.clock != "displayed":
            return found
        added = meant(rung.channels)
        return [one for one in found if self._ways(one, added, self._used[one.person.id])]

    def _ways(self, one: Recipient, added: Collection[str], used: Collection[str]) -> frozenset[str]:
        known, channels = self.plan.addresses.get(one.person.id, ()), self.plan.channels
        return frozenset(
            channel for channel, _ in ways(one.person, known, channels, added=added, used=used, muted=one.muted)
        )


def _recipients(rung: Rung, case: Case, plan: Plan, at: datetime, called: Collection[UUID] = ()) -> list[Recipient]:
    return recipients(rung, case, at=at, roster=plan.roster, routing=plan.routing, teams=plan.teams, called=called)
