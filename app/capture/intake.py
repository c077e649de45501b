"""The one door. Everything that was seen, by whomever, comes through `receive`, many at a time.

Longer than most files because it is one thought: same key, same answer; same fingerprint while open, one more
occurrence; a person's report and a machine's alarm of one station close together, one anomaly; else a new one. All rows
are written by a handful of statements for the whole batch, because this is where a flood arrives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, case, delete, func, literal_column, select, update
from sqlmodel import Session

from app.anomaly import actions as anomalies
from app.anomaly.lifecycle import OPEN, Action, Status
from app.anomaly.models import Anomaly, Fingerprint, Occurrence
from app.anomaly.queries import graded_by_hand
from app.capture.ground import Place, ground
from app.capture.observation import Kind, Observation
from app.flows import queries as flows
from app.flows.answers import severity
from app.kit.db import Overtaken, at_commit
from app.kit.direct import Direct, among
from app.kit.errors import N_, DomainError
from app.kit.ids import new_id
from app.kit.many import insert_together, update_many
from app.rosters.shifts import shift_at

MACHINE = "machine"
PERSON = "person"
AFRESH: dict[str, Any] = dict.fromkeys(
    ("owner_id", "accepted_at", "arrived_at", "contained_at", "resolved_at", "verified_at", "ended_at")
)
FIXED: dict[Status, tuple[Action, dict[str, Any]]] = {
    Status.RESOLVED: (Action.SEND_BACK, {"resolved_at": None}),
    Status.WATCHING: (Action.RECUR, AFRESH),
    Status.CLOSED: (Action.RECUR, AFRESH),
}
"""What is seen again after somebody said that it was fixed: back to who said so, or a call to everybody."""
SAME_TROUBLE = timedelta(hours=12)  # for a tap after the check; for alarms the flow decides
FLOOD = 10  # alarms of one station within the merge window: more is a flood (ISA-18.2: ten in ten minutes)


class UnknownStation(DomainError):
    code = "capture.unknown_station"
    message = N_(
        "This station code is not known here. Nothing was sent. Check the label or pick the station from the list."
    )
    status = 404


class UnknownCategory(DomainError):
    code = "capture.unknown_category"
    message = N_(
        "This kind of problem is not known here. Nothing was sent. Open the station page again and tap a tile."
    )
    status = 400


class UnknownAnomaly(DomainError):
    code = "capture.unknown_anomaly"
    message = N_("This problem is closed meanwhile. Nothing was sent. If it is back, tap a tile and report it again.")
    status = 409


class KeyReused(DomainError):
    code = "capture.key_reused"
    message = N_(
        "A different report was sent under the same number; the first one is safe. "
        "Open the station page and report again."
    )


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one observation. `fresh` False: it was known already; `opened`: it began a new anomaly."""

    key: UUID
    anomaly_id: UUID | None
    fresh: bool
    opened: bool


@dataclass(slots=True)
class _Open:
    """An anomaly in the batch's eyes: one that is open in the database, or one this batch opens."""

    id: UUID
    status: Status
    severity: int
    category: str
    station_id: UUID
    origin: str
    received_at: datetime
    flow_version_id: UUID
    verified_at: datetime | None
    ended_at: datetime | None
    occurrences: int = 0
    me_too: int = 0
    alarms: int = 0
    alarms_active: int = 0
    worse: int | None = None
    stopped: bool | None = None
    danger: bool | None = None
    seen_at: datetime | None = None
    is_new: bool = False

    @property
    def answered(self) -> dict[str, bool]:
        """What a later report has said "yes" to. A "no" takes nobody's "yes" back."""
        return {name: True for name, yes in (("line_stopped", self.stopped), ("danger", self.danger)) if yes}


def receive(session: Session, observations: Sequence[Observation], *, now: datetime) -> list[Received | DomainError]:
    """Take in a batch: one answer for each observation, in their order, a refusal where one cannot be taken.

    Anomaly, occurrence, fingerprint and event are written in the caller's transaction: all of them or none.
    """
    return _Batch(session, observations, now).run()


