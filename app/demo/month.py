"""A month of believable history: when and where, by the rhythm of the plant; then written at once."""

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
from app.demo import course
from app.demo.plant import PLACES
from app.demo.signals import Signals, Trouble
from app.demo.tale import Tale
from app.flows.answers import severity
from app.machines.actions import save_states
from app.resolve.models import Resolution

DAYS = 31
A_DAY = 19.0  # troubles on a full working day
QUIET = timedelta(minutes=100)  # before now: what happened then is told elsewhere
WEEK = (1.0, 1.0, 1.0, 1.0, 0.95, 0.7, 0.35)  # Monday first
HOURS = (3, 3, 3, 2, 2, 3, 7, 9, 10, 10, 9, 6, 5, 8, 10, 10, 9, 8, 6, 5, 5, 4, 5, 4)
BOTH = 0.35  # of what a machine says, a person says the same a little later
COMES_BACK = 0.12  # what has been repaired is seldom the next thing to break
ALARM_COMES_BACK = 0.4  # alarms do
TRIES = 6  # what else it could be at that station
PICTURED = ("quality", "machine", "material", "safety")


@dataclass(slots=True)
class _Month:
    """`owners`: whose a fingerprint is; `ended`: which anomaly had it before and was closed."""

    signals: Signals
    chance: random.Random
    photos: Sequence[Stored]
    tales: list[Tale] = field(default_factory=list)
    owners: dict[str, Tale] = field(default_factory=dict)
    ended: dict[str, UUID] = field(default_factory=dict)


def live_through(session: Session, signals: Signals, *, photos: Sequence[Stored], chance: random.Random) -> None:
    """Write the month before `signals.now`, come to its end."""
    month = _Month(signals, chance, photos)
    for at in _moments(month):
        number = chance.choices(range(1, len(PLACES) + 1), [place.share for place in PLACES])[0]
        for _ in range(TRIES):
            trouble = signals.trouble(number, at)
            tale = _owner(month, trouble)
            if tale is None or _comes_back(month, trouble, tale):
                _happens(month, trouble, tale)
                break
    for tale in month.tales:
        _end_watch(month, tale, until=signals.now)
    _write(session, month)


def _moments(month: _Month) -> Iterator[datetime]:
    """When something goes wrong: by hour and weekday of the plant."""
    busiest, signals = max(HOURS), month.signals
    rate = A_DAY * busiest / sum(HOURS)  # an hour, at the busiest; quieter hours skip some
    at = signals.now - timedelta(days=DAYS)
    while (at := at + timedelta(hours=month.chance.expovariate(rate))) < signals.now - QUIET:
        local = signals.world.local(at)
        if month.chance.random() < HOURS[local.hour] / busiest * WEEK[local.weekday()]:
            yield at


def _owner(month: _Month, trouble: Trouble) -> Tale | None:
    """Whose signal it would have been at that moment: one that is watched, or being repaired."""
    fingerprint = trouble.seen.fingerprint
    if tale := month.owners.get(fingerprint):
        _end_watch(month, tale, until=trouble.at)
    return month.owners.get(fingerprint)


def _comes_back(month: _Month, trouble: Trouble, tale: Tale) -> bool:
    """Whether what is being watched may be what happens now; not while it is still being repaired."""
    if tale.row["clock_from"] > trouble.at:
        return False
    heard = {signal["rule_id"] for signal in tale.signals}
    if month.signals.must_rest(trouble.number, heard, trouble.at):
        return False
    return month.chance.random() < (ALARM_COMES_BACK if trouble.edge else COMES_BACK)


def _happens(month: _Month, trouble: Trouble, tale: Tale | None) -> None:
    """Tell one trouble to its end, unless that would reach into the present. `tale`: what comes back with it."""
    chance, seen, at = month.chance, trouble.seen, trouble.at
    level = seen.severity or severity(trouble.flow, line_stopped=seen.line_stopped, danger=seen.danger)
    way = course.draw(tale.row["severity"] if tale else level, chance)
    if at + way.length > month.signals.now - QUIET:
        return
    if tale is None:
        tale = Tale(month.signals.world, seen, at=at, chance=chance)
        tale.row["previous_id"] = month.ended.pop(seen.fingerprint, None)
        month.tales.append(tale)
        month.owners[seen.fingerprint] = tale
    else:
        tale.hear(seen, at=at)
        tale.move(Action.RECUR, at=at, changes={"owner_id": None})
    normal = None
    if trouble.edge:
        month.signals.made_known(trouble.edge)
        normal = partial(month.signals.back_to_normal, trouble.edge.alarm)
    else:
        _maybe_photo(month, tale, at)
    if way.end != course.End.RECALLED:
        _others_say_so(month, tale, trouble, within=way.accept)
    proof = month.photos and trouble.flow.photo_after and chance.random() < 0.3
    course.tell(tale, way, chance, normal=normal, photo=chance.choice(month.photos) if proof else None)
    if tale.status == Status.CANCELLED:
        _forget(month, tale)


def _others_say_so(month: _Month, tale: Tale, trouble: Trouble, *, within: timedelta) -> None:
    """A person says what a machine has said; others say "me too"; all before somebody has accepted."""
    chance, signals = month.chance, month.signals
    first, *later = [trouble.at + within * part for part in sorted(chance.uniform(0.1, 0.9) for _ in range(4))]
    if trouble.edge and chance.random() < BOTH:
        report = signals.report(trouble.number, trouble.flow, first, answers=False)
        if report.fingerprint not in month.owners:
            month.owners[report.fingerprint] = tale
            tale.hear(report, at=first)
            _maybe_photo(month, tale, first)
    for at in later:
        if chance.random() < 0.12:
            tale.hear(signals.me_too(trouble.number, tale.id, at), at=at)


def _maybe_photo(month: _Month, tale: Tale, at: datetime) -> None:
    if month.photos and tale.row["category"] in PICTURED and month.chance.random() < 0.2:
        tale.show(month.chance.choice(month.photos), at=at + timedelta(seconds=6))


def _end_watch(month: _Month, tale: Tale, *, until: datetime) -> None:
    if (closes_at := tale.closes_at) and closes_at <= until:
        tale.move(Action.CLOSE, at=closes_at)
        month.ended |= {signal["fingerprint"]: tale.id for signal in tale.signals}
        _forget(month, tale)


def _forget(month: _Month, tale: Tale) -> None:
    month.owners = {key: owner for key, owner in month.owners.items() if owner is not tale}


def _write(session: Session, month: _Month) -> None:
    tales = sorted(month.tales, key=lambda tale: tale.row["received_at"])
    numbers = draw_numbers(session.connection(), len(tales))
    for tale in tales:
        tale.row["number"] = next(numbers)
    tables: list[tuple[Any, list[dict[str, Any]]]] = [
        (Anomaly, [tale.row for tale in tales]),
        (Fingerprint, [{"key": key, "anomaly_id": tale.id} for key, tale in month.owners.items()]),
        (Occurrence, [row for tale in tales for row in tale.signals]),
        (Attachment, [row for tale in tales for row in tale.files]),
        (Resolution, [row for tale in tales for row in tale.resolutions]),
    ]
    for table, rows in tables:
        if rows:
            session.connection().execute(insert(table.__table__), rows)
    events: list[dict[str, Any]] = [row for tale in tales for row in tale.events]
    write_events(session, sorted(events, key=_moment))
    save_states(session, list(month.signals.edges.values()))


def _moment(event: dict[str, Any]) -> datetime:
    at: datetime = event["at"]
    return at
