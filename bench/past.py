"""Fills a database with what was before: a thousand anomalies row by row; a million by letting it copy them."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, text
from sqlmodel import Session

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly, Event, Fingerprint, Occurrence
from app.flows.document import FlowDocument
from app.kit.ids import new_id
from app.kit.many import insert_many
from bench.plant import Plant, run

TEMPLATE = 1000
BATCH = 5000
OPEN_NUMBERS = 2_000_000  # numbers of open ones, far from those of the past

Rows = dict[str, dict[str, Any]]


def fill(plant: Plant, *, closed: int = 0, still_open: int = 0, now: datetime) -> None:
    """Put in anomalies that ended in the month before, and some that are open and wait for their next clock."""
    run(plant.url, lambda session: _fill(session, plant, closed, still_open, now))


def _fill(session: Session, plant: Plant, closed: int, still_open: int, now: datetime) -> None:
    _put(session, _closed(plant, min(closed, TEMPLATE), now))
    _put(session, _open(plant, still_open, now))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))  # what refers to what is right already
    for start in range(1, closed // TEMPLATE, 100):
        _multiply(session, start, min(start + 100, closed // TEMPLATE))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT setval('anomaly_number', :n)"), {"n": 2 * OPEN_NUMBERS})
        session.execute(text("ANALYZE"))


def _put(session: Session, made: Iterator[Rows]) -> None:
    waiting: list[Rows] = []
    for rows in made:
        waiting.append(rows)
        if len(waiting) == BATCH:
            _insert(session, waiting)
            waiting = []
    _insert(session, waiting)


def _insert(session: Session, made: list[Rows]) -> None:
    for table in (_ANOMALY, _FINGERPRINT, _OCCURRENCE, _EVENT):
        insert_many(session.connection(), table, [rows[table.name] for rows in made if table.name in rows])


def _multiply(session: Session, start: int, end: int) -> None:
    """Copy the first thousand once for each number from `start` up to `end`, under names and numbers of their own."""
    own = "copy.n * 1000 + anomaly.number"
    if session.get_bind().dialect.name == "postgresql":
        new, series = f"lpad(to_hex({own}), 32, '0')::uuid", f"generate_series({start}, {end - 1}) AS copy(n)"
    else:
        new = f"printf('%032x', {own})"
        numbers = f"WITH RECURSIVE c(n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM c WHERE n < {end - 1})"
        series = f"({numbers} SELECT n FROM c) AS copy"
    first = f"anomaly.number <= {TEMPLATE} ORDER BY copy.n, anomaly.number"
    for table, changed, source in (
        (_ANOMALY, {"id": new, "number": own}, "anomaly"),
        (_OCCURRENCE, {"id": new, "anomaly_id": new}, "occurrence JOIN anomaly ON anomaly.id = anomaly_id"),
        (_EVENT, {"anomaly_id": new}, "event JOIN anomaly ON anomaly.id = anomaly_id"),
    ):
        names = [column.name for column in table.c if column.name != "seq"]
        taken = ", ".join(changed.get(name, f"{table.name}.{name}") for name in names)
        quoted = ", ".join(f'"{name}"' for name in names)
        session.execute(
            text(f"INSERT INTO {table.name} ({quoted}) SELECT {taken} FROM {source} CROSS JOIN {series} WHERE {first}")
        )


def _closed(plant: Plant, count: int, now: datetime) -> Iterator[Rows]:
    chance = random.Random(count)
    for number in range(1, count + 1):
        version, flow = chance.choice(plant.flows)
        at = now - timedelta(days=30) + timedelta(days=29) * number / count
        ended = {"status": Status.CLOSED, "in_queue": False, "ended_at": at + timedelta(hours=1)}
        rung = {"next_clock_at": None, "clock": None}
        yield _one(plant, number, chance.randrange(len(plant.stations)), version, flow, at, ended | rung)


def _open(plant: Plant, count: int, now: datetime) -> Iterator[Rows]:
    chance = random.Random(count)
    for number in range(OPEN_NUMBERS, OPEN_NUMBERS + count):
        version, flow = chance.choice(plant.flows)
        at = now - timedelta(hours=chance.uniform(1, 8))
        waits = {"status": Status.REPORTED, "in_queue": True, "ended_at": None}
        rung = {"next_clock_at": now + timedelta(days=1, seconds=chance.uniform(0, 3600)), "clock": "accepted"}
        rows = _one(plant, number, chance.randrange(len(plant.stations)), version, flow, at, waits | rung)
        key = f"past:{rows['anomaly']['id'].hex}"
        yield rows | {"fingerprint": {"key": key, "anomaly_id": rows["anomaly"]["id"]}}


def _one(
    plant: Plant, number: int, place: int, version: UUID, flow: FlowDocument, at: datetime, state: dict[str, Any]
) -> Rows:
    anomaly, signal, station = new_id(), new_id(), plant.stations[place]
    row = {
        "id": anomaly, "number": number, "site_id": plant.site, "line_id": plant.lines[place % len(plant.lines)],
        "station_id": station, "flow_version_id": version, "category": flow.category, "symptom": "",
        "message": "It does not sound right", "origin": "person", "severity": flow.severity, "practice": False,
        "team_id": plant.teams[flow.team], "occurred_at": at, "received_at": at, "local_day": at.date(),
        "local_hour": at.hour, "clock_from": at, "rung": 1, "unseen": 0, "round": 1, "hold_reason": "", "occurrences": 1,
        "me_too": 0, "alarms": 0, "alarms_active": 0, "end_reason": "", **state,
    }  # fmt: skip
    occurrence = {
        "id": signal, "anomaly_id": anomaly, "station_id": station, "kind": "report", "source": "phone",
        "fingerprint": f"{station.hex}:{flow.category}:", "digest": signal.hex, "message": row["message"],
        "details": {}, "occurred_at": at, "received_at": at,
    }  # fmt: skip
    details = {"source": "phone", "occurrence": signal.hex, "severity": flow.severity, "message": row["message"]}
    event = {"anomaly_id": anomaly, "kind": "reported", "at": at, "by": "", "told_at": at, "details": details}
    return {"anomaly": row, "occurrence": occurrence, "event": event}


_ANOMALY: Table = Anomaly.__table__  # type: ignore[attr-defined]
_FINGERPRINT: Table = Fingerprint.__table__  # type: ignore[attr-defined]
_OCCURRENCE: Table = Occurrence.__table__  # type: ignore[attr-defined]
_EVENT: Table = Event.__table__  # type: ignore[attr-defined]
