"""A month of believable history: when, where and what, by the rhythm of the plant; then written at once."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session

from app.anomaly.actions import draw_numbers, write_events
from app.anomaly.lifecycle import Action, Status
from app.anomaly.models import Anomaly, Attachment, Fingerprint, Occurrence
from app.capture.actions import Stored
from app.capture.observation import Kind, Observation
from app.capture.sources import alarms
from app.demo import course, phrases
from app.demo.plant import PLACES
from app.demo.tale import PERSON, Tale, id_of
from app.demo.world import World
from app.flows.answers import severity
from app.flows.document import FlowDocument
from app.machines.actions import save_states
from app.machines.demo import DEMO_TAGS, culprit
from app.machines.rules import Kind as RuleKind
from app.machines.rules import Quality, Sample, Transition
from app.machines.watch import Alarm, Edge
from app.resolve.models import Resolution

DAYS = 31
A_DAY = 16.0  # troubles on a full working day
QUIET = timedelta(hours=2)  # before now: what is open now is told elsewhere
WEEK = (1.0, 1.0, 1.0, 1.0, 0.95, 0.7, 0.35)  # Monday first
HOURS = (3, 3, 3, 2, 2, 3, 7, 9, 10, 10, 9, 6, 5, 8, 10, 10, 9, 8, 6, 5, 5, 4, 5, 4)
MACHINE_SHARE = 0.6  # of troubles a machine could tell itself, it does
BOTH = 0.35  # and then a person may say the same a little later
COMES_BACK = 0.12  # what has been repaired is seldom the next thing to break:
TRIES = 6  # rather, it is something else at that station
PICTURED = ("quality", "machine", "material", "safety")
FRESH = timedelta(days=16)
"""What `misbehave` brings up has not been for so long: it opens a new anomaly, not one that is still being watched."""

_FRESH_TAGS = {culprit(number + 1).node for number in range(len(PLACES))}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something goes wrong at a station: a machine says so (`edge`), or a person."""

    at: datetime
    number: int
    flow: FlowDocument
    seen: Observation
    edge: Edge | None = None


@dataclass(slots=True)
class _Month:
    world: World
    chance: random.Random
    photos: Sequence[Stored]
    tags: dict[UUID, str]
    now: datetime
    tales: list[Tale] = field(default_factory=list)
    owners: dict[str, Tale] = field(default_factory=dict)
    ended: dict[str, UUID] = field(default_factory=dict)
    edges: dict[UUID, Edge] = field(default_factory=dict)


def live_through(
    session: Session, world: World, tags: dict[UUID, str], *, photos: Sequence[Stored], chance: random.Random, now: datetime
) -> None:
    """Write a month before `now` that has come to its end. `tags`: the node of each tag."""
    month = _Month(world, chance, photos, tags, now)
    for at in _moments(month):
        number = chance.choices(range(1, len(PLACES) + 1), [place.share for place in PLACES])[0]
        for _ in range(TRIES):
            trouble = _trouble(month, number, at)
            tale = _owner(month, trouble.seen.fingerprint, at=at)
            if tale is None or (tale.row["clock_from"] < at and chance.random() < COMES_BACK):
                _happens(month, trouble, tale)
                break
    for tale in month.tales:
        _end_watch(month, tale, until=now)
    _write(session, month)


def _moments(month: _Month) -> Iterator[datetime]:
    """When something goes wrong: by hour and weekday of the plant."""
    busiest = max(HOURS)
    rate = A_DAY * busiest / sum(HOURS)  # an hour, at the busiest; quieter hours skip some
    at = month.now - timedelta(days=DAYS)
    while (at := at + timedelta(hours=month.chance.expovariate(rate))) < month.now - QUIET:
        local = month.world.local(at)
        if month.chance.random() < HOURS[local.hour] / busiest * WEEK[local.weekday()]:
            yield at


def _trouble(month: _Month, number: int, at: datetime) -> Trouble:
    chance = month.chance
    troubles = PLACES[number - 1].troubles
    category = chance.choices(list(troubles), list(troubles.values()))[0]
    _, flow = month.world.flows[category]
    known = [a for a in month.world.alarms[number] if a.category == category and not _must_be_fresh(month, a, at)]
    if known and chance.random() < MACHINE_SHARE:
        edge = _edge(month, chance.choice(known), at, active=True)
        return Trouble(at, number, flow, alarms.observation(edge), edge)
    return Trouble(at, number, flow, _report(month, number, flow, at))


def _must_be_fresh(month: _Month, alarm: Alarm, at: datetime) -> bool:
    return month.tags[alarm.tag_id] in _FRESH_TAGS and at > month.now - FRESH


def _happens(month: _Month, trouble: Trouble, tale: Tale | None) -> None:
    """Tell one trouble to its end, unless that would reach into the present. `tale`: what comes back with it."""
    chance, seen, at = month.chance, trouble.seen, trouble.at
    first = seen.severity or severity(trouble.flow, line_stopped=seen.line_stopped, danger=seen.danger)
    way = course.draw(tale.row["severity"] if tale else first, chance)
    if at + way.length > month.now - QUIET / 3:
        return
    if tale is None:
        tale = Tale(month.world, seen, at=at, chance=chance)
        tale.row["previous_id"] = month.ended.pop(seen.fingerprint, None)
        month.tales.append(tale)
        month.owners[seen.fingerprint] = tale
    else:
        tale.hear(seen, at=at)
        tale.move(Action.RECUR, at=at, changes={"owner_id": None})
    alarm = trouble.edge.alarm if trouble.edge else None
    if trouble.edge:
        month.edges[trouble.edge.alarm.rule.id] = trouble.edge
    else:
        _maybe_photo(month, tale, at)
    if way.end != course.End.RECALLED:
        _others_say_so(month, tale, trouble, within=way.accept)
    normal = partial(_back_to_normal, month, alarm) if alarm else None
    proof = month.photos and trouble.flow.photo_after and chance.random() < 0.3
    course.tell(tale, way, chance, normal=normal, photo=chance.choice(month.photos) if proof else None)
    if tale.status == Status.CANCELLED:
        _forget(month, tale)


