"""The proof that somebody would come: whom every rung calls, at every station, for everything, all week. Pure.

Nothing changes between two edges of the roster, and stations that neither a person nor a route tells apart are one. So
a few thousand questions answer for every minute of five hundred stations, and each is put to the same `recipients` that
rings.

Longer than most files because what makes two questions the same is told beside the asking.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby, product
from uuid import UUID

from app.dispatch.recipients import recipients
from app.flows.document import Audience, Rung
from app.flows.routing import Route, Routing
from app.foresight.steady import Steady
from app.foresight.timeline import Case, Plan
from app.plant.models import Station

WEEK = timedelta(days=7)
SEVERITIES = (1, 2, 3, 4)

Called = tuple[tuple[UUID, ...], ...]
"""Who is called by each rung of the clock "accepted", from the first on."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """From `begins` to just before `ends` nobody is called here, or (`empty` False) nobody at first."""

    begins: datetime
    ends: datetime
    empty: bool
    line_id: UUID
    station_id: UUID
    category: str
    severity: int


@dataclass(frozen=True, slots=True)
class Hole:
    """Gaps of the same time, put together for people: which lines and stations, what, how bad.

    `stations` is empty where a whole line is meant.
    """

    begins: datetime
    ends: datetime
    empty: bool
    lines: tuple[UUID, ...]
    stations: tuple[UUID, ...]
    categories: tuple[str, ...]
    severities: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom a rung calls, with its number, and what that depends on beside the hour: the line, the team in charge.

    `parts` is each of its audiences alone: where no phone is red, a rung calls those whom each of them calls.
    """

    rung: Rung
    number: int
    line: bool
    team: bool
    parts: tuple["_Asked", ...] = ()


class Coverage:
    """Who would be called from `since` to just before `until`, worked out piece by piece and kept."""

    def __init__(self, plan: Plan, stations: Sequence[Station], *, since: datetime, until: datetime) -> None:
        roster, routing = Steady.of(plan.roster, since, until), plan.routing
        self.plan, self.stations, self.since, self.until = replace(plan, roster=roster), stations, since, until
        edges = (edge for edge in (*roster.edges(since, until), *_clock_edges(plan, since, until)))
        self.moments = sorted({since, *(edge for edge in edges if since < edge < until)})
        self._states = _numbered((tuple(p.id for p in roster.on_duty(at)), roster.red(at)) for at in self.moments)
        calls: dict[tuple[Audience, ...], int] = {}
        self._routed = {id(route): calls.setdefault(route.call, len(calls)) for route in routing.routes}
        areas = {route.area for route in routing.routes if route.area}
        self._own_station = {route.station for route in routing.routes if route.station}
        self._own_line = {route.line for route in routing.routes if route.line}
        self._own_line |= {line for line, area in routing.areas.items() if area in areas}
        self._own_line |= {person.line_id for person in roster.staff if person.line_id}
        self._known: dict[tuple[object, ...], tuple[UUID, ...]] = {}
        self._asked: dict[tuple[Audience, ...], _Asked] = {}
        self._rungs = {
            (category, severity): [self._ask(rung) for rung in flow.ladder(severity).of("accepted")]
            for category, flow in plan.flows.items()
            for severity in SEVERITIES
        }
        self._calm = [not roster.red(at) for at in self.moments]

    def called(self, station: Station, category: str, severity: int, at: datetime) -> Called:
        """Return who would be called at a moment, rung by rung."""
        case = Case.at(station, category, severity, self.plan)
        return self._called(case, self._routing(case), bisect_right(self.moments, at) - 1)

    def gaps(self) -> list[Gap]:
        """Return where nobody is called at all, and where nobody is called at first, in the order of time."""
        found: list[Gap] = []
        for kin in self._kin():
            for category in self.plan.flows:
                for severity in SEVERITIES:
                    found += self._gaps(kin, Case.at(kin[0], category, severity, self.plan))
        return sorted(found)

    def _gaps(self, kin: Sequence[Station], case: Case) -> Iterator[Gap]:
        routing = self._routing(case)
        levels = [_level(self._called(case, routing, place)) for place in range(len(self.moments))]
        ends = [*self.moments[1:], self.until]
        for level, same in groupby(range(len(levels)), key=levels.__getitem__):
            if level is not None:
                pieces = list(same)
                begin, end = self.moments[pieces[0]], ends[pieces[-1]]
                yield from (Gap(begin, end, level, s.line_id, s.id, case.category, case.severity) for s in kin)

    def _kin(self) -> list[list[Station]]:
        """Stations for which the answer is always the same, together."""
        groups: dict[tuple[UUID | None, UUID | None, UUID], list[Station]] = {}
        for one in self.stations:
            own = one.id if one.id in self._own_station else None
            line = one.line_id if own or one.line_id in self._own_line else None
            groups.setdefault((own, line, one.site_id), []).append(one)
        return list(groups.values())

    def _ask(self, rung: Rung) -> _Asked:
        """Number who is called: two rungs that call the same audiences call the same people."""
        if rung.call not in self._asked:
            alone = [rung.model_copy(update={"call": (one,)}) for one in rung.call] if len(rung.call) > 1 else []
            parts = tuple(self._ask(one) for one in alone)
            line = any(one.line for one in rung.call)
            team = any(one.team == "owner" for one in rung.call)
            self._asked[rung.call] = _Asked(rung, len(self._asked), line, team, parts)
        return self._asked[rung.call]

    def _called(self, case: Case, routing: Routing, place: int) -> Called:
        at = self.moments[place]
        route = routing.route(case, local=at.astimezone(self.plan.roster.zone)) if routing.routes else None
        return tuple(
            self._by(asked, case, routing, route, place) for asked in self._rungs[case.category, case.severity]
        )

    def _by(self, asked: _Asked, case: Case, routing: Routing, route: Route | None, place: int) -> tuple[UUID, ...]:
        line = asked.line or (route is not None and asked.team and any(one.line for one in route.call))
        key = (
            self._states[place],
            asked.number,
            self._routed[id(route)] if route is not None and asked.team else None,
            case.line_id if line and case.line_id in self._own_line else None,
            case.team_id if asked.team else None,
        )
        known = self._known.get(key)
        if known is None:
            if asked.parts and self._calm[place]:
                each = (self._by(part, case, routing, route, place) for part in asked.parts)
                known = tuple(dict.fromkeys(chain.from_iterable(each)))
            else:
                roster, teams, at = self.plan.roster, self.plan.teams, self.moments[place]
                found = recipients(asked.rung, case, at=at, roster=roster, routing=routing, teams=teams)
                known = tuple(one.person.id for one in found)
            self._known[key] = known
        return known

    def _routing(self, case: Case) -> Routing:
        """Only the routes that may hold for this case at some hour: there may be one for each station."""
        routing = self.plan.routing
        here = (None, case.station_id, case.line_id, routing.areas.get(case.line_id))
        fitting = [
            route
            for route in routing.routes
            if route.station in here[:2]
            and route.line in (None, case.line_id)
            and route.area in (None, here[3])
            and (not route.categories or case.category in route.categories)
            and (not route.severities or case.severity in route.severities)
        ]
        return replace(routing, routes=fitting)


