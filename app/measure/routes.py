"""HTTP for alarm health: how it stands, the ten worst, what would help each, and trying a rule on the past.

Longer than most files because all of it is one screen and its parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from sqlmodel import Session

from app.kit.errors import BadInput
from app.kit.http import AnyRequest, Db, Form, Now, check_text, page, see, wants_fragment
from app.machines.proposals import Numbers
from app.machines.routes import Engineer
from app.machines.rule_form import read
from app.machines.rules import Kind
from app.machines.shelving import may_change
from app.measure import actions, queries, words
from app.measure.health import PERIOD, WORST, Key, Load, Row, figures, load, share, spark, totals
from app.measure.queries import About
from app.people.models import Person


@dataclass(frozen=True, slots=True)
class Bad:
    """One of the ten worst alarms."""

    rule_id: UUID | None
    title: str
    about: About
    words: str
    bars: list[int]


class NumbersForm(Form):
    deadband: float
    on_delay: float
    off_delay: float
    was_deadband: float
    was_on_delay: float
    was_off_delay: float


@get("/alarms")
async def alarms_page(
    request: AnyRequest, engineer: Engineer, db: Db, now: Now, source: FromQuery[str] = ""
) -> Response[Any]:
    shown = await db.read(_health, source, now=now)
    return page(request, "measure/page.html", **shown, verdicts=words.VERDICTS, tones=words.TONES, signs=words.SIGNS)


@get("/alarms/{rule_id:uuid}")
async def alarm_page(
    request: AnyRequest, rule_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now
) -> Response[Any]:
    """What would help one alarm: a part of the list, or a page of its own where there is no script."""
    shown = await db.read(_tuned, rule_id, engineer, now=now)
    return page(request, "measure/_proposal.html" if wants_fragment(request) else "measure/alarm.html", **shown)


@post("/alarms/{rule_id:uuid}/tuning", status_code=200)
async def tune(
    request: AnyRequest,
    rule_id: FromPath[UUID],
    data: URLEncodedBody[NumbersForm],
    engineer: Engineer,
    db: Db,
    now: Now,
) -> Response[Any]:
    to = Numbers(data.deadband, data.on_delay, data.off_delay)
    base = Numbers(data.was_deadband, data.was_on_delay, data.was_off_delay)
    await db.write(actions.apply, rule_id, to, base=base, by=engineer, now=now)
    return await _after(request, rule_id, engineer, db, now)


@post("/alarms/{rule_id:uuid}/tuning/end", status_code=200)
async def take_back(
    request: AnyRequest, rule_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now
) -> Response[Any]:
    await db.write(actions.take_back, rule_id, by=engineer, now=now)
    return await _after(request, rule_id, engineer, db, now)


@get("/alarms/back-test")
async def back_test(request: AnyRequest, engineer: Engineer, db: Db, now: Now, tag: FromQuery[UUID]) -> Response[Any]:
    """What a rule that is being written would have done: the fields are those of the rule's form. Stores nothing."""
    fields = [(str(name), str(value)) for name, value in request.query_params.multi_items()]
    for _, value in fields:
        check_text(value)
    kind = dict(fields).get("kind", "")
    if kind not in list(Kind):
        raise BadInput()
    rule = read(fields, Kind(kind)).rule(tag)
    tested = await db.read(queries.tested, rule, tag, now=now)
    return page(request, "measure/_back_test.html", told=words.tested(tested) if tested else "")


async def _after(request: AnyRequest, rule_id: UUID, viewer: Person, db: Any, now: datetime) -> Response[Any]:
    if not wants_fragment(request):
        return see(f"/alarms/{rule_id}")
    return page(request, "measure/_proposal.html", **await db.read(_tuned, rule_id, viewer, now=now))


def _health(session: Session, source: str, *, now: datetime) -> dict[str, Any]:
    since, until = queries.window(session, now=now)
    rows = queries.rows(session, since=since, until=until)
    behaviour = queries.behaviour(session, since=since, until=until)
    standing = queries.stale(session, now=now)
    known = queries.about(session, {row.key for row in rows} | set(standing))
    per_source = _per_source(rows, known, since=since, until=until)
    if source:
        here = {key for key, one in known.items() if str(one.source_id) == source}
        rows = [row for row in rows if row.key in here]
        behaviour = {key: one for key, one in behaviour.items() if key in here}
        standing = [key for key in standing if key in here]
    split = queries.split(rows, known)
    found = figures(rows, behaviour, split, stale=len(standing), since=since, until=until)
    each = totals(rows)
    total = sum(count for _, count in each)
    worst = [(key, count) for key, count in each if key in known][:WORST]
    told = {key for key, _ in worst} | {key for key in standing if key in known}
    speak = queries.dictionary(session, [one.rule for key in told if (one := known[key]).rule])
    return {
        "since": since,
        "total": total,
        "figures": found,
        "overall": words.overall(found),
        "split": [(severity, share(split.get(severity, 0), sum(split.values()))) for severity in (1, 2, 3, 4)],
        "worst": [
            Bad(
                key if known[key].rule else None,
                words.title(known[key], speak),
                known[key],
                words.worst(count, total, behaviour.get(key)),
                spark((row for row in rows if row.key == key), since=since, until=until),
            )
            for key, count in worst
        ],
        "stale": [(words.title(known[key], speak), known[key]) for key in standing if key in known][:WORST],
        "per_source": per_source,
        "per_responder": _per_responder(queries.calls(session, since=since), since=since, until=until),
        "source": source,
        "words": words,
    }


def _per_source(
    rows: Sequence[Row], known: Mapping[Key, About], *, since: datetime, until: datetime
) -> list[tuple[str, str, Load]]:
    """Return each source with its alarms, the busiest first."""
    periods: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in rows:
        if one := known.get(row.key):
            periods.setdefault((str(one.source_id), one.source), []).append((row.period, row.alarms))
    found = [(*source, load(counted, since=since, until=until)) for source, counted in periods.items()]
    return sorted(found, key=lambda one: (-one[2].alarms, one[1]))


def _per_responder(
    calls: Sequence[tuple[str, datetime]], *, since: datetime, until: datetime
) -> list[tuple[str, Load]]:
    """Return whose phones rang because of machines, the busiest first."""
    periods: dict[str, list[tuple[int, int]]] = {}
    for name, at in calls:
        periods.setdefault(name, []).append((int(at.timestamp() // PERIOD.total_seconds()), 1))
    found = [(name, load(counted, since=since, until=until)) for name, counted in periods.items()]
    return sorted(found, key=lambda one: (-one[1].alarms, one[0]))[:WORST]


def _tuned(session: Session, rule_id: UUID, viewer: Person, *, now: datetime) -> dict[str, Any]:
    found = queries.tuned(session, rule_id, now=now)
    speak = queries.dictionary(session, [found.rule])
    tuning, proposal = found.tuning, found.proposal
    was = tuning and Numbers(tuning.was_deadband, tuning.was_on_delay_s, tuning.was_off_delay_s)
    to = tuning and Numbers(tuning.deadband, tuning.on_delay_s, tuning.off_delay_s)
    return {
        "rule": found.rule,
        "title": words.title(found.about, speak),
        "about": found.about,
        "tuning": tuning,
        "changed": words.changed(was, to, found.about.unit) if was and to else "",
        "proposal": proposal,
        "proposed": words.proposed(found.rule, proposal, found.about.unit) if proposal else "",
        "outcome": words.outcome(proposal) if proposal else [],
        "kept": found.kept,
        "may_change": may_change(viewer),
    }


handlers = [alarms_page, alarm_page, tune, take_back, back_test]
