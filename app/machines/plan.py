"""What a worker needs to know to watch one source, as plain values: two plans that are equal need no action."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.machines.conditions import LEAST, MOST, SEVERITIES
from app.machines.security import UNSECURED, Security
from app.machines.watch import Alarm


class LinkSettings(BaseModel):
    """What may be decided for each source. Times end in their unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    publishing_ms: float = Field(default=100, ge=10, le=60_000, description="How often the server sends changes.")
    keep_alive_s: float = Field(default=5, ge=0.1, le=60, description="How often it says that nothing changed.")
    probe_s: float = Field(default=5, ge=0.1, le=60, description="How often we ask whether it is alive.")
    patience_s: float = Field(default=6, ge=0.1, le=60, description="How long one answer may take.")
    reread_s: float = Field(default=60, ge=0.1, le=3600, description="How often all values are read, changed or not.")
    longest_rest_s: float = Field(default=3, ge=0.1, le=300, description="Between tries while it is away.")
    person_rest_s: float = Field(default=300, ge=0.1, le=3600, description="The same, where only a person can help.")
    conditions: bool = Field(default=False, description="Take the alarms that the server itself has, as they come.")
    acknowledge: bool = Field(default=False, description="Tell the machine that somebody accepted or fixed its alarm.")
    notifiers: tuple[str, ...] = Field(default=(), max_length=50, description="Listened to beside the server itself.")
    severities: tuple[int, int, int, int] = Field(
        default=SEVERITIES, description="From which of its severities an alarm is urgent, serious, ordinary, minor."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (
            not MOST + 1
            >= self.severities[0]
            >= self.severities[1]
            >= self.severities[2]
            >= self.severities[3]
            >= LEAST
        ):
            raise ValueError("severities must fall, from 1001 at most to 1 at least")
        return self


@dataclass(frozen=True, slots=True)
class Item:
    """One tag to read."""

    tag_id: UUID
    node: str
    sampling_ms: int


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """One connection and what to read through it. A change here means to connect anew."""

    source_id: UUID
    name: str
    url: str
    settings: LinkSettings
    items: tuple[Item, ...]
    security: Security = UNSECURED


@dataclass(frozen=True, slots=True)
class Plan:
    """A connection, the alarms on it, and when a person last asked to try again. `link` is None: see `fault`."""

    link: LinkPlan | None
    alarms: tuple[Alarm, ...]
    try_at: datetime | None = None
    fault: str = ""
