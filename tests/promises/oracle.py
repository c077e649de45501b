"""What must ring, told a second time: from the words of the requirements, sharing no code with the app. Pure.

Given who works when, the ladders, and a script of what people do, it answers who is called, when, and by which rung:

- A clock starts when an anomaly enters its status; its rungs strike so many seconds later, each once.
- Accepting stops the clocks "accepted" and "displayed". Arriving, resolving and verifying stop the one before them.
- The clock "displayed" runs beside "accepted", from the first call of a round until one phone has shown it. Its rungs
  call over ways that were not used before; who has no further way is not called by it.
- While dispatch stands still nothing strikes; what is due when it is back strikes then, unless its clock has stopped.
- Nobody on duty for what is due: the next rung strikes in the same moment. (Not of the clock "displayed".)
- After its last rung a clock calls that rung again: in a quarter of an hour, then in twice the time, at most a day; or,
  if nobody is there for it, the first rung that reaches somebody.
- Severity raised while nobody has accepted: everything begins anew. In every other case the new ladder goes on where
  the old one was.
- On duty is who stands in the roster now, by the clock on the wall of the site, and is not away; and who stands in no
  roster a week around.
- A red phone is left out while a green one is among those called because they are on duty.
- Who owns two open anomalies already is asked to accept a minute later than who owns fewer; severity 1 waits for nobody.
- Of severity 4 a person hears at most once an hour: its messages may come an hour late.

Longer than most files because it is one thought, and nothing else may be needed to understand it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

RUNNING = {
    "reported": ("accepted", "displayed"),
    "accepted": ("on_site",),
    "on_site": ("resolved",),
    "resolved": ("verified",),
    "done": (),
}
LEADS_TO = {
    "accept": "accepted",
    "arrive": "on_site",
    "resolve": "resolved",
    "verify": "done",
    "release": "reported",
    "cancel": "done",
}
OWNED = ("accepted", "on_site")
QUARTER, DAY, WEEK = timedelta(minutes=15), timedelta(days=1), timedelta(days=7)
ASKED_LATER = timedelta(minutes=1)
MANY = 2  # open anomalies


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a rung names. What is left empty narrows nothing."""

    duty: bool = False
    """Whoever answers for this kind of problem: as routing says, else the team of the flow."""
    team: str = ""
    role: str = ""
    line: bool = False
    squad: str = ""
    person: str = ""
    owner: bool = False
    unseen: bool = False
    deputies: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    clock: str
    after: int
    call: tuple[Who, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Instead of the flow's own team: for this place, these severities, those who are named."""

    call: tuple[Who, ...]
    station: str = ""
    line: str = ""
    severities: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Human:
    name: str
    role: str
    team: str = ""
    line: str = ""
    deputy: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A line of the roster: from this hour to that on the wall; over midnight when it ends before it starts."""

    name: str
    day: date
    starts: int
    ends: int

    def runs(self, wall: datetime) -> bool:
        last = self.day if self.starts < self.ends else self.day + DAY
        return (self.day, self.starts) <= (wall.date(), wall.hour) < (last, self.ends)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble: who answers for it, and how bad it is if nobody says otherwise."""

    category: str
    team: str
    severity: int


@dataclass(frozen=True, slots=True)
class World:
    zone: ZoneInfo
    humans: tuple[Human, ...]
    ladders: dict[int, tuple[Rung, ...]]
    stations: dict[str, str]
    """Each with its line."""
    kinds: tuple[Kind, ...]
    ways: int = 1
    """To reach everybody: a phone, and with two e-mail too."""
    turns: tuple[Turn, ...] = ()
    away: frozenset[tuple[str, date]] = frozenset()
    silent: frozenset[tuple[str, date, int]] = frozenset()
    """Whose phone did not answer when the turn of this day and hour began."""
    squads: dict[str, frozenset[str]] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody does something: report, display, accept, arrive, resolve, verify, release, cancel, regrade.

    Or dispatch itself: stop, start; or nobody: end.
    """

    at: datetime
    what: str
    case: str = ""
    by: str = ""
    station: str = ""
    line: str = ""
    team: str = ""
    """Of a report: who answers for its kind."""
    severity: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Called:
    """Rung `place` of a clock has struck. After the end of the ladder `place` goes on counting. Nobody: no `names`."""

    at: datetime
    case: str
    clock: str
    place: int
    names: frozenset[str]
    later: frozenset[str] = frozenset()
    """Those of `names` who are rung a minute later."""


@dataclass(slots=True)
class _Case:
    name: str
    station: str
    line: str
    team: str
    severity: int
    since: datetime
    status: str = "reported"
    owner: str = ""
    done: dict[str, int] = field(default_factory=dict)
    last: dict[str, datetime] = field(default_factory=dict)
    """When each clock last struck."""
    reached: dict[str, datetime] = field(default_factory=dict)
    """When each clock last reached somebody."""
    empty: set[str] = field(default_factory=set)
    """Clocks that reached nobody when they last struck."""
    shown: bool = False
    begun: datetime | None = None
    """When the first call of this round was made."""
    rung: dict[str, datetime] = field(default_factory=dict)
    """Who has been called in this round, and since when their phone could have shown it."""
    ways: dict[str, int] = field(default_factory=dict)
    """Over how many ways each of them was called."""

    def enters(self, status: str, at: datetime) -> None:
        self.status, self.since, self.shown, self.begun = status, at, False, None
        self.done, self.last, self.reached, self.empty, self.rung, self.ways = {}, {}, {}, set(), {}, {}

    def used(self, name: str, now: datetime) -> int:
        """Over how many ways somebody could have heard of it until now."""
        return self.ways.get(name, 0) if self.rung.get(name, now) <= now else 0


def expected(world: World, script: Sequence[Act]) -> list[Called]:
    """Return every strike of every clock, in the order of time, until the last act of `script`."""
    return list(_Play(world).plays(script))


class _Play:
    def __init__(self, world: World) -> None:
        self.world = world
        self.cases: dict[str, _Case] = {}
        self.runs = True
        self.turns: dict[str, list[Turn]] = {human.name: [] for human in world.humans}
        for turn in world.turns:
            self.turns[turn.name].append(turn)
        self.rungs: dict[tuple[int, str], list[Rung]] = {}
        for severity, rungs in world.ladders.items():
            for rung in rungs:
                self.rungs.setdefault((severity, rung.clock), []).append(rung)

    def plays(self, script: Sequence[Act]) -> Iterator[Called]:
        for act in script:
            while self.runs and (moment := self._next()) is not None and moment <= act.at:
                yield from self._look(moment)
            self._apply(act)
            if self.runs:
                yield from self._look(act.at)

    def _apply(self, act: Act) -> None:
        if act.what in ("stop", "start", "end"):
            self.runs = act.what != "stop"
            return
        if act.what == "report":
            self.cases[act.case] = _Case(act.case, act.station, act.line, act.team, act.severity, act.at)
            return
        case = self.cases[act.case]
        if act.what == "display":
            case.shown = True
        elif act.what == "regrade":
            worse, case.severity, case.empty = act.severity < case.severity, act.severity, set()
            if worse and case.status == "reported":
                case.enters("reported", act.at)
        else:
            case.owner = act.by if act.what == "accept" else "" if act.what == "release" else case.owner
            case.enters(LEADS_TO[act.what], act.at)

    # --- when ---

    def _next(self) -> datetime | None:
        return min((at for case in self.cases.values() for at, _ in self._clocks(case)), default=None)

    def _clocks(self, case: _Case) -> Iterator[tuple[datetime, str]]:
        """When each clock that runs strikes next."""
        for clock in RUNNING[case.status]:
            rungs, done = self._rungs(case, clock), case.done.get(clock, 0)
            if clock == "displayed":
                if case.begun and not case.shown and done < len(rungs):
                    yield case.begun + timedelta(0, rungs[done].after), clock
            elif done < len(rungs):
                yield case.last[clock] if clock in case.empty else case.since + timedelta(0, rungs[done].after), clock
            elif rungs:
                yield case.last.get(clock, case.since) + min(QUARTER * 2 ** (done - len(rungs)), DAY), clock

    def _rungs(self, case: _Case, clock: str) -> list[Rung]:
        return self.rungs.get((case.severity, clock), [])

    def _look(self, now: datetime) -> Iterator[Called]:
        for case in self.cases.values():
            while due := [(at, clock) for at, clock in self._clocks(case) if at <= now]:
                yield self._strike(case, max(clock for _, clock in due), now)

    def _strike(self, case: _Case, clock: str, now: datetime) -> Called:
        rungs, place = self._rungs(case, clock), case.done.get(clock, 0)
        names = self._names(rungs[min(place, len(rungs) - 1)], case, now)
        if place >= len(rungs):
            names = next(filter(None, (self._names(rung, case, now) for rung in (rungs[-1], *rungs))), names)
        if clock == "displayed":
            names = frozenset(name for name in names if case.used(name, now) < self.world.ways)
        case.done[clock], case.last[clock] = place + 1, now
        if names:
            case.reached[clock] = now
        case.empty = case.empty - {clock} if case.reached.get(clock) == now else case.empty | {clock}
        later = self._later(names, case) if clock == "accepted" and case.severity > 1 else frozenset()
        for name in names:
            since = now + (ASKED_LATER if name in later else timedelta())
            case.ways[name] = case.used(name, now) + 1 if clock == "displayed" else max(case.used(name, now), 1)
            case.rung[name] = min(case.rung.get(name, since), since)
        if names:
            case.begun = case.begun or now
        return Called(now, case.name, clock, place, names, later)

    # --- who ---

    def _names(self, rung: Rung, case: _Case, now: datetime) -> frozenset[str]:
        named, by_duty = set(), set()
        for who in self._routed(rung.call, case):
            meant = self._meant(who, case, now)
            if not (who.owner or who.unseen):
                by_duty |= meant
            named |= meant | (self._deputies(meant, now) if who.deputies else set())
        red = by_duty & self._red(now)
        return frozenset(named - red if by_duty - red else named)

    def _routed(self, call: Iterable[Who], case: _Case) -> Iterator[Who]:
        for who in call:
            route = self._route(case) if who.duty else None
            if route is None:
                yield who
            else:
                yield from (replace(one, line=one.line or who.line) for one in route.call)

    def _meant(self, who: Who, case: _Case, now: datetime) -> set[str]:
        if who.owner:
            return {case.owner} - {""}
        if who.unseen:
            return {name for name, since in case.rung.items() if since < now}
        team = case.team if who.duty else who.team
        return {
            human.name
            for human in self.world.humans
            if (not team or human.team == team)
            and (not who.role or human.role == who.role)
            and (not who.line or human.line in ("", case.line))
            and (not who.squad or human.name in self.world.squads.get(who.squad, ()))
            and (not who.person or human.name == who.person)
            and self._works(human.name, now)
        }

    def _works(self, name: str, at: datetime) -> bool:
        wall = at.astimezone(self.world.zone).replace(tzinfo=None)
        running = [turn for turn in self.turns[name] if turn.runs(wall)]
        if running:
            return any((name, turn.day) not in self.world.away for turn in running)
        rostered = any(abs(turn.day - wall.date()) <= WEEK for turn in self.turns[name])
        return not rostered and (name, wall.date()) not in self.world.away

    def _deputies(self, names: set[str], now: datetime) -> set[str]:
        stands_in = {human.deputy for human in self.world.humans if human.name in names} - {""}
        return {name for name in stands_in if self._works(name, now)}

    def _route(self, case: _Case) -> Route | None:
        fitting = [
            route
            for route in self.world.routes
            if route.station in ("", case.station)
            and route.line in ("", case.line)
            and (not route.severities or case.severity in route.severities)
        ]
        return max(fitting, key=lambda r: (bool(r.station), bool(r.line), bool(r.severities)), default=None)

    def _red(self, now: datetime) -> set[str]:
        wall = now.astimezone(self.world.zone).replace(tzinfo=None)
        running = (turn for turn in self.world.turns if turn.runs(wall))
        return {turn.name for turn in running if (turn.name, turn.day, turn.starts) in self.world.silent}

    def _later(self, names: frozenset[str], case: _Case) -> frozenset[str]:
        loaded = frozenset(name for name in names if self._load(name) >= MANY)
        return loaded if loaded != names else frozenset()

    def _load(self, name: str) -> int:
        return sum(case.owner == name and case.status in OWNED for case in self.cases.values())
