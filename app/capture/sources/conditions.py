"""What servers tell of their own alarms becomes observations, in the transaction that also keeps what is known of them.

So a crash at any moment loses nothing and doubles nothing: either both are on disk, or the server repeats it.
Longer than most files because what is known and what is said of it must be read together to see that.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from app.anomaly import actions as anomalies
from app.anomaly.actions import Actor
from app.anomaly.models import Fingerprint
from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.kit.errors import DomainError
from app.machines import actions as machines
from app.machines import condition_actions as kept
from app.machines import shelving
from app.machines.condition_actions import Setup
from app.machines.condition_models import Act, AnswerState
from app.machines.conditions import Errand, Known, Repeated, Step, Told, forgotten, identity, judge, key

SOURCE = "opcua"
CATEGORY = "machine"
KINDS = {
    Step.RISE: Kind.ALARM,
    Step.CLEAR: Kind.RETURN_TO_NORMAL,
    Step.WORSE: Kind.CHANGE,
    Step.BRANCH: Kind.CHANGE,
}
BACK = {"en": "{name} is back to normal", "zh": "{name}：已恢复正常"}
GONE = {"en": "{name} cleared while nobody was connected", "zh": "{name}：断线期间已解除"}
OWED = {
    "en": "{name}: the machine still waits for an answer to an earlier alarm",
    "zh": "{name}：设备仍在等待对先前报警的应答",
}
NOT_HEARD = {"en": "{name} is not listened to any more", "zh": "{name}：不再接收"}

Row = dict[str, Any]

log = structlog.get_logger()


@dataclass(slots=True)
class _Found:
    """What one batch changes."""

    source_id: UUID
    rows: dict[UUID, Row]
    before: set[UUID]
    setup: Setup
    now: datetime
    shelved: Collection[UUID] = ()
    touched: dict[UUID, Row] = field(default_factory=dict)
    observations: list[Observation] = field(default_factory=list)
    acked: list[tuple[Row, Told]] = field(default_factory=list)


def record(session: Session, source_id: UUID, holder: str, news: Sequence[Told | Repeated], *, now: datetime) -> None:
    """Take in what a server told, in its order. What it did not repeat has cleared; its branches have not.

    Raises:
        LeaseLost: another worker watches this source now; nothing was stored.
    """
    machines.hold(session, source_id, holder)
    ids = {identity(source_id, one.node, one.branch) for one in news if isinstance(one, Told)}
    rows = kept.known(session, ids)
    if any(isinstance(one, Repeated) for one in news):
        rows = kept.announced(session, source_id) | rows
        kept.forget_branches(session, source_id, now=now)
    shelved = shelving.shelved(session, now=now)
    found = _Found(source_id, rows, set(rows), kept.setup(session, source_id), now, shelved)
    for one in news:
        if isinstance(one, Told):
            _hear(found, one)
        else:
            _clear(
                found, forgotten(((r["node"], r["branch"]) for r in found.rows.values() if r["announced"]), one), GONE
            )
    _store(session, found)
    if over := [id_ for id_, row in found.touched.items() if id_ in shelved and row["active"] is False]:
        shelving.spend(session, over, now=now)


def withdraw(session: Session, source_id: UUID, holder: str, *, now: datetime) -> None:
    """Nobody listens to this source's conditions any more: what is open of them is not watched.

    Raises:
        LeaseLost: another worker watches this source.
    """
    rows = kept.announced(session, source_id)
    if rows:
        machines.hold(session, source_id, holder)
        found = _Found(source_id, rows, set(rows), kept.setup(session, source_id), now)
        _clear(found, [(row["node"], row["branch"]) for row in rows.values()], NOT_HEARD)
        _store(session, found)


def settle(session: Session, source_id: UUID, holder: str, errand: Errand, status: str, *, now: datetime) -> None:
    """Note what the machine answered, and tell it on the anomaly.

    Raises:
        LeaseLost: another worker watches this source.
    """
    told = kept.settle(session, source_id, holder, errand, status, now=now)
    if told is not None:
        done = "machine_acked" if told.act == Act.ACKNOWLEDGE else "machine_confirmed"
        what = done if told.state == AnswerState.DONE else "machine_refused"
        by = Actor(told.by_id, told.by)
        anomalies.record(session, told.anomaly_id, what, by=by, now=now, message=told.condition, status=told.result)


def _hear(found: _Found, told: Told) -> None:
    id_ = identity(found.source_id, told.node, told.branch)
    before = found.rows.get(id_)
    if before is None and not told.live:
        return  # the end of something nobody here has heard of
    known = Known(before["announced"], before["level"], before["acked"], before["changes"]) if before else None
    settings = found.setup.settings
    station_id = found.setup.station(told.source, told.source_name)
    if known is not None and known.announced and before is not None:
        station_id = before["station_id"]  # where it was announced it is cleared
    limits = settings.severities if settings is not None else ()
    shelved = station_id is None or id_ in found.shelved
    after, steps = judge(known, told, limits=limits, shelved=shelved)
    if station_id is None and told.on:
        log.error("condition.no_station", source_name=told.source_name, condition=told.name)
    row = found.rows[id_] = found.touched[id_] = {
        "id": id_,
        "source_id": found.source_id,
        "node": told.node,
        "branch": told.branch,
        "station_id": station_id,
        "name": told.name,
        "source_name": told.source_name,
        "message": told.message,
        "event_id": told.event_id,
        "severity": told.severity,
        "active": told.active if told.asks is None else told.asks,
        "acked": told.acked,
        "confirmed": told.confirmed,
        "retain": told.live,
        "hidden": told.hidden,
        "quality": told.quality,
        "told_at": told.at,
        "announced": after.announced,
        "level": after.level,
        "changes": after.changes,
    }
    for step in steps:
        if step is Step.ACKED:
            found.acked.append((row, told))
        elif station_id is not None:
            found.observations.append(_observation(found, row, step, _words(row, step, told)))


def _clear(found: _Found, keys: Iterable[tuple[str, str]], words: dict[str, str]) -> None:
    for node, branch in keys:
        id_ = identity(found.source_id, node, branch)
        before = found.rows[id_]
        row = found.rows[id_] = found.touched[id_] = before | {
            "active": False,
            "retain": False,
            "told_at": found.now,
            "announced": False,
            "level": None,
            "changes": before["changes"] + 1,
        }
        found.observations.append(_observation(found, row, Step.CLEAR, _filled(words, _name(row))))


def _words(row: Row, step: Step, told: Told) -> dict[str, str]:
    if step in (Step.RISE, Step.WORSE) and told.message:
        place = f"{told.source_name}: " if told.source_name and told.source_name not in told.message else ""
        return {told.language: f"{place}{told.message}"}
    if step is Step.CLEAR:
        return _filled(BACK, _name(row))
    return _filled(OWED, _name(row)) if step is Step.BRANCH else {told.language: _name(row)}


def _observation(found: _Found, row: Row, step: Step, words: dict[str, str]) -> Observation:
    of = identity(found.source_id, row["node"])
    at = min(row["told_at"], found.now)
    details: dict[str, object] = {
        "message": words,
        "condition": row["name"],
        "source_name": row["source_name"],
        "server_severity": row["severity"],
    }
    if row["branch"]:
        details["branch"] = row["branch"]
    return Observation(
        key=key(row["id"], step, event_id=row["event_id"], number=row["changes"], at=at),
        kind=KINDS[step],
        source=SOURCE,
        station_id=row["station_id"],
        category=CATEGORY,
        occurred_at=at,
        what=str(of),
        message=words.get("en") or next(iter(words.values())),
        severity=row["level"] if step in (Step.RISE, Step.WORSE) else None,
        rule_id=of,
        captured_at=at,
        details=details,
    )


def _store(session: Session, found: _Found) -> None:
    kept.keep(session, found.touched, before=found.before)
    observations = found.observations
    for seen, answer in zip(observations, receive(session, observations, now=found.now), strict=True):
        if isinstance(answer, DomainError):
            log.error("condition.refused", condition=str(seen.rule_id), code=answer.code)
    if found.acked:
        _tell_acknowledgements(session, found)


def _tell_acknowledgements(session: Session, found: _Found) -> None:
    """Somebody has acknowledged at the machine, or we have: it is told on the anomaly, once."""
    prints = {_print(found.source_id, row): row for row, _ in found.acked}
    owners = select(Fingerprint.key, Fingerprint.anomaly_id).where(col(Fingerprint.key).in_(list(prints)))
    anomaly_of = dict(session.execute(owners).all())
    ours = kept.in_flight(session, [row["id"] for row, _ in found.acked])
    for row, told in found.acked:
        anomaly_id = anomaly_of.get(_print(found.source_id, row))
        if anomaly_id is None:
            continue
        by = Actor(*ours[row["id"]]) if row["id"] in ours else Actor(None, told.user)
        note = "" if row["id"] in ours else told.comment
        anomalies.record(session, anomaly_id, "machine_acked", by=by, now=found.now, message=_name(row), note=note)


def _print(source_id: UUID, row: Row) -> str:
    """The fingerprint of its observations."""
    station = row["station_id"].hex if row["station_id"] else ""
    return f"{station}:{identity(source_id, row['node'])}:"


def _name(row: Row) -> str:
    if row["source_name"] and row["name"]:
        return f"{row['source_name']} {row['name']}"
    return row["name"] or row["source_name"] or str(row["node"])


def _filled(words: dict[str, str], name: str) -> dict[str, str]:
    return {language: text.replace("{name}", name) for language, text in words.items()}
