"""Putting the queue right: another severity, two that are one, one that is two. Nothing is ever lost by it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from app.anomaly import actions as anomalies
from app.anomaly.actions import Actor, advance, record
from app.anomaly.lifecycle import OPEN, Action, NotAllowedNow, Status
from app.anomaly.models import Anomaly, Attachment, Fingerprint, Occurrence
from app.anomaly.permissions import require
from app.anomaly.queries import get, handle
from app.kit.errors import N_, BadInput, DomainError, NotFound
from app.kit.ids import new_id
from app.people.models import Person
from app.plant.models import Station


class OnlySignal(DomainError):
    code = "triage.only_signal"
    message = N_("This is the only signal of this anomaly: there is nothing to split. Nothing was changed.")


class NoSuchNumber(NotFound):
    code = "triage.no_such_number"
    message = N_("There is no anomaly #%(number)s. Nothing was changed. Look at the number and type it again.")


class SameAnomaly(DomainError):
    code = "triage.same_anomaly"
    message = N_("An anomaly cannot be joined with itself. Nothing was changed. Type the number of the other one.")


def regrade(session: Session, anomaly_id: UUID, severity: int, *, by: Person, now: datetime) -> Anomaly:
    """Give it another severity; upwards rings again while nobody has come."""
    anomaly = get(session, anomaly_id)
    require(anomaly, by, "regrade")
    if severity not in (1, 2, 3, 4):
        raise BadInput()
    anomalies.regrade(session, anomaly, severity, by=Actor.of(by), now=now)
    return anomaly


def split(session: Session, anomaly_id: UUID, signal_handle: str, *, by: Person, now: datetime) -> Anomaly:
    """Make one signal, and all of the same fingerprint, an anomaly of their own again. Return the new one."""
    anomaly = get(session, anomaly_id)
    require(anomaly, by, "split")
    ids = session.exec(select(Occurrence.id).where(col(Occurrence.anomaly_id) == anomaly.id)).all()
    signal = next((session.get(Occurrence, one) for one in ids if handle(one) == signal_handle), None)
    if signal is None:
        raise NotFound()
    moving = (col(Occurrence.anomaly_id) == anomaly.id, col(Occurrence.fingerprint) == signal.fingerprint)
    if not _others(session, anomaly, signal.fingerprint):
        raise OnlySignal()

    copied = anomaly.model_dump(exclude={"id", "number", "photo_id", "owner_id", "offered_to_id"})
    other = Anomaly(**copied)
    other.id, other.number, other.split_from_id = (
        new_id(),
        next(anomalies.draw_numbers(session.connection(), 1)),
        anomaly.id,
    )
    other.status, other.in_queue = Status.REPORTED, True
    other.origin = "machine" if signal.rule_id else "person"
    other.message = signal.message
    other.received_at = now
    place = session.get_one(Station, signal.station_id)  # after a join it may stand somewhere else
    other.station_id, other.line_id, other.site_id = place.id, place.line_id, place.site_id
    for column in (
        "accepted_at",
        "arrived_at",
        "contained_at",
        "resolved_at",
        "resolver_id",
    ):
        setattr(other, column, None)
    for column, value in (anomalies.NOT_HELD | anomalies.clock_start(Status.REPORTED, now=now)).items():
        setattr(other, column, value)
    session.add(other)
    session.flush()

    ids = list(session.exec(select(Occurrence.id).where(*moving)))
    session.execute(update(Occurrence).where(*moving).values(anomaly_id=other.id))
    session.execute(update(Attachment).where(col(Attachment.occurrence_id).in_(ids)).values(anomaly_id=other.id))
    session.execute(update(Fingerprint).where(col(Fingerprint.key) == signal.fingerprint).values(anomaly_id=other.id))
    for one in (anomaly, other):
        _recount(session, one)
    record(session, anomaly.id, "split", by=Actor.of(by), now=now, number=other.number)
    record(session, other.id, "split_from", by=Actor.of(by), now=now, number=anomaly.number)
    return other


def merge(session: Session, anomaly_id: UUID, number: int, *, by: Person, now: datetime) -> Anomaly:
    """Join this anomaly into the one with `number`: its signals, photos and fingerprints go there. Return that one.

    The worse of the two decides. Only if that is news does it ring again: tidying up stops no ladder.
    """
    anomaly = get(session, anomaly_id)
    require(anomaly, by, "merge")
    found = session.exec(select(Anomaly.id).where(Anomaly.number == number)).one_or_none()
    if found is None:
        raise NotFound()
    if found == anomaly.id:
        raise SameAnomaly()
    into = get(session, found)
    if into.status not in OPEN:
        raise NotAllowedNow.of(into.status, "")
    said = {
        "line_stopped": into.line_stopped or anomaly.line_stopped,
        "danger": into.danger or anomaly.danger,
    }
    session.execute(update(Anomaly).where(col(Anomaly.id) == into.id).values(**said))
    if anomaly.severity < into.severity:
        anomalies.regrade(session, into, anomaly.severity, by=Actor.of(by), now=now)

    for table in (Occurrence, Attachment, Fingerprint):
        session.execute(update(table).where(col(table.anomaly_id) == anomaly.id).values(anomaly_id=into.id))
    changes = {"end_reason": "duplicate", "previous_id": into.id}
    advance(session, anomaly, Action.CANCEL, by=Actor.of(by), now=now, changes=changes, reason="duplicate")
    _recount(session, into)
    record(session, anomaly.id, "merged", by=Actor.of(by), now=now, number=into.number)
    record(session, into.id, "merged_from", by=Actor.of(by), now=now, number=anomaly.number)
    return into


def _others(session: Session, anomaly: Anomaly, fingerprint: str) -> int:
    which = select(func.count()).where(
        col(Occurrence.anomaly_id) == anomaly.id, col(Occurrence.fingerprint) != fingerprint
    )
    return int(session.exec(which).one())


def _recount(session: Session, anomaly: Anomaly) -> None:
    """Bring the counters back in line with the signals that are there now."""
    kinds = (
        select(Occurrence.kind, func.count()).where(col(Occurrence.anomaly_id) == anomaly.id).group_by(Occurrence.kind)
    )
    counts: dict[str, int] = dict(session.exec(kinds).all())
    returned = counts.pop("return_to_normal", 0)
    photo = (
        select(Attachment.id)
        .where(col(Attachment.anomaly_id) == anomaly.id, col(Attachment.kind) == "photo")
        .order_by(col(Attachment.created_at))
        .limit(1)
    )
    values = {
        "occurrences": sum(counts.values()),
        "me_too": counts.get("me_too", 0),
        "alarms": counts.get("alarm", 0),
        "alarms_active": max(counts.get("alarm", 0) - returned, 0),
        "photo_id": session.exec(photo).first(),
    }
    session.execute(update(Anomaly).where(col(Anomaly.id) == anomaly.id).values(**values))
    session.refresh(anomaly)
