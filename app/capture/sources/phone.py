"""A thumb on a tile becomes an observation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from app.capture.ground import ground
from app.capture.intake import Received, UnknownStation, receive
from app.capture.observation import Kind, Observation
from app.kit.errors import DomainError

CLOCKS_AGREE = timedelta(days=7)
"""A phone's clock is believed for a report that waited in its outbox, not for one from another year."""


@dataclass(frozen=True, slots=True)
class PhoneReport:
    """What a phone sends, with or without JavaScript, at once or from its outbox."""

    key: UUID
    code: str
    category: str
    now: datetime
    message: str = ""
    symptom: str = ""
    line_stopped: bool | None = None
    danger: bool | None = None
    anomaly_id: UUID | None = None
    captured_at: datetime | None = None
    reporter_id: UUID | None = None


def door(session: Session, reports: Sequence[PhoneReport]) -> list[Received | DomainError]:
    """Take in what phones sent, many at a time; an answer or a refusal for each."""
    now = max(report.now for report in reports)
    known = ground(session, codes={report.code for report in reports}, now=now)
    answers: list[Received | DomainError] = [UnknownStation()] * len(reports)
    places = [place for place, report in enumerate(reports) if report.code in known.codes]
    seen = [_observation(reports[place], known.codes[reports[place].code]) for place in places]
    for place, answer in zip(places, receive(session, seen, now=now) if seen else (), strict=True):
        answers[place] = answer
    return answers


def _observation(report: PhoneReport, station_id: UUID) -> Observation:
    told = report.captured_at
    plausible = told is not None and report.now - CLOCKS_AGREE < told <= report.now
    return Observation(
        key=report.key,
        kind=Kind.ME_TOO if report.anomaly_id else Kind.REPORT,
        source="phone",
        station_id=station_id,
        category=report.category,
        occurred_at=told if told and plausible else report.now,
        message=report.message,
        line_stopped=report.line_stopped,
        danger=report.danger,
        anomaly_id=report.anomaly_id,
        reporter_id=report.reporter_id,
        captured_at=told,
        details={"symptom": report.symptom} if report.symptom else {},
    )
