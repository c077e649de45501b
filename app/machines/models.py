"""Where machines are reached, what is read there, and when it is an alarm. Names as in ISA-18.2 / OPC UA Part 9."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.kit.columns import Document, Names, choice
from app.kit.ids import new_id
from app.machines.rules import Kind
from app.machines.security import Login, Mode, Policy


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
    policy: Policy = Field(default=Policy.NONE, sa_type=choice(Policy))
    mode: Mode = Field(default=Mode.NONE, sa_type=choice(Mode))
    login: Login = Field(default=Login.ANONYMOUS, sa_type=choice(Login))
    sealed: str = Field(default="", description="What the login needs, for this installation's secret only.")
    isolated: bool = Field(default=False, description="Somebody said that nobody can listen: passwords may go plain.")

    state: LinkState = Field(default=LinkState.IDLE, sa_type=choice(LinkState))
    fault: str = Field(default="", max_length=60, description="Code of what is wrong, in faults.py; empty: nothing.")
    connected_at: datetime | None = None
    last_value_at: datetime | None = None
    reconnects: int = 0
    bad_values: int = Field(default=0, description="How many of its tags show no good value now.")
    clock_offset_s: float | None = Field(default=None, description="How far its clock is behind ours.")
    overflows: int = Field(default=0, description="How often changes were lost; present values were then read again.")
    try_at: datetime | None = Field(default=None, description="When a person last asked to try again at once.")
    lease_by: str | None = Field(default=None, max_length=80)
    lease_until: datetime | None = None


class ServerCertificate(SQLModel, table=True):
    """A server's certificate that a person has compared and accepted. The one that has not ended is the trusted one."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    source_id: UUID = Field(foreign_key="source.id", ondelete="CASCADE", index=True)
    der: bytes = Field(sa_type=LargeBinary)
    sha256: str = Field(max_length=95)
    trusted_at: datetime
    trusted_by: str = Field(max_length=80)
    ended_at: datetime | None = None


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
    eu_low: float | None = Field(default=None, description="EURange: what the machine can show in normal operation.")
    eu_high: float | None = None


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
    extras: dict[str, object] = Field(default_factory=dict, sa_type=Document, description="See rule_documents.Extras.")
    reset_at: datetime | None = Field(default=None, description="When somebody last reset it, if it is latched.")


class RuleVersion(SQLModel, table=True):
    """A rule as it was from one moment on. Immutable; the one with the highest number holds."""

    __table_args__ = (UniqueConstraint("rule_id", "number"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    rule_id: UUID = Field(foreign_key="alarmrule.id", ondelete="CASCADE")
    number: int
    document: dict[str, object] = Field(sa_type=Document, description="See rule_documents.RuleDocument.")
    at: datetime
    by: str = Field(default="", max_length=80, description="Name at that time; empty: Pullcord itself.")


class ShelfKind(StrEnum):
    ONE_SHOT = "one_shot"
    TIMED = "timed"
    OUT_OF_SERVICE = "out_of_service"


class Subject(StrEnum):
    """What can be shelved: an alarm of ours, or one that the machine itself has."""

    RULE = "rule"
    CONDITION = "condition"


class Shelf(SQLModel, table=True):
    """Somebody has hidden an alarm, and says why. It ends by itself, by hand, or when the alarm is normal once."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject: Subject = Field(sa_type=choice(Subject))
    subject_id: UUID = Field(index=True)
    kind: ShelfKind = Field(sa_type=choice(ShelfKind))
    reason: str = Field(max_length=300)
    by: str = Field(max_length=80, description="Name at that time.")
    since: datetime
    until: datetime | None = Field(default=None, description="None: out of service, or until it is normal once.")
    ended_at: datetime | None = None
    ended_by: str = Field(default="", max_length=80, description="Empty: by itself.")


class Withheld(SQLModel, table=True):
    """An edge of an alarm that nobody was told of, because it was shelved or suppressed by design."""

    id: UUID = Field(primary_key=True, description="The key of the edge.")
    rule_id: UUID = Field(foreign_key="alarmrule.id", ondelete="CASCADE", index=True)
    why: str = Field(max_length=20)
    active: bool
    since: datetime
    at: datetime
    value: str = Field(default="", max_length=80)


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
    withheld: str = Field(default="", max_length=20, description="The condition is there, but is not told, and why.")
    first_rule_id: UUID | None = Field(default=None, description="The alarm of its group that it followed.")
