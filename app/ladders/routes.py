"""HTTP for ladders: see them, change them without code, try a change, publish it, take an older one again.

Longer than most files because the editor, its trial and its versions are one screen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import ndiff
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from sqlmodel import Session

from app.anomaly.words import SEVERITY_WORDS
from app.dispatch import ladder_words
from app.dispatch.ladder_words import Dictionary
from app.flows import queries as flows
from app.flows.document import Audience, FlowDocument, Ladder
from app.flows.staffed import require_staffed
from app.foresight import queries as foresight
from app.foresight import words as foretold
from app.foresight.coverage import WEEK, Coverage, Hole, holes
from app.foresight.dryrun import LENGTH, dry_run
from app.foresight.routes import Simulated, simulate
from app.foresight.timeline import Plan
from app.kit.errors import N_, DomainError, NotFound
from app.kit.http import AnyRequest, Db, Lead, Now, page, see, sent
from app.kit.i18n import gettext, named, sentence
from app.ladders import form as ladder_form
from app.ladders.actions import may_publish, publish_ladder, take_again, with_ladder
from app.ladders.form import CLOCKS, UNITS, Draft, Fields
from app.people.models import Person, Role

SEVERITIES = ("1", "2", "3", "4")
CHANNELS = ("chat", "sms", "voice", "email", "ntfy", "signal", "webhook")
HOLES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """What a change would do: told before it is published."""

    shown: Simulated
    difference: list[str]
    holes: list[tuple[Hole, str]]
    more: int
    warnings: list[str]


@get("/ladders")
async def ladders_page(request: AnyRequest, lead: Lead, db: Db) -> Response[Any]:
    found = await db.read(flows.current)
    return page(request, "ladders/index.html", flows=[document for _, document in found],
                severity_words=SEVERITY_WORDS, routes=await db.read(flows.current_routing))  # fmt: skip


@get("/ladders/{category:str}/{severity:str}")
async def ladder_page(
    request: AnyRequest, category: FromPath[str], severity: FromPath[str], lead: Lead, db: Db, now: Now
) -> Response[Any]:
    shown = await db.read(_opened, lead, category, _grade(severity), now=now)
    return page(request, "ladders/edit.html", **shown)


@post("/ladders/{category:str}/{severity:str}", status_code=200)
async def change_ladder(
    request: AnyRequest, category: FromPath[str], severity: FromPath[str], lead: Lead, db: Db, now: Now
) -> Response[Any]:
    """One button of the editor. Only `publish` writes."""
    fields = await sent(request)
    given, grade = dict(fields), _grade(severity)
    do = given.get("do", "check")
    if do == "publish":
        await db.write(_publish, lead, category, grade, fields, now=now)
        return see(f"/ladders/{category}/{grade}")
    return page(request, "ladders/edit.html", **await db.read(_changed, lead, category, grade, fields, do, now=now))


@get("/ladders/{category:str}/versions")
async def versions_page(request: AnyRequest, category: FromPath[str], lead: Lead, db: Db, now: Now) -> Response[Any]:
    return page(request, "ladders/versions.html", **await db.read(_versions, lead, category, now=now))


@post("/ladders/{category:str}/versions/{number:int}", status_code=303)
async def again(category: FromPath[str], number: FromPath[int], lead: Lead, db: Db, now: Now) -> Response[Any]:
    await db.write(take_again, category, number, by=lead, now=now)
    return see(f"/ladders/{category}/versions")


def _opened(session: Session, viewer: Person, category: str, severity: int, *, now: datetime) -> dict[str, Any]:
    plan = foresight.plan(session, viewer.site_id, since=now, until=now + WEEK)
    steps = ladder_form.drafts(_flow(plan, category).ladder(severity))
    return _page(session, viewer, plan, category, severity, steps, {}, now=now)


def _changed(
    session: Session, viewer: Person, category: str, severity: int, fields: Fields, do: str, *, now: datetime
) -> dict[str, Any]:
    plan = foresight.plan(session, viewer.site_id, since=now, until=now + WEEK)
    steps = ladder_form.read(fields, names(plan))
    steps = steps if do == "check" else ladder_form.change(steps, do)
    trial = _try(session, viewer, plan, category, severity, steps, fields, now=now) if do == "check" else None
    found = _page(session, viewer, plan, category, severity, steps, dict(fields), now=now)
    return found | {"trial": trial, "also": [value for name, value in fields if name == "also"]}


def _try(
    session: Session,
    viewer: Person,
    plan: Plan,
    category: str,
    severity: int,
    steps: Sequence[Draft],
    fields: Fields,
    *,
    now: datetime,
) -> Trial:
    """Play the changed ladder through: for one case, for the coming week, and over the last 30 days."""
    ladder, given = ladder_form.ladder(steps), dict(fields)
    changed = with_ladders(plan, _categories(plan, category, fields), severity, ladder)
    shown = simulate(session, viewer, *_case(given), category, str(severity), now=now, plan=changed)
    stations = foresight.stations(session, viewer.site_id)
    alone = replace(changed, flows={category: changed.flows[category]})
    gaps = [gap for gap in Coverage(alone, stations, since=now, until=now + WEEK).gaps() if gap.severity == severity]
    found = [one for one in holes(gaps, stations) if one.empty]
    before = foresight.plan(session, viewer.site_id, since=now - LENGTH, until=now)
    past = foresight.past(session, before, viewer.site_id, since=now - LENGTH, until=now)
    after = replace(before, flows=changed.flows)
    lines = {line.id: line.names for line in shown.lines}
    what = {key: names for key, names, _ in shown.categories}
    try:
        warnings = []
        for key in _categories(plan, category, fields):
            require_staffed(session, changed.flows[key], [severity], now=now)
    except DomainError as refusal:
        warnings = [sentence(refusal.message, refusal.details)]
    told = [
        (one, foretold.hole(one, lines, {station.id: station.names for station in stations}, what))
        for one in found[:HOLES_SHOWN]
    ]
    return Trial(
        shown, foretold.difference(dry_run(past, before, after, until=now)), told, len(found) - len(told), warnings
    )


def _publish(session: Session, viewer: Person, category: str, severity: int, fields: Fields, *, now: datetime) -> None:
    plan = foresight.plan(session, viewer.site_id, since=now)
    ladder = ladder_form.ladder(ladder_form.read(fields, names(plan)))
    base = dict(fields).get("base", "")
    number = int(base) if base.isdecimal() and len(base) < 9 else 0
    wanted = _categories(plan, category, fields)
    publish_ladder(session, wanted, severity, ladder, base=number, by=viewer, now=now)


def _page(
    session: Session,
    viewer: Person,
    plan: Plan,
    category: str,
    severity: int,
    steps: Sequence[Draft],
    given: Mapping[str, str],
    *,
    now: datetime,
) -> dict[str, Any]:
    known = foresight.dictionary(session, plan)
    flow = _flow(plan, category)
    by_clock = {
        clock: [
            (step, [(ladder_form.code(one), ladder_words.who(one, known)) for one in step.rung.call])
            for step in steps
            if step.rung.clock == clock
        ]
        for clock in CLOCKS
    }
    return {
        "flow": flow,
        "severity": severity,
        "steps": by_clock,
        "base": flows.versions(session, category)[0].number,
        "choices": {clock: choices(known, clock) for clock in CLOCKS},
        "people": sorted(names(plan)),
        "channels": [(kind, ladder_words.channel(kind)) for kind in CHANNELS],
        "others": [(key, one.names) for key, one in plan.flows.items() if key != category],
        "shown": simulate(session, viewer, *_case(given), category, str(severity), now=now, plan=plan),
        "may_publish": may_publish(viewer),
        "clock_words": ladder_words.CLOCKS,
        "units": [(unit, ladder_words.UNITS[unit]) for unit in UNITS],
        "severity_words": SEVERITY_WORDS,
        "trial": None,
        "also": [],
    }


def _versions(session: Session, viewer: Person, category: str, *, now: datetime) -> dict[str, Any]:
    plan = foresight.plan(session, viewer.site_id, since=now)
    flow, known = _flow(plan, category), foresight.dictionary(session, plan)
    found = flows.versions(session, category)
    told = [_in_words(FlowDocument.model_validate(one.document), known) for one in found]
    shown = [(one, changes(was, new)) for one, new, was in zip(found, told, [*told[1:], told[-1]], strict=True)]
    return {
        "title": named(flow.names),
        "note": gettext(N_("Running anomalies keep the version they were opened with.")),
        "up": "/ladders",
        "versions": shown,
        "may_publish": may_publish(viewer),
    }


def changes(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    """Return what was taken away (`was`) and what came (`new`), line by line."""
    kinds = {"- ": "was", "+ ": "new"}
    return [(kinds[line[:2]], line[2:]) for line in ndiff(list(before), list(after)) if line[:2] in kinds]


def choices(known: Dictionary, clock: str) -> list[tuple[str, str]]:
    """Return whom a step of this clock can call, as codes and in words."""
    found = [Audience(team="owner"), Audience(team="owner", deputies=True), Audience(team="owner", line=True)]
    found += [Audience(role=role, line=True) for role in (Role.TEAM_LEAD,)]
    found += [Audience(role=role) for role in (Role.TEAM_LEAD, Role.ENGINEER, Role.MANAGER, Role.ADMIN)]
    found += [Audience(team=team) for team in known.teams] + [Audience(squad=squad) for squad in known.squads]
    if clock == "displayed":
        found = [Audience(unseen=True), Audience(unseen=True, deputies=True), *found]
    elif clock != "accepted":
        found = [Audience(owner=True), Audience(owner=True, deputies=True), *found]
    return [(ladder_form.code(one), ladder_words.who(one, known)) for one in found]


def names(plan: Plan) -> dict[str, UUID]:
    """Return whom one may call by name."""
    found: dict[str, UUID] = {}
    for person in plan.roster.staff:
        found[f"{person.name} ({person.id.hex[-4:]})" if person.name in found else person.name] = person.id
    return found


def with_ladders(plan: Plan, categories: Sequence[str], severity: int, ladder: Ladder) -> Plan:
    """Return the plan as it would be if this ladder were published for these categories."""
    changed = {key: with_ladder(plan.flows[key], severity, ladder) for key in categories}
    return replace(plan, flows={**plan.flows, **changed})


def _case(given: Mapping[str, str]) -> tuple[str, str]:
    return given.get("at", ""), given.get("station", "")


def _in_words(document: FlowDocument, known: Dictionary) -> list[str]:
    return [
        f"{severity} · {ladder_words.clock(rung.clock)} · {ladder_words.step(rung, known)}"
        for severity, ladder in sorted(document.ladders.items())
        for rung in ladder.rungs
    ]


def _categories(plan: Plan, category: str, fields: Fields) -> list[str]:
    also = [value for name, value in fields if name == "also" and value in plan.flows and value != category]
    return [category, *dict.fromkeys(also)]


def _flow(plan: Plan, category: str) -> FlowDocument:
    if category not in plan.flows:
        raise NotFound()
    return plan.flows[category]


def _grade(severity: str) -> int:
    if severity not in SEVERITIES:
        raise NotFound()
    return int(severity)


handlers = [ladders_page, ladder_page, change_ladder, versions_page, again]