class _Batch:
    def __init__(self, session: Session, observations: Sequence[Observation], now: datetime) -> None:
        self.session = session
        self.connection = session.connection()
        self.observations = observations
        self.now = now
        self.occurrences: list[dict[str, Any]] = []
        self.anomalies: list[dict[str, Any]] = []
        self.fingerprints: list[dict[str, Any]] = []
        self.events: list[dict[str, object]] = []
        # What is the same for most of a batch is worked out once.
        self.clock = anomalies.clock_start(Status.REPORTED, now=now)
        self.locals: dict[tuple[UUID, datetime], tuple[date, int, UUID | None]] = {}

    def run(self) -> list[Received | DomainError]:
        self._look_up()
        answers = [self._take(observation) for observation in self.observations]
        self._write()
        return answers

    def _look_up(self) -> None:
        seen = self.observations
        known = _KNOWN.rows(self.connection, keys=[o.key for o in seen])
        self.known: dict[UUID, tuple[UUID, str]] = {key: (anomaly, digest) for key, anomaly, digest in known}
        owners = _OWNERS.rows(self.connection, prints=list({o.fingerprint for o in seen}))
        self.owner_of: dict[str, UUID] = dict(owners)

        self.open: dict[UUID, _Open] = {}
        if wanted := {*self.owner_of.values(), *(o.anomaly_id for o in seen if o.anomaly_id)}:
            for row in _BY_ID.rows(self.connection, ids=list(wanted)):
                self.open[row[0]] = _Open(*row)

        # An alarm that returns is the same trouble. A thumb on a tile says less: days after the check it is a new
        # anomaly that knows the old one, and so is whatever was closed long ago.
        tapped = {o.fingerprint for o in seen if o.kind == Kind.REPORT}
        self.before = {
            key: owner for key, owner in self.owner_of.items() if self._is_history(self.open[owner], key in tapped)
        }
        for key in self.before:
            del self.owner_of[key]

        # Only what may open something needs to know where it is and what surrounds it.
        new = [o for o in seen if o.fingerprint not in self.owner_of and o.key not in self.known and not o.anomaly_id]
        if new:
            self._look_around(new)

    def _is_history(self, anomaly: _Open, tapped: bool) -> bool:
        if tapped and anomaly.verified_at is not None:
            return self.now - anomaly.verified_at > SAME_TROUBLE
        if anomaly.status != Status.CLOSED or anomaly.ended_at is None:
            return False
        reopens = timedelta(days=flows.document(self.session, anomaly.flow_version_id).reopen_days)
        return self.now - anomaly.ended_at > reopens

    def _look_around(self, new: Sequence[Observation]) -> None:
        stations = {o.station_id for o in new}
        self.ground = ground(self.session, stations=stations, categories={o.category for o in new}, now=self.now)
        self.near: dict[tuple[UUID, str], list[_Open]] = {}
        self.alarms: dict[UUID, int] = {}
        since = self.now - self.ground.merge_window
        flooding, told = [], []
        if alarmed := list({o.station_id for o in new if o.kind == Kind.ALARM}):
            for station, alarms, last, reports in _COUNTS.rows(self.connection, stations=alarmed, since=since):
                self.alarms[station] = alarms
                flooding += [last] if alarms >= FLOOD else []
                told += [station] if reports else []
        self._load(_BY_NUMBER, numbers=flooding)
        self._load(_BY_PEOPLE, stations=told, since=since)
        self._load(_BY_MACHINES, stations=list({o.station_id for o in new if o.kind == Kind.REPORT}), since=since)

    def _load(self, statement: Direct, **values: Any) -> None:
        if all(values.values()):
            for row in statement.rows(self.connection, **values):
                self._see(self.open.get(row[0]) or _Open(*row))

    def _see(self, anomaly: _Open) -> None:
        self.open[anomaly.id] = anomaly
        self.near.setdefault((anomaly.station_id, anomaly.origin), []).append(anomaly)

    def _take(self, seen: Observation) -> Received | DomainError:
        digest = _digest(seen)
        if known := self.known.get(seen.key):
            anomaly_id, before = known
            return Received(seen.key, anomaly_id, False, False) if before == digest else KeyReused()

        anomaly, opened = self._belongs_to(seen), False
        if anomaly is None:
            if seen.kind in (Kind.RETURN_TO_NORMAL, Kind.CHANGE):
                return Received(seen.key, None, False, False)  # its anomaly has ended: nothing left to say
            if seen.kind == Kind.ME_TOO:
                return UnknownAnomaly()
            made = self._new(seen)
            if isinstance(made, DomainError):
                return made
            anomaly, opened = made, True

        self.known[seen.key] = anomaly.id, digest
        self._count(anomaly, seen)
        self._note(anomaly, seen, digest, opened=opened)
        return Received(seen.key, anomaly.id, True, opened)

    def _belongs_to(self, seen: Observation) -> _Open | None:
        if seen.anomaly_id:
            named = self.open.get(seen.anomaly_id)
            here = named is not None and named.station_id == seen.station_id
            return named if named and here and named.status not in (Status.CLOSED, Status.CANCELLED) else None
        if owner := self.owner_of.get(seen.fingerprint):
            return self.open[owner]
        if seen.kind not in (Kind.REPORT, Kind.ALARM):
            return None
        return self._same_event(seen)

    def _same_event(self, seen: Observation) -> _Open | None:
        """Return what it is one event with.

        A person and a machine that speak of one station within the merge window mean one event. And a station that
        raises one alarm after another is flooding: after the tenth they are one anomaly with a list.
        """
        if seen.category not in self.ground.flows or seen.practice:
            return None
        _, flow = self.ground.flows[seen.category]
        since = self.now - timedelta(minutes=flow.merge_minutes)
        akin = {seen.category, *flow.merge_with}
        here, alarm = seen.station_id, seen.kind == Kind.ALARM
        others = self.near.get((here, PERSON if alarm else MACHINE), ())
        found = next((other for other in others if other.category in akin and other.received_at >= since), None)
        if found is None and alarm and self.alarms.get(here, 0) >= FLOOD:
            found = self.near[here, MACHINE][-1]
        if found:
            self._claim(seen.fingerprint, found.id)
        return found

    def _new(self, seen: Observation) -> _Open | DomainError:
        place = self.ground.places.get(seen.station_id)
        if place is None or place.retired:
            return UnknownStation()
        if seen.category not in self.ground.flows:
            return UnknownCategory()
        version_id, flow = self.ground.flows[seen.category]
        level = seen.severity or severity(flow, line_stopped=seen.line_stopped, danger=seen.danger)
        anomaly = _Open(
            new_id(), Status.REPORTED, level, seen.category, seen.station_id, _origin(seen), self.now,
            version_id, None, None, is_new=True,
        )  # fmt: skip
        self._see(anomaly)
        if anomaly.origin == MACHINE:
            self.alarms[seen.station_id] = self.alarms.get(seen.station_id, 0) + 1
        self._claim(seen.fingerprint, anomaly.id)

        day, hour, shift_id = self._local(place, seen.occurred_at)
        self.anomalies.append(
            {
                "id": anomaly.id,
                "site_id": place.site_id,
                "line_id": place.line_id,
                "station_id": seen.station_id,
                "flow_version_id": anomaly.flow_version_id,
                "category": seen.category,
                "symptom": seen.what if anomaly.origin == PERSON else "",
                "message": seen.message,
                "said": seen.said,
                "origin": anomaly.origin,
                "status": Status.REPORTED,
                "in_queue": True,
                "practice": seen.practice,
                "team_id": self.ground.teams.get(flow.team),
                "occurred_at": seen.occurred_at,
                "received_at": self.now,
                "local_day": day,
                "local_hour": hour,
                "shift_id": shift_id,
                "round": 1,
                "hold_reason": "",
                "end_reason": "",
                "previous_id": self.before.get(seen.fingerprint),
                **self.clock,
            }
        )
        return anomaly

    def _local(self, place: Place, at: datetime) -> tuple[date, int, UUID | None]:
        """Return day, hour and shift of a moment, by the wall clock of its site."""
        key = place.site_id, at.replace(second=0, microsecond=0)  # shifts begin with a minute
        found = self.locals.get(key)
        if found is None:
            local = key[1].astimezone(place.zone)
            shift = shift_at(self.ground.shifts.get(place.site_id, ()), local)
            found = self.locals[key] = local.date(), local.hour, shift[0] if shift else None
        return found

    def _claim(self, fingerprint: str, anomaly_id: UUID) -> None:
        self.owner_of[fingerprint] = anomaly_id
        self.fingerprints.append({"key": fingerprint, "anomaly_id": anomaly_id})

    def _count(self, anomaly: _Open, seen: Observation) -> None:
        if seen.kind == Kind.RETURN_TO_NORMAL:
            anomaly.alarms_active -= 1
            return
        if seen.kind != Kind.CHANGE:
            anomaly.occurrences += 1
            anomaly.seen_at = max(seen.occurred_at, anomaly.seen_at or seen.occurred_at)
        if seen.kind == Kind.ALARM:
            anomaly.alarms += 1
            anomaly.alarms_active += "again" not in seen.details
        if seen.kind == Kind.ME_TOO:
            anomaly.me_too += 1
        anomaly.stopped = anomaly.stopped or seen.line_stopped
        anomaly.danger = anomaly.danger or seen.danger
        level = seen.severity or (1 if seen.line_stopped or seen.danger else None)
        if level and level < (anomaly.worse or anomaly.severity):
            anomaly.worse = level

    def _note(self, anomaly: _Open, seen: Observation, digest: str, *, opened: bool) -> None:
        self.occurrences.append(
            {
                "id": seen.key,
                "anomaly_id": anomaly.id,
                "station_id": seen.station_id,
                "kind": seen.kind,
                "source": seen.source,
                "fingerprint": seen.fingerprint,
                "digest": digest,
                "message": seen.message,
                "details": seen.details,
                "reporter_id": seen.reporter_id,
                "rule_id": seen.rule_id,
                "occurred_at": seen.occurred_at,
                "captured_at": seen.captured_at,
                "received_at": self.now,
            }
        )
        kind = "reported" if opened else str(seen.kind)
        details: dict[str, object] = {"source": seen.source, "occurrence": seen.key.hex}
        if opened:
            details["severity"] = anomaly.severity
        if seen.message:
            details["message"] = seen.said or seen.message
        self.events.append(anomalies.event_row(anomaly.id, kind, now=self.now, details=details))

    def _write(self) -> None:
        touched = [
            anomaly for anomaly in self.open.values() if anomaly.occurrences or anomaly.alarms_active or anomaly.worse
        ]
        for row in self.anomalies:
            made = self.open[row["id"]]
            row |= {
                "severity": made.worse or made.severity,
                "occurrences": made.occurrences,
                "me_too": made.me_too,
                "alarms": made.alarms,
                "alarms_active": max(made.alarms_active, 0),
                "line_stopped": made.stopped,
                "danger": made.danger,
            }
        # In one order everywhere: who writes at the same time waits, and nobody for each other.
        more = [_increments(anomaly) for anomaly in sorted(touched, key=_by_id) if not anomaly.is_new]
        self.fingerprints.sort(key=_by_key)
        if self.before:
            self.connection.execute(delete(_FINGERPRINT).where(_FINGERPRINT.c.key.in_(list(self.before))))
        insert_together(
            self.connection,
            (_ANOMALY, self.anomalies, {"number": anomalies.next_number(self.connection)}),
            (_FINGERPRINT, self.fingerprints, {}),
            (_OCCURRENCE, self.occurrences, {}),
        )
        if update_many(self.connection, _ANOMALY, more, where=("id", "status"), adding=True) != len(more):
            raise Overtaken()  # one of them has ended, or was fixed: nobody would be called
        if self.events:
            at_commit(self.session, anomalies.write_events, *self.events)
        for anomaly in touched:
            if not anomaly.is_new and (anomaly.answered or anomaly.worse or anomaly.status in FIXED):
                self._wake(anomaly)

    def _wake(self, anomaly: _Open) -> None:
        """It is not fixed, it came back while we watched, or it is worse than we knew: ring again."""
        if answers := anomaly.answered:
            self.session.execute(update(_ANOMALY).where(_ANOMALY.c.id == anomaly.id).values(**answers))
        row = self.session.get_one(Anomaly, anomaly.id, populate_existing=True)
        if row.status in FIXED and anomaly.seen_at and anomaly.seen_at >= (row.resolved_at or self.now):
            action, changes = FIXED[row.status]
            if (
                action == Action.RECUR
            ):  # called anew: people wait from now on; when it first began stays in `occurred_at`
                changes = changes | {"received_at": self.now}
            anomalies.advance(self.session, row, action, by=anomalies.NOBODY, now=self.now, changes=changes)
        if anomaly.worse and not graded_by_hand(self.session, anomaly.id):
            anomalies.regrade(self.session, row, anomaly.worse, by=anomalies.NOBODY, now=self.now)


