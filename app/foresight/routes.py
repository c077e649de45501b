"""HTTP for looking ahead: who would be called for this, then; and where in the coming week nobody would."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromQuery
from sqlmodel import Session

from app.anomaly.words import SEVERITY_WORDS
from app.dispatch.ladder_words import CLOCKS
from app.foresight import queries as foresight
from app.foresight import words as foretold
from app.foresight.coverage import WEEK, Coverage, holes
from app.foresight.timeline import Case, Plan, nobody_reacts
from app.foresight.words import Told
from app.kit.columns import Names
from app.kit.http import AnyRequest, Db, Lead, Now, page
from app.people.models import Person
from app.plant import queries as places
from app.plant.queries import LineOfStations

MOST_HOLES = 300


@dataclass(frozen=True, slots=True)
class Simulated:
    """What would be called for one case, told clock by clock; and what one may ask."""

    at: datetime
    station: UUID | None
    category: str
    severity: int
    lines: list[LineOfStations]
    categories: list[tuple[str, Names, str]]
    clocks: list[tuple[str, list[Told]]]
    reached: int


@get("/simulator")
async def simulator_page(
    request: AnyRequest,
    lead: Lead,
    db: Db,
    now: Now,
    at: FromQuery[str] = "",
    station: FromQuery[str] = "",
    category: FromQuery[str] = "",
    severity: FromQuery[str] = "",
) -> Response[Any]:
    shown = await db.read(simulate, lead, at, station, category, severity, now=now)
    return page(request, "foresight/simulator.html", shown=shown, asked=bool(station), clock_words=CLOCKS,
                severity_words=SEVERITY_WORDS)  # fmt: skip


@get("/coverage")
async def coverage_page(request: AnyRequest, lead: Lead, db: Db, now: Now) -> Response[Any]:
    shown = await db.read(_coverage, lead, now=now)
    return page(request, "foresight/coverage.html", **shown)


def simulate(
    session: Session,
    viewer: Person,
    at: str = "",
    station: str = "",
    category: str = "",
    severity: str = "",
    *,
    now: datetime,
    plan: Plan | None = None,
) -> Simulated:
    """Return the timeline of a case; what was not said, or not understood, is now, the first, or severity 1."""
    zone = foresight.zone(session, viewer.site_id)
    try:
        moment = datetime.fromisoformat(at).replace(tzinfo=zone) if at else now.astimezone(zone)
    except ValueError:
        moment = now.astimezone(zone)
    moment = moment.replace(second=0, microsecond=0)
    shown = plan or foresight.plan(session, viewer.site_id, since=moment, until=moment + WEEK)
    stations = {str(one.id): one for one in foresight.stations(session, viewer.site_id)}
    here = stations.get(station) or next(iter(stations.values()), None)
    what = category if category in shown.flows else next(iter(shown.flows), "")
    bad = int(severity) if severity in ("1", "2", "3", "4") else 1
    clocks: list[tuple[str, list[Told]]] = []
    reached = 0
    if here is not None and what:
        case, known = Case.at(here, what, bad, shown), foresight.dictionary(session, shown)
        for clock in ("accepted", "on_site", "resolved", "verified"):
            steps = nobody_reacts(case, shown, at=moment, clock=clock)
            if steps:
                clocks.append((clock, foretold.steps(steps, case, shown, known, since=moment)))
            if clock == "accepted":
                called = [one.person.id for step in steps for one in step.found]
                reached, case = len(set(called)), replace(case, owner_id=called[0] if called else None)
    categories = [(key, flow.names, flow.icon) for key, flow in shown.flows.items()]
    lines = [line for line in places.lines(session) if line.stations]
    return Simulated(moment, here.id if here else None, what, bad, lines, categories, clocks, reached)


def _coverage(session: Session, viewer: Person, *, now: datetime) -> dict[str, Any]:
    until = now + WEEK
    plan = foresight.plan(session, viewer.site_id, since=now, until=until)
    stations = foresight.stations(session, viewer.site_id)
    found = holes(Coverage(plan, stations, since=now, until=until).gaps(), stations)
    names = {one.id: one.names for one in stations}
    lines = {line.id: line.names for line in places.lines(session) if line.stations}
    categories = {key: flow.names for key, flow in plan.flows.items()}
    told = [(one, foretold.hole(one, lines, names, categories)) for one in found]
    mute = [one.name for one in plan.roster.staff if not foresight.rings_at_all(one, plan)]
    return {
        "holes": told[:MOST_HOLES],
        "more": max(len(told) - MOST_HOLES, 0),
        "uncovered": sum(one.empty for one in found),
        "week": foretold.week(found, plan.roster.zone, since=now),
        "mute": mute,
    }


handlers = [simulator_page, coverage_page]
