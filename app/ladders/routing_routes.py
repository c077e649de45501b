"""HTTP for routes: who answers for what, where and when; changed like ladders, tried before they are published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlmodel import Session, col, select

from app.anomaly.words import SEVERITY_WORDS
from app.dispatch import ladder_words
from app.dispatch.ladder_words import Dictionary
from app.flows import queries as flows
from app.flows.routing import ROUTES, Route
from app.foresight import queries as foresight
from app.foresight import words as foretold
from app.foresight.dryrun import LENGTH, dry_run
from app.foresight.routes import simulate
from app.kit.columns import Names
from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Lead, Now, page, see, sent
from app.kit.i18n import gettext, named
from app.ladders import form as ladder_form
from app.ladders import route_form
from app.ladders.actions import may_publish, publish_routes, take_routes_again
from app.ladders.form import Fields
from app.ladders.routes import changes, choices, names
from app.people.models import Person
from app.plant.models import Area, Line
from app.rosters.models import Shift


@get("/routes")
async def routes_page(request: AnyRequest, lead: Lead, db: Db, now: Now) -> Response[Any]:
    return page(request, "ladders/routes.html", **await db.read(_opened, lead, now=now))


@post("/routes", status_code=200)
async def change_routes(request: AnyRequest, lead: Lead, db: Db, now: Now) -> Response[Any]:
    """One button of the editor. Only `publish` writes."""
    fields = await sent(request)
    if dict(fields).get("do") == "publish":
        await db.write(_publish, lead, fields, now=now)
        return see("/routes")
    return page(request, "ladders/routes.html", **await db.read(_changed, lead, fields, now=now))


@get("/routes/versions")
async def versions_page(request: AnyRequest, lead: Lead, db: Db, now: Now) -> Response[Any]:
    return page(request, "ladders/versions.html", **await db.read(_versions, lead, now=now))


@post("/routes/versions/{number:int}", status_code=303)
async def again(number: FromPath[int], lead: Lead, db: Db, now: Now) -> Response[Any]:
    await db.write(take_routes_again, number, by=lead, now=now)
    return see("/routes/versions")


def _opened(session: Session, viewer: Person, *, now: datetime) -> dict[str, Any]:
    return _page(session, viewer, route_form.drafts(flows.current_routing(session).routes), {}, now=now)


def _changed(session: Session, viewer: Person, fields: Fields, *, now: datetime) -> dict[str, Any]:
    plan = foresight.plan(session, viewer.site_id, since=now)
    drafts, given = route_form.read(fields, names(plan)), dict(fields)
    do = given.get("do", "check")
    if do != "check":
        return _page(session, viewer, route_form.change(drafts, do), given, now=now)
    found = route_form.routes(drafts)
    shown = _page(session, viewer, drafts, given, now=now)
    before = foresight.plan(session, viewer.site_id, since=now - LENGTH, until=now)
    after = replace(before, routing=flows.routing(session, found))
    past = foresight.past(session, before, viewer.site_id, since=now - LENGTH, until=now)
    case = (given.get(name, "") for name in ("at", "station", "category", "severity"))
    shown["trial"] = simulate(session, viewer, *case, now=now, plan=replace(plan, routing=after.routing))
    shown["difference"] = foretold.difference(dry_run(past, before, after, until=now))
    return shown


def _publish(session: Session, viewer: Person, fields: Fields, *, now: datetime) -> None:
    plan = foresight.plan(session, viewer.site_id, since=now)
    base = dict(fields).get("base", "")
    number = int(base) if base.isdecimal() and len(base) < 9 else 0
    routes = route_form.routes(route_form.read(fields, names(plan)))
    publish_routes(session, routes, base=number, by=viewer, now=now)


def _page(
    session: Session, viewer: Person, drafts: Sequence[route_form.Draft], given: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    plan = foresight.plan(session, viewer.site_id, since=now)
    known = foresight.dictionary(session, plan)
    versions = flows.routing_versions(session)
    case = (given.get(name, "") for name in ("at", "station", "category", "severity"))
    routes = [
        (n, draft, _place(draft), [(ladder_form.code(one), ladder_words.who(one, known)) for one in draft["call"]])
        for n, draft in enumerate(drafts, 1)
    ]
    return {
        "routes": routes,
        "base": versions[0].number if versions else 0,
        "places": _places(session, viewer),
        "categories": [(key, flow.names) for key, flow in plan.flows.items()],
        "shifts": [(one.id, one.names) for one in _shifts(session, viewer)],
        "choices": choices(known, "accepted"),
        "people": sorted(names(plan)),
        "shown": simulate(session, viewer, *case, now=now, plan=plan),
        "may_publish": may_publish(viewer),
        "clock_words": ladder_words.CLOCKS,
        "severity_words": SEVERITY_WORDS,
        "trial": None,
        "difference": [],
    }


def _versions(session: Session, viewer: Person, *, now: datetime) -> dict[str, Any]:
    known = foresight.dictionary(session, foresight.plan(session, viewer.site_id, since=now))
    where = {code: words for _, places in _places(session, viewer) for code, words in places}
    shifts = {one.id: one.names for one in _shifts(session, viewer)}
    flow_names = {document.category: document.names for _, document in flows.current(session)}
    found = flows.routing_versions(session)
    told = [
        [_in_words(route, known, where, flow_names, shifts) for route in ROUTES.validate_python(one.document)]
        for one in found
    ]
    shown = [(one, changes(was, new)) for one, new, was in zip(found, told, [*told[1:], []], strict=False)]
    return {
        "title": gettext(N_("Routes")),
        "note": gettext(N_("Running anomalies follow the new routes from their next step on.")),
        "up": "/routes",
        "versions": shown,
        "may_publish": may_publish(viewer),
    }


def _in_words(
    route: Route,
    known: Dictionary,
    where: Mapping[str, str],
    categories: Mapping[str, Names],
    shifts: Mapping[Any, Names],
) -> str:
    place = _place(route.model_dump())
    grades = ", ".join(map(str, route.severities))
    parts = [
        where.get(place, gettext(N_("a place that is gone"))) if place else "",
        ", ".join(named(categories.get(key)) or key for key in route.categories),
        gettext(N_("severity %(severity)s")) % {"severity": grades} if grades else "",
        ", ".join(named(shifts.get(key)) for key in route.shifts),
    ]
    said = " · ".join(part for part in parts if part) or gettext(N_("everything"))
    people = "; ".join(ladder_words.who(audience, known) for audience in route.call)
    name = f"{route.name} · " if route.name else ""
    return f"{name}{said} → {people}"


def _place(route: Mapping[str, Any]) -> str:
    """Return the one place of a route as a code, "" for everywhere."""
    return next((f"{kind}={route[kind]}" for kind in route_form.PLACES if route.get(kind)), "")


def _places(session: Session, viewer: Person) -> list[tuple[str, list[tuple[str, str]]]]:
    """Areas, lines and stations of the site, each kind in a group, as codes and names."""
    areas = session.exec(select(Area).where(col(Area.site_id) == viewer.site_id).order_by(col(Area.id))).all()
    inside = col(Line.area_id).in_([one.id for one in areas])
    lines = session.exec(select(Line).where(inside).order_by(col(Line.position), col(Line.id))).all()
    stations = foresight.stations(session, viewer.site_id)
    groups: list[tuple[str, str, Sequence[Any]]] = [
        ("area", N_("Areas"), areas),
        ("line", N_("Lines"), lines),
        ("station", N_("Stations"), stations),
    ]
    return [(word, [(f"{kind}={one.id}", named(one.names)) for one in found]) for kind, word, found in groups]


def _shifts(session: Session, viewer: Person) -> Sequence[Shift]:
    return session.exec(
        select(Shift).where(col(Shift.site_id) == viewer.site_id).order_by(col(Shift.starts), col(Shift.id))
    ).all()


handlers = [routes_page, change_routes, versions_page, again]