def holes(gaps: Iterable[Gap], stations: Sequence[Station]) -> list[Hole]:
    """Put gaps together that people would tell in one sentence, in the order of time, the worst first.

    What is true of all stations of a line is said of the line; categories and severities that share their hours share
    their line.
    """
    by_line: dict[UUID, set[UUID]] = {}
    for one in stations:
        by_line.setdefault(one.line_id, set()).add(one.id)
    places: dict[tuple[datetime, datetime, bool, str, int], dict[UUID, set[UUID]]] = {}
    for gap in gaps:
        when = gap.begins, gap.ends, gap.empty, gap.category, gap.severity
        places.setdefault(when, {}).setdefault(gap.line_id, set()).add(gap.station_id)
    spots: dict[tuple[datetime, datetime, bool, tuple[UUID, ...], tuple[UUID, ...]], dict[str, list[int]]] = {}
    for (begins, ends, empty, category, severity), lines in places.items():
        whole = tuple(line for line in by_line if lines.get(line) == by_line[line])
        parts = tuple(sorted(one for line, some in lines.items() if line not in whole for one in some))
        spots.setdefault((begins, ends, empty, whole, parts), {}).setdefault(category, []).append(severity)
    found: list[Hole] = []
    for key, categories in spots.items():
        alike: dict[tuple[int, ...], list[str]] = {}
        for category, severities in categories.items():
            alike.setdefault(tuple(sorted(severities)), []).append(category)
        found += [Hole(*key, tuple(names), severities) for severities, names in alike.items()]
    return sorted(found, key=lambda hole: (hole.begins, not hole.empty, hole.ends))


def _level(called: Called) -> bool | None:
    """True: nobody at all; False: nobody at first; None: somebody is called at once."""
    if called and called[0]:
        return None
    return not any(called)


def _numbered(states: Iterable[object]) -> list[int]:
    """Return a number for each state, the same for the same."""
    numbers: dict[object, int] = {}
    return [numbers.setdefault(state, len(numbers)) for state in states]


def _clock_edges(plan: Plan, since: datetime, until: datetime) -> Iterator[datetime]:
    """When a route may begin or cease to hold: where a shift begins or ends, and where the clock on the wall is set."""
    routing, zone = plan.routing, plan.roster.zone
    if not any(route.shifts for route in routing.routes):
        return
    clocks = {clock for hours in routing.shifts for clock in (hours.starts, hours.ends)}
    first = since.astimezone(zone).date() - timedelta(1)
    for n in range((until - since).days + 4):
        for clock, fold in product(clocks, (0, 1)):
            yield datetime.combine(first + timedelta(n), clock, zone).replace(fold=fold).astimezone(UTC)
    quarter = timedelta(minutes=15)
    at = since.replace(minute=0, second=0, microsecond=0)
    while at < until:
        if at.astimezone(zone).utcoffset() != (at - quarter).astimezone(zone).utcoffset():
            yield at
        at += quarter