# Statements are built once: building one costs as much as running it.
_ANOMALY: Any = Anomaly.__table__  # type: ignore[attr-defined]
_OCCURRENCE: Any = Occurrence.__table__  # type: ignore[attr-defined]
_FINGERPRINT: Any = Fingerprint.__table__  # type: ignore[attr-defined]
_KNOWN = Direct(
    select(_OCCURRENCE.c.id, _OCCURRENCE.c.anomaly_id, _OCCURRENCE.c.digest).where(among(_OCCURRENCE.c.id, "keys"))
)
_OWNERS = Direct(select(_FINGERPRINT.c.key, _FINGERPRINT.c.anomaly_id).where(among(_FINGERPRINT.c.key, "prints")))
_BRIEF = select(*(_ANOMALY.c[name] for name in list(_Open.__dataclass_fields__)[:10]))
_BY_ID = Direct(_BRIEF.where(among(_ANOMALY.c.id, "ids")))
_HERE = (
    among(_ANOMALY.c.station_id, "stations"),
    _ANOMALY.c.received_at >= bindparam("since"),
    # Not "in_queue": PostgreSQL would go through the queue of the whole plant.
    _ANOMALY.c.status.in_([literal_column(f"'{status}'") for status in sorted(OPEN)]),
)
_BY_MACHINE = _ANOMALY.c.origin == literal_column(f"'{MACHINE}'", String)
_OLDEST_FIRST = _ANOMALY.c.received_at, _ANOMALY.c.id
_BY_MACHINES = Direct(_BRIEF.where(*_HERE, _BY_MACHINE).order_by(*_OLDEST_FIRST))
_BY_PEOPLE = Direct(_BRIEF.where(*_HERE, ~_BY_MACHINE).order_by(*_OLDEST_FIRST))
_BY_NUMBER = Direct(_BRIEF.where(among(_ANOMALY.c.number, "numbers")))
_ONE: Any = literal_column("1", Integer)
_COUNTS = Direct(  # of one station: alarms, the number of the last of them, and reports of people
    select(
        _ANOMALY.c.station_id,
        func.count(case((_BY_MACHINE, _ONE))),
        func.max(case((_BY_MACHINE, _ANOMALY.c.number))),
        func.count(case((~_BY_MACHINE, _ONE))),
    )
    .where(*_HERE)
    .group_by(_ANOMALY.c.station_id)
)
_COUNTED = ("occurrences", "me_too", "alarms", "alarms_active")


_by_id = attrgetter("id.int")
_by_key = itemgetter("key")


def _increments(anomaly: _Open) -> dict[str, object]:
    return {"id": anomaly.id, "status": anomaly.status, **{name: getattr(anomaly, name) for name in _COUNTED}}


def _origin(seen: Observation) -> str:
    return MACHINE if seen.kind in (Kind.ALARM, Kind.CHANGE, Kind.RETURN_TO_NORMAL) else PERSON


def _digest(seen: Observation) -> str:
    said = (
        seen.kind,
        seen.station_id,
        seen.category,
        seen.what,
        seen.component,
        seen.message,
        seen.anomaly_id,
    )
    answers = (seen.line_stopped, seen.danger, seen.severity, seen.rule_id)
    return blake2b(repr((said, answers)).encode(), digest_size=16).hexdigest()
