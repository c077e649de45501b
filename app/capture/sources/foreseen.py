"""What looking ahead has seen, as observations: each hole in the roster is a report without a reporter."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid5

import structlog
from sqlmodel import Session

from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.kit.columns import Names
from app.kit.errors import DomainError

SOURCE, WHAT, SEVERITY = "roster", "coverage", 3
ORIGIN = UUID("5f0f3a52-6a3e-5d53-9d0d-3c1a6d1f9f11")  # any: the name space of keys made here

log = structlog.get_logger()


class Foreseen(Protocol):
    """A hole. `number` tells the second hole of the same week from the first, which was filled."""

    @property
    def station_id(self) -> UUID: ...
    @property
    def week(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def message(self) -> Names: ...
    @property
    def number(self) -> int: ...


def record(session: Session, seen: Sequence[Foreseen], *, now: datetime) -> None:
    """Make these holes known. Whoever else has found the same one meanwhile has made the same observation."""
    answers = receive(session, [observation(one, now=now) for one in seen], now=now)
    for one, answer in zip(seen, answers, strict=True):
        if isinstance(answer, DomainError):
            log.warning("foreseen.refused", station=str(one.station_id), code=answer.code)


def observation(one: Foreseen, *, now: datetime) -> Observation:
    """Say what a hole means."""
    return Observation(
        key=uuid5(ORIGIN, f"{one.station_id.hex}:{one.week}:{one.number}"),
        kind=Kind.REPORT,
        source=SOURCE,
        station_id=one.station_id,
        category=one.category,
        occurred_at=now,
        what=WHAT,
        component=one.week,
        message=one.message["en"],
        severity=SEVERITY,
        details={"message": one.message},
    )
