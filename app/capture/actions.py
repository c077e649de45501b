"""Enriching a call that is already ringing: answers, words, photos, voice.

Longer than most files because a photo, a voice note and an answer share their rules: same id, same thing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from app.anomaly.actions import NOBODY, Actor, record, regrade
from app.anomaly.lifecycle import OPEN, Status
from app.anomaly.models import PEOPLE, Anomaly, Attachment, Occurrence, Purpose
from app.anomaly.queries import get as anomaly_to_change
from app.anomaly.queries import graded_by_hand
from app.flows import queries as flows
from app.flows.answers import severity
from app.kit.errors import N_, DomainError, NotFound
from app.people.models import Person

MOST_PHOTOS = 4
MOST_VOICES = 4


class NoSuchReport(NotFound):
    code = "capture.no_such_report"
    message = N_("We have no report under this number. Nothing was changed. Open the station page and report again.")


class Ended(DomainError):
    code = "capture.ended"
    message = N_("This problem is closed meanwhile. What you sent before is safe. If it is back, report it again.")


class EnoughPhotos(DomainError):
    code = "capture.enough_photos"
    message = N_("Four photos are here already; this one was not stored. The others are safe.")


class FileClash(DomainError):
    code = "capture.file_clash"
    message = N_("Another file was sent under the same number; the first one is safe. Take the photo or record again.")


@dataclass(frozen=True, slots=True)
class Stored:
    """A photo or voice note whose bytes are on disk already."""

    id: UUID
    kind: str
    key: str
    media_type: str
    size: int
    digest: str
    thumb: str = ""
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None


def details(
    session: Session,
    key: UUID,
    *,
    line_stopped: bool | None,
    danger: bool | None,
    symptom: str,
    text: str,
    now: datetime,
) -> UUID:
    """Add what the reporter answers and says. A stopped line or a danger makes it urgent, and rings again.

    Raises:
        Ended, NoSuchReport
    """
    occurrence, anomaly = _report(session, key)
    if anomaly.status in (Status.CLOSED, Status.CANCELLED):
        raise Ended()
    flow = flows.document(session, anomaly.flow_version_id)
    said: dict[str, Any] = {}
    if line_stopped is not None:
        said["line_stopped"] = line_stopped
    if danger is not None:
        said["danger"] = danger
    if symptom in {s.key for s in flow.symptoms}:
        said["symptom"] = symptom
    if text.strip():
        said["message"] = text.strip()
    if not said:
        return anomaly.id
    occurrence.details = {**occurrence.details, **said}
    occurrence.message = str(said.get("message", occurrence.message))
    session.add(occurrence)

    # What one reporter answers with "no" does not take back what another has said with "yes".
    stopped = anomaly.line_stopped or line_stopped if line_stopped is not None else anomaly.line_stopped
    hurt = anomaly.danger or danger if danger is not None else anomaly.danger
    values: dict[str, Any] = {"line_stopped": stopped, "danger": hurt}
    values |= {"symptom": said["symptom"]} if "symptom" in said else {}
    values |= {"message": said["message"]} if "message" in said and anomaly.origin != "machine" else {}
    session.execute(update(Anomaly).where(col(Anomaly.id) == anomaly.id).values(**values))
    session.refresh(anomaly)
    record(session, anomaly.id, "details", by=NOBODY, now=now, **said)
    answered = line_stopped is not None or danger is not None
    if answered and anomaly.status in OPEN and not graded_by_hand(session, anomaly.id):
        level = severity(flow, line_stopped=stopped, danger=hurt)
        if level < anomaly.severity or anomaly.occurrences == 1:
            regrade(session, anomaly, level, by=NOBODY, now=now)
    return anomaly.id


def may_attach(session: Session, key: UUID, kind: str, file_id: UUID | None) -> None:
    """Refuse what could not be kept anyway, before anything is unpacked or stored. The same file again is welcome.

    Raises:
        EnoughPhotos, Ended, NoSuchReport
    """
    occurrence, anomaly = _report(session, key, to_change=False)
    if file_id is None or session.get(Attachment, file_id) is None:
        _has_room(session, occurrence, anomaly, kind)


def may_attach_after(session: Session, anomaly_id: UUID, file_id: UUID | None) -> None:
    """The same, for a photo of the repaired thing.

    Raises:
        EnoughPhotos, Ended, NotFound
    """
    anomaly = session.get(Anomaly, anomaly_id)
    if anomaly is None:
        raise NotFound()
    if file_id is None or session.get(Attachment, file_id) is None:
        _has_room_after(session, anomaly)


def attach(session: Session, key: UUID, stored: Stored, *, now: datetime) -> Attachment:
    """Put a photo or voice note to a report. The same id again is the same file, not a second one.

    Raises:
        EnoughPhotos, FileClash, Ended, NoSuchReport
    """
    occurrence, anomaly = _report(session, key)
    if known := session.get(Attachment, stored.id):
        if known.digest != stored.digest or known.occurrence_id != occurrence.id:
            raise FileClash()
        return known
    _has_room(session, occurrence, anomaly, stored.kind)
    return keep(session, anomaly, stored, Purpose.REPORT, occurrence_id=occurrence.id, now=now)


def attach_after(session: Session, anomaly_id: UUID, stored: Stored, *, by: Person, now: datetime) -> Attachment:
    """Put a photo of the repaired thing to an anomaly that somebody works on."""
    anomaly = anomaly_to_change(session, anomaly_id)
    if known := session.get(Attachment, stored.id):
        if known.digest != stored.digest or known.anomaly_id != anomaly.id:
            raise FileClash()
        return known
    _has_room_after(session, anomaly)
    return keep(session, anomaly, stored, Purpose.AFTER, occurrence_id=None, by=Actor.of(by), now=now)


def keep(
    session: Session,
    anomaly: Anomaly,
    stored: Stored,
    purpose: Purpose,
    *,
    occurrence_id: UUID | None,
    by: Actor = NOBODY,
    now: datetime,
) -> Attachment:
    """Write the row of a file and tell everybody who looks."""
    made = Attachment(
        id=stored.id,
        anomaly_id=anomaly.id,
        occurrence_id=occurrence_id,
        kind=stored.kind,
        purpose=purpose,
        key=stored.key,
        thumb=stored.thumb,
        media_type=stored.media_type,
        size=stored.size,
        width=stored.width,
        height=stored.height,
        duration_ms=stored.duration_ms,
        digest=stored.digest,
        created_at=now,
    )
    session.add(made)
    if stored.kind == "photo" and anomaly.photo_id is None:
        session.execute(update(Anomaly).where(col(Anomaly.id) == anomaly.id).values(photo_id=made.id))
    record(session, anomaly.id, stored.kind, by=by, now=now, attachment=made.id.hex)
    return made


def _report(session: Session, key: UUID, *, to_change: bool = True) -> tuple[Occurrence, Anomaly]:
    occurrence = session.get(Occurrence, key)
    if occurrence is None or occurrence.kind not in PEOPLE:
        raise NoSuchReport()
    if to_change:
        return occurrence, anomaly_to_change(session, occurrence.anomaly_id)
    return occurrence, session.get_one(Anomaly, occurrence.anomaly_id)


def _has_room_after(session: Session, anomaly: Anomaly) -> None:
    if anomaly.status not in OPEN:
        raise Ended()
    count = select(func.count()).where(Attachment.anomaly_id == anomaly.id, Attachment.purpose == Purpose.AFTER)
    if session.exec(count).one() >= MOST_PHOTOS:
        raise EnoughPhotos()


def _has_room(session: Session, occurrence: Occurrence, anomaly: Anomaly, kind: str) -> None:
    if anomaly.status not in OPEN:
        raise Ended()
    count = select(func.count()).where(Attachment.occurrence_id == occurrence.id, Attachment.kind == kind)
    if session.exec(count).one() >= (MOST_PHOTOS if kind == "photo" else MOST_VOICES):
        raise EnoughPhotos()
