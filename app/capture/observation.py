"""The one shape for everything that was seen, by a person with a phone or by a machine with an alarm."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What an observation says: somebody calls, somebody agrees, a machine rises, says more of it, or returns."""

    REPORT = "report"
    ME_TOO = "me_too"
    ALARM = "alarm"
    CHANGE = "change"
    RETURN_TO_NORMAL = "return_to_normal"


@dataclass(frozen=True, slots=True)
class Observation:
    """One signal about one station.

    `key` is made by whoever saw it (phone, poller): the same key is the same observation.
    `what` is the symptom key or the alarm rule's id: with the station and `component` it makes the fingerprint.
    `anomaly_id` is set only by somebody who already knows which anomaly is meant ("me too").
    `captured_at` is the clock of the device, `occurred_at` our best knowledge of the moment, both aware UTC.
    """

    key: UUID
    kind: Kind
    source: str
    station_id: UUID
    category: str
    occurred_at: datetime
    what: str = ""
    component: str = ""
    message: str = ""
    severity: int | None = None
    line_stopped: bool | None = None
    danger: bool | None = None
    anomaly_id: UUID | None = None
    reporter_id: UUID | None = None
    rule_id: UUID | None = None
    captured_at: datetime | None = None
    practice: bool = False
    details: dict[str, object] = field(default_factory=dict)
    fingerprint: str = field(init=False)
    """Station, symptom or alarm, component. Severity is no part of it: it may change while open."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", f"{self.station_id.hex}:{self.what or self.category}:{self.component}")

    @property
    def said(self) -> dict[str, str] | None:
        """What a machine says, in each language; None for a person, who says it in one: `message`."""
        words = self.details.get("message")
        return words if isinstance(words, dict) else None
