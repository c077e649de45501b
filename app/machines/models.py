"""Where machines are reached, what is read there, and when it is an alarm. Names as in ISA-18.2 / OPC UA Part 9."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.kit.columns import Document, Names, choice
from app.kit.ids import new_id
from app.machines.rules import Kind


class LinkState(StrEnum):
    """How it stands with the connection to a source."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RETRYING = "retrying"
    NEEDS_PERSON = "needs_person"


class Source(SQLModel, table=True):
    """A server that machines speak through. Leased by one worker at a time; `lease_until` says for how long."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=80)
    url: str = Field(max_length=500)
    enabled: bool = True
    settings: dict[str, object] = Field(default_factory=dict, sa_type=Document, description="See LinkSettings.")

    state: LinkState = Field(default=LinkState.IDLE, sa_type=choice(LinkState))
    fault: str = Field(default="", max_length=60, description="Code of what is wrong, in faults.py; empty: nothing.")
    connected_at: datetime | None = None
    last_value_at: datetime | None = None
    reconnects: int = 0
    try_at: datetime | None = Field(default=None, description="When a person last asked to try again at once.")
    lease_by: str | None = Field(default=None, max_length=80)
    lease_until: datetime | None = None


class Tag(SQLModel, table=True):
    """One value of a source. `node` keeps the namespace by name, `nsu=urn:maker:oven;s=Zone1.Temp`: numbers move."""

    __table_args__ = (UniqueConstraint("source_id", "node"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    source_id: UUID = Field(foreign_key="source.id")
    station_id: UUID = Field(foreign_key="station.id", index=True)
    node: str = Field(max_length=500)
    names: Names = Field(sa_type=Document)
    unit: str = Field(default="", max_length=20)
    sampling_ms: int = 100


class AlarmRule(SQLModel, table=True):
    """When a tag is abnormal, and who must know. See rules.Rule for what the numbers mean."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    tag_id: UUID = Field(foreign_key="tag.id", index=True)
    kind: Kind = Field(sa_type=choice(Kind))
    setpoint: float | None = None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    active_when: bool = True
    severity: int = Field(default=3, description="1 (urgent) to 4 (minor).")
    category: str = Field(default="machine", max_length=40)
    message: Names = Field(default_factory=dict, sa_type=Document, description="May hold {tag} {value} {unit} {limit}.")
    component: str = Field(default="", max_length=80)
    enabled: bool = True


class AlarmState(SQLModel, table=True):
    """What was last made known of a rule: after a restart it tells what rose or cleared while we were away."""

    rule_id: UUID = Field(foreign_key="alarmrule.id", ondelete="CASCADE", primary_key=True)
    active: bool = False
    since: datetime | None = Field(default=None, description="When the condition began to be so.")
    changed_at: datetime | None = Field(default=None, description="When we said so; delays lie in between.")
    changes: int = 0
    value: str = Field(default="", max_length=80)
    status: str = Field(default="", max_length=60)
    sample_at: datetime | None = None
