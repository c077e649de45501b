"""What a worker needs to know to watch one source, as plain values: two plans that are equal need no action."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.machines.watch import Alarm


class LinkSettings(BaseModel):
    """What may be decided for each source. Times end in their unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    publishing_ms: float = Field(default=100, ge=10, le=60_000, description="How often the server sends changes.")
    keep_alive_s: float = Field(default=5, ge=0.1, le=60, description="How often it says that nothing changed.")
    probe_s: float = Field(default=5, ge=0.1, le=60, description="How often we ask whether it is alive.")
    patience_s: float = Field(default=6, ge=0.1, le=60, description="How long one answer may take.")
    reread_s: float = Field(default=60, ge=0.1, le=3600, description="How often all values are read, changed or not.")
    longest_rest_s: float = Field(default=10, ge=0.1, le=300, description="Between tries while it is away.")
    person_rest_s: float = Field(default=300, ge=0.1, le=3600, description="The same, where only a person can help.")


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


@dataclass(frozen=True, slots=True)
class Plan:
    """A connection, the alarms on it, and when a person last asked to try again. `link` is None: see `fault`."""

    link: LinkPlan | None
    alarms: tuple[Alarm, ...]
    try_at: datetime | None = None
    fault: str = ""
