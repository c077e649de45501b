"""Snapshots begin when a machine speaks, and are frozen when their time is over. They begin and end by themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session, col, delete, select

from app.anomaly.models import Anomaly, Event, Occurrence
from app.anomaly.queries import last_seq
from app.evidence import windows
from app.evidence.models import EvidenceReader, Moment, Snapshot, SnapshotTag
from app.evidence.queries import Reader, Shown, develop, tags_of
from app.machines import history
from app.machines.models import AlarmRule
from app.machines.packing import pack_samples
from app.machines.ring import SPAN
from app.machines.rules import Kind

LIMITED = (Kind.HIGH, Kind.LOW)  # their setpoint is a value of the tag, and can be drawn
KINDS = ("reported", "alarm", "recur", "return_to_normal")
SETTLED = timedelta(seconds=SPAN + 15)  # then everything of a watched tag is in the history
TOO_OLD = timedelta(hours=12)  # of what nobody looked at for so long nothing is in full


def collect_next(session: Session, *, normal_minutes: int, now: datetime, limit: int = 500) -> bool:
    """Begin the snapshots of what machines said since the last look. True when there may be more to read."""
    reader = session.get(EvidenceReader, 1) or EvidenceReader()
    new = select(Event.seq, Event.kind, Event.at, Event.details).where(col(Event.seq) > reader.seq)
    events = session.exec(new.order_by(col(Event.seq)).limit(limit)).all()
    if not events:
        return False
    for _, kind, at, details in events:
        if kind in KINDS and at > now - TOO_OLD and details.get("source") == "opcua":
            _hear(session, details.get("occurrence"), normal_minutes=normal_minutes)
    reader.seq = events[-1][0]
    session.add(reader)
    session.flush()
    return len(events) == limit


def begin(session: Session, signal: Occurrence, *, normal_minutes: int) -> Snapshot | None:
    """Begin the snapshot of one signal of a machine, if it needs one. What is abnormal again was not normal."""
    of_anomaly = select(Snapshot).where(Snapshot.anomaly_id == signal.anomaly_id)
    kept = session.exec(of_anomaly.order_by(col(Snapshot.at))).all()
    at = signal.occurred_at
    if signal.kind == "return_to_normal":
        anomaly = session.get_one(Anomaly, signal.anomaly_id)
        if anomaly.alarms_active > 0:
            return None
        _drop(session, [one for one in kept if one.moment == Moment.NORMAL])
        since, until = windows.after_return(at, minutes=normal_minutes)
        return _add(session, signal, Moment.NORMAL, since, until)
    _drop(session, [one for one in kept if one.moment == Moment.NORMAL and one.at <= at <= one.until])
    if not windows.wanted([one for one in kept if one.moment == Moment.ALARM], at):
        return None
    return _add(session, signal, Moment.ALARM, *windows.around(at))


def running(session: Session, *, now: datetime, limit: int = 20) -> Sequence[UUID]:
    """Return the snapshots whose time is over and whose values are all stored, but not frozen yet."""
    over = col(Snapshot.frozen_at).is_(None), col(Snapshot.until) < now - SETTLED
    return session.exec(select(Snapshot.id).where(*over).order_by(col(Snapshot.until)).limit(limit)).all()


def frozen(session: Session, snapshot_id: UUID, *, read: Reader = history.read) -> list[dict[str, Any]]:
    """Return the rows that freeze a snapshot. Reading is most of the work, so it is not done by the writer."""
    snapshot = session.get(Snapshot, snapshot_id)
    if snapshot is None:
        return []
    return [_row(snapshot, shown) for shown in develop(session, snapshot, read=read) if shown.samples]


def catch_up(session: Session) -> None:
    """What the event log holds so far was looked at."""
    session.merge(EvidenceReader(seq=last_seq(session)))


def freeze(session: Session, snapshot_id: UUID, rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Keep these values whatever becomes of the history. Twice is once."""
    snapshot = session.get(Snapshot, snapshot_id)
    if snapshot is None or snapshot.frozen_at is not None:
        return
    if rows:
        session.connection().execute(insert(SnapshotTag), rows)
    snapshot.frozen_at = now
    session.add(snapshot)
    session.flush()


def _hear(session: Session, key: object, *, normal_minutes: int) -> None:
    signal = session.get(Occurrence, UUID(str(key))) if key else None
    if signal is not None:
        begin(session, signal, normal_minutes=normal_minutes)


def _add(session: Session, signal: Occurrence, moment: Moment, since: datetime, until: datetime) -> Snapshot:
    rule = session.get(AlarmRule, signal.rule_id) if signal.rule_id else None
    snapshot = Snapshot(
        anomaly_id=signal.anomaly_id,
        station_id=signal.station_id,
        moment=moment,
        rule_id=signal.rule_id,
        tag_id=rule.tag_id if rule else None,
        limit=rule.setpoint if rule and rule.kind in LIMITED else None,
        at=signal.occurred_at,
        since=since,
        until=until,
    )
    session.add(snapshot)
    session.flush()
    history.want(session, [tag.id for _, tag, _ in tags_of(session, snapshot)], until=until)
    return snapshot


def _drop(session: Session, snapshots: Iterable[Snapshot]) -> None:
    ids = [one.id for one in snapshots]
    if ids:
        session.execute(delete(SnapshotTag).where(col(SnapshotTag.snapshot_id).in_(ids)))
        session.execute(delete(Snapshot).where(col(Snapshot.id).in_(ids)))


def _row(snapshot: Snapshot, shown: Shown) -> dict[str, Any]:
    suspect = shown.suspect
    return {
        "snapshot_id": snapshot.id,
        "tag_id": shown.tag_id,
        "part": shown.part,
        "names": shown.names,
        "place": shown.place,
        "unit": shown.unit,
        "score": suspect.score if suspect else None,
        "was": suspect.was if suspect else None,
        "became": suspect.became if suspect else None,
        "moved_at": suspect.moved_at if suspect else None,
        "data": pack_samples(shown.tag_id, shown.samples).data,
    }
