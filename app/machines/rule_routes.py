"""HTTP for alarm rules: see them as sentences, change them without code, take an older version again.

Longer than most files because a rule's page, its editor and its versions are one screen.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from pydantic import ValidationError
from sqlmodel import Session

from app.kit.errors import N_, NotFound
from app.kit.http import AnyRequest, Db, Form, Now, page, see, sent
from app.kit.i18n import sentence as put
from app.machines import rule_actions as actions
from app.machines import rule_form as form
from app.machines import rule_queries as queries
from app.machines import shelving
from app.machines.models import AlarmRule, ShelfKind, Tag
from app.machines.routes import Engineer
from app.machines.rule_checks import Range, Remark, hints, problems
from app.machines.rule_documents import RuleDocument
from app.machines.rules import Kind
from app.machines.samples import number_of
from app.machines.sentences import KINDS, Dictionary, sentence
from app.people.models import Person
from app.people.routes import Staff
from app.plant.models import Station

STANDING = {
    "active": (N_("active"), "red", "bell"),
    "stale": (N_("active for more than a day"), "red", "bell"),
    "shelved": (N_("shelved"), "purple", "pause"),
    "out_of_service": (N_("out of service"), "purple", "wrench"),
    "suppressed": (N_("suppressed"), "purple", "bell-off"),
    "normal": (N_("normal"), "", "check"),
    "off": (N_("switched off"), "", "stop"),
}
COMPARED = {
    "above": N_("is above"),
    "below": N_("is below"),
    "is": N_("is"),
    "is_not": N_("is not"),
    "one_of": N_("is one of"),
    "bit": N_("has the bit"),
}
SHELF_WORDS = {
    ShelfKind.TIMED: N_("for a time"),
    ShelfKind.ONE_SHOT: N_("until it is normal once"),
    ShelfKind.OUT_OF_SERVICE: N_("out of service"),
}
MINUTES = (15, 60, 240, 480)


class SwitchForm(Form):
    on: str = ""


@get("/machines/rules")
async def rules_page(
    request: AnyRequest, engineer: Engineer, db: Db, now: Now, source: FromQuery[str] = "", station: FromQuery[str] = ""
) -> Response[Any]:
    return page(request, "machines/rules.html", **await db.read(_list, engineer, _id(source), _id(station), now=now))


@get("/machines/rules/new")
async def new_page(
    request: AnyRequest,
    staff: Staff,
    db: Db,
    now: Now,
    tag: FromQuery[str] = "",
    kind: FromQuery[str] = "",
    setpoint: FromQuery[str] = "",
    deadband: FromQuery[str] = "",
) -> Response[Any]:
    shelving.require_may_change(staff)
    chosen = _id(tag)
    if chosen is None or kind not in list(Kind):
        found = await db.read(_choices, chosen)
        return page(request, "machines/rule_new.html", kinds=KINDS, **found)
    limit = number_of(setpoint) if setpoint else None
    document = RuleDocument(kind=Kind(kind), setpoint=limit, deadband=max(number_of(deadband) or 0.0, 0.0))
    shown = await db.read(_editor, staff, None, chosen, document, None, now=now)
    return page(request, "machines/rule_edit.html", **shown)


@post("/machines/rules/new", status_code=200)
async def make_rule(
    request: AnyRequest, staff: Staff, db: Db, now: Now, tag: FromQuery[str] = "", kind: FromQuery[str] = ""
) -> Response[Any]:
    shelving.require_may_change(staff)
    fields, chosen = await sent(request), _id(tag)
    if chosen is None or kind not in list(Kind):
        raise NotFound()
    document = form.read(fields, Kind(kind))
    if dict(fields).get("do") == "save":
        made = await db.write(actions.make, chosen, document, by=staff, now=now)
        return see(f"/machines/rules/{made.id}")
    shown = await db.read(_editor, staff, None, chosen, document, fields, now=now)
    return page(request, "machines/rule_edit.html", **shown)


@get("/machines/rules/{rule_id:uuid}")
async def rule_page(
    request: AnyRequest, rule_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now
) -> Response[Any]:
    return page(request, "machines/rule.html", **await db.read(_one, engineer, rule_id, now=now))


@get("/machines/rules/{rule_id:uuid}/edit")
async def edit_page(
    request: AnyRequest, rule_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now
) -> Response[Any]:
    shown = await db.read(_editor, engineer, rule_id, None, None, None, now=now)
    return page(request, "machines/rule_edit.html", **shown)


@post("/machines/rules/{rule_id:uuid}/edit", status_code=200)
async def change_rule(
    request: AnyRequest, rule_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now
) -> Response[Any]:
    """One button of the editor. Only `save` writes."""
    fields = await sent(request)
    before = await db.read(_document, rule_id)
    document = form.read(fields, before.kind, before)
    if dict(fields).get("do") == "save":
        base = dict(fields).get("base", "")
        number = int(base) if base.isdecimal() and len(base) < 9 else None
        await db.write(actions.change, rule_id, document, base=number, by=engineer, now=now)
        return see(f"/machines/rules/{rule_id}")
    shown = await db.read(_editor, engineer, rule_id, None, document, fields, now=now)
    return page(request, "machines/rule_edit.html", **shown)


@post("/machines/rules/{rule_id:uuid}/switch", status_code=303)
async def switch_rule(
    rule_id: FromPath[UUID], data: URLEncodedBody[SwitchForm], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    await db.write(actions.switch, rule_id, on=data.on == "yes", by=staff, now=now)
    return see(f"/machines/rules/{rule_id}")


@post("/machines/rules/{rule_id:uuid}/reset", status_code=303)
async def reset_rule(rule_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    await db.write(actions.reset, rule_id, by=staff, now=now)
    return see(f"/machines/rules/{rule_id}")


@get("/machines/rules/{rule_id:uuid}/versions")
async def versions_page(
    request: AnyRequest, rule_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now
) -> Response[Any]:
    return page(request, "machines/rule_versions.html", **await db.read(_versions, engineer, rule_id, now=now))


@post("/machines/rules/{rule_id:uuid}/versions/{number:int}", status_code=303)
async def take_version(rule_id: FromPath[UUID], number: FromPath[int], staff: Staff, db: Db, now: Now) -> Response[Any]:
    await db.write(actions.take_again, rule_id, number, by=staff, now=now)
    return see(f"/machines/rules/{rule_id}/versions")


def _list(
    session: Session, viewer: Person, source_id: UUID | None, station_id: UUID | None, *, now: datetime
) -> dict[str, Any]:
    found = queries.listed(session, source_id=source_id, station_id=station_id, now=now)
    known = queries.dictionary(session)
    by_station: dict[UUID, tuple[Station, list[dict[str, Any]]]] = {}
    for one in found:
        by_station.setdefault(one.station.id, (one.station, []))[1].append(told(one, known, now))
    for _, rules in by_station.values():
        rules.sort(key=lambda one: list(STANDING).index(one["standing"]))  # what needs somebody comes first
    return {
        "groups": list(by_station.values()),
        "places": queries.places(session),
        "source": source_id,
        "station": station_id,
        "hidden": len(shelving.shelved(session, now=now)),
        "more": len(found) >= queries.MOST,
        "standing": STANDING,
        "may_change": shelving.may_change(viewer),
    }


def told(one: queries.Listed, known: Dictionary, now: datetime) -> dict[str, Any]:
    document = _readable(one.rule)
    said = sentence(document, one.tag.names, one.tag.unit, known) if document else one.rule.kind
    return {"row": one, "said": said, "standing": one.standing(now=now), "severity": one.rule.severity}


def _readable(row: AlarmRule) -> RuleDocument | None:
    """What a row says; None when it was written by something else and cannot be read."""
    try:
        return RuleDocument.of(row)
    except ValidationError:
        return None


def _one(session: Session, viewer: Person, rule_id: UUID, *, now: datetime) -> dict[str, Any]:
    one = queries.one(session, rule_id, now=now)
    known = queries.dictionary(session, one.tag.source_id)
    return told(one, known, now) | {
        "document": _readable(one.rule) or RuleDocument(kind=one.rule.kind, enabled=one.rule.enabled),
        "shelves": queries.ended_shelves(session, rule_id),
        "withheld": queries.withheld(session, rule_id),
        "versions": len(queries.versions(session, rule_id)),
        "states": STANDING,
        "minutes": MINUTES,
        "shelf_words": SHELF_WORDS,
        "may_change": shelving.may_change(viewer),
    }


def _document(session: Session, rule_id: UUID) -> RuleDocument:
    row = session.get(AlarmRule, rule_id)
    if row is None:
        raise NotFound()
    return _readable(row) or RuleDocument(kind=row.kind, enabled=row.enabled)


def _choices(session: Session, tag_id: UUID | None) -> dict[str, Any]:
    found = queries.all_tags(session)
    chosen = next((one for one in found if one[0].id == tag_id), None)
    by_station: dict[UUID, tuple[Station, list[Tag]]] = {}
    for tag, station in found:
        by_station.setdefault(station.id, (station, []))[1].append(tag)
    return {"chosen": chosen, "groups": list(by_station.values())}


def _editor(
    session: Session,
    viewer: Person,
    rule_id: UUID | None,
    tag_id: UUID | None,
    document: RuleDocument | None,
    fields: form.Fields | None,
    *,
    now: datetime,
) -> dict[str, Any]:
    """The form; with `fields`, also what is wrong with it."""
    row = AlarmRule(tag_id=tag_id, kind=Kind.HIGH) if tag_id else session.get(AlarmRule, rule_id)
    tag = session.get(Tag, row.tag_id) if row else None
    if row is None or tag is None:
        raise NotFound()
    document = document or _document(session, row.id)
    known, last = queries.dictionary(session, tag.source_id), queries.versions(session, row.id)
    beside = [other for other in actions.neighbours(session, row) if other.enabled]
    wrong = problems(document, beside, Range(tag.eu_low, tag.eu_high))
    given = dict(fields or ())
    return {
        "rule_id": rule_id,
        "tag": tag,
        "document": document,
        "shown": form.values(document),
        "base": given.get("base") or (last[0].number if last else 0),
        "checked": fields is not None,
        "said": "" if wrong else sentence(document, tag.names, tag.unit, known),
        "problems": _sentences(wrong),
        "hints": _sentences([] if wrong else hints(document, beside)),
        "may_change": shelving.may_change(viewer),
        "kind_words": KINDS,
        "compared": COMPARED,
        "tags": queries.tags(session, tag.source_id),
        "shifts": known.shifts,
        "categories": known.categories,
    }


def _versions(session: Session, viewer: Person, rule_id: UUID, *, now: datetime) -> dict[str, Any]:
    one = queries.one(session, rule_id, now=now)
    known = queries.dictionary(session, one.tag.source_id)
    told = []
    for version in queries.versions(session, rule_id):
        document = RuleDocument.model_validate(version.document)
        told.append((version, document, sentence(document, one.tag.names, one.tag.unit, known)))
    return {"row": one, "versions": told, "may_change": shelving.may_change(viewer)}


def _sentences(remarks: list[Remark]) -> list[str]:
    return [put(remark.message, remark.details) for remark in remarks]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound() from None


handlers = [
    rules_page, new_page, make_rule, rule_page, edit_page, change_rule, switch_rule, reset_rule, versions_page,
    take_version,
]  # fmt: skip