def _owner(month: _Month, fingerprint: str, *, at: datetime) -> Tale | None:
    """Whose signal it would have been at that moment: one that is watched, or being repaired."""
    if tale := month.owners.get(fingerprint):
        _end_watch(month, tale, until=at)
    return month.owners.get(fingerprint)


def _others_say_so(month: _Month, tale: Tale, trouble: Trouble, *, within: timedelta) -> None:
    """A person says what a machine has said; others say "me too"; all before somebody has accepted."""
    chance, station = month.chance, month.world.stations[trouble.number]
    first, *later = [trouble.at + within * part for part in sorted(chance.uniform(0.1, 0.9) for _ in range(4))]
    if trouble.edge and chance.random() < BOTH:
        report = _report(month, trouble.number, trouble.flow, first, answers=False)
        if report.fingerprint not in month.owners:
            month.owners[report.fingerprint] = tale
            tale.hear(report, at=first)
            _maybe_photo(month, tale, first)
    for at in later:
        if chance.random() < 0.12:
            tale.hear(Observation(id_of(at), Kind.ME_TOO, "phone", station.id, "", at, anomaly_id=tale.id), at=at)


def _report(month: _Month, number: int, flow: FlowDocument, at: datetime, *, answers: bool = True) -> Observation:
    chance = month.chance
    symptom = chance.choices(flow.symptoms, [1 / (place + 1) for place in range(len(flow.symptoms))])[0].key
    answered = answers and chance.random() < 0.6
    known = chance.random() < 0.25
    return Observation(
        key=id_of(at),
        kind=Kind.REPORT,
        source="phone",
        station_id=month.world.stations[number].id,
        category=flow.category,
        occurred_at=at,
        what=symptom,
        message=phrases.SAID.get((flow.category, symptom), "") if chance.random() < 0.6 else "",
        line_stopped=chance.random() < 0.15 if answered else None,
        danger=chance.random() < 0.04 if answered else None,
        reporter_id=month.world.people["Li Wei"].id if known else None,
        captured_at=at,
        details={"symptom": symptom},
    )


def _edge(month: _Month, alarm: Alarm, at: datetime, *, active: bool) -> Edge:
    """What the watcher would have found. Edges of a rule are numbered on, so that the next live one has its own."""
    rule, before = alarm.rule, month.edges.get(alarm.rule.id)
    tag = next(tag for tag in DEMO_TAGS if tag.node == month.tags[alarm.tag_id])
    value: object = tag.normal
    if active and rule.kind in (RuleKind.HIGH, RuleKind.LOW):
        away = month.chance.uniform(0.01, 0.12)
        value = round((rule.setpoint or 0) * (1 + away if rule.kind == RuleKind.HIGH else 1 - away), 1)
    elif active:
        value = rule.active_when
    began = at - timedelta(seconds=rule.on_delay if active else rule.off_delay)
    number = before.transition.number + 1 if before else 1
    return Edge(alarm, Transition(active, began, at, number, Sample(value, Quality.GOOD, began)))


def _back_to_normal(month: _Month, alarm: Alarm, at: datetime) -> Observation:
    edge = month.edges[alarm.rule.id] = _edge(month, alarm, at, active=False)
    return alarms.observation(edge)


def _maybe_photo(month: _Month, tale: Tale, at: datetime) -> None:
    if month.photos and tale.row["category"] in PICTURED and month.chance.random() < 0.2:
        tale.show(month.chance.choice(month.photos), at=at + timedelta(seconds=6))


def _end_watch(month: _Month, tale: Tale, *, until: datetime) -> None:
    if (closes_at := tale.closes_at) and closes_at <= until:
        tale.move(Action.CLOSE, at=closes_at)
        for signal in tale.signals:
            month.ended[signal["fingerprint"]] = tale.id
        _forget(month, tale)


def _forget(month: _Month, tale: Tale) -> None:
    month.owners = {key: owner for key, owner in month.owners.items() if owner is not tale}


def _write(session: Session, month: _Month) -> None:
    tales = sorted(month.tales, key=lambda tale: tale.row["received_at"])
    numbers = draw_numbers(session.connection(), len(tales))
    for tale in tales:
        tale.row["number"] = next(numbers)
    signals = [row for tale in tales for row in tale.signals]
    prints = [{"key": key, "anomaly_id": tale.id} for key, tale in month.owners.items()]
    tables: list[tuple[Any, list[dict[str, Any]]]] = [
        (Anomaly, [tale.row for tale in tales]),
        (Fingerprint, prints),
        (Occurrence, signals),
        (Attachment, [row for tale in tales for row in tale.files]),
        (Resolution, [row for tale in tales for row in tale.resolutions]),
    ]
    for table, rows in tables:
        if rows:
            session.connection().execute(insert(table.__table__), rows)
    events = [row for tale in tales for row in tale.events]
    write_events(session, sorted(events, key=lambda row: row["at"]))
    save_states(session, list(month.edges.values()))
