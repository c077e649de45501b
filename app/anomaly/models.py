"""An anomaly, the signals that belong to it, and everything that ever happened to it."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, Integer, text
from sqlmodel import Field, SQLModel

from app.anomaly.lifecycle import Status
from app.kit.columns import Document, Names, choice
from app.kit.ids import new_id


class Clock(StrEnum):
    """The moments an anomaly may be waiting for; `Anomaly.next_clock_at` says when the next one strikes."""

    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    RESOLVED = "resolved"
    VERIFIED = "verified"
    HOLD = "hold"
    WATCH = "watch"


def _partial_index(name: str, *columns: str, where: str, pg: str = "") -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(pg or where))


def _queue_index(name: str, *leading: str) -> Index:
    # "IS NULL" first: databases disagree whether what waits for no clock comes first or last.
    order = ("severity", text("(next_clock_at IS NULL)"), "next_clock_at", "id")
    return Index(name, *leading, *order, sqlite_where=text("in_queue IS 1"), postgresql_where=text("in_queue IS true"))


class Anomaly(SQLModel, table=True):
    """One real event from detection to verified closure; it may have many occurrences."""

    __table_args__ = (
        # The queue, in the order of the page. What has ended is in none of them.
        _queue_index("anomaly_queue"),
        _queue_index("anomaly_team_queue", "team_id"),
        _queue_index("anomaly_line_queue", "line_id"),
        _partial_index("anomaly_to_verify", "line_id", "team_id", where="status = 'resolved'"),
        _partial_index("anomaly_owner", "owner_id", "in_queue", where="owner_id IS NOT NULL"),
        _partial_index("anomaly_offered", "offered_to_id", where="offered_to_id IS NOT NULL"),
        _partial_index("anomaly_clock", "next_clock_at", where="next_clock_at IS NOT NULL"),
        Index("anomaly_station", "station_id", "received_at"),
        _partial_index("anomaly_station_open", "station_id", where="in_queue IS 1", pg="in_queue IS true"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: int = Field(unique=True, description="What people call it over the radio.")
    # Site, line, team and shift are what they were then, copied by intake, never deleted. A foreign key of each would
    # be checked with every alarm edge: together a fifth of what the database does in a flood.
    site_id: UUID
    line_id: UUID
    station_id: UUID = Field(foreign_key="station.id")
    flow_version_id: UUID = Field(foreign_key="flowversion.id")
    category: str = Field(max_length=40)
    symptom: str = Field(default="", max_length=80)
    message: str = Field(default="", description="One line: what the machine or the person says.")
    said: Names | None = Field(default=None, sa_type=Document, description="The same from a machine, in each language.")
    origin: str = Field(max_length=20, description="Where the first signal came from: phone, opcua.")
    severity: int
    status: Status = Field(default=Status.REPORTED, sa_type=choice(Status))
    in_queue: bool = True
    practice: bool = False

    team_id: UUID | None = Field(default=None, description="The team that answers for it.")
    owner_id: UUID | None = Field(default=None, foreign_key="person.id")
    offered_to_id: UUID | None = Field(default=None, foreign_key="person.id", description="Hand-over not yet accepted.")
    resolver_id: UUID | None = Field(default=None, foreign_key="person.id")
    helpers: dict[str, str] | None = Field(
        default=None, sa_type=Document, description="Who comes too without owning it: names by the id of the person."
    )

    occurred_at: datetime
    received_at: datetime
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    contained_at: datetime | None = None
    resolved_at: datetime | None = None
    verified_at: datetime | None = None
    ended_at: datetime | None = None
    local_day: date = Field(description="In the site's wall clock, stored so that figures need no zone arithmetic.")
    local_hour: int
    shift_id: UUID | None = None

    next_clock_at: datetime | None = Field(default=None, description="When dispatch must look at it next.")
    clock: Clock | None = Field(default=None, sa_type=choice(Clock))
    clock_from: datetime | None = Field(default=None, description="When that clock was started.")
    rung: int = Field(default=0, description="How many rungs of that clock have been called.")
    unseen: int = Field(default=0, description="How many rungs of the clock 'displayed', which runs beside 'accepted'.")
    round: int = Field(default=0, description="Counts the starts of clocks: what was planned in an older one is void.")

    held_since: datetime | None = None
    held_until: datetime | None = None
    hold_reason: str = ""

    occurrences: int = 1
    me_too: int = 0
    line_stopped: bool | None = None
    danger: bool | None = None
    alarms: int = Field(default=0, description="How many of the occurrences a machine sent.")
    alarms_active: int = Field(default=0, description="How many of its alarms have not returned to normal.")
    photo_id: UUID | None = None
    previous_id: UUID | None = None
    split_from_id: UUID | None = None
    end_reason: str = Field(default="", max_length=40)

    @property
    def held(self) -> bool:
        return self.held_since is not None


PEOPLE = ("report", "me_too")
"""Kinds of signals that a person sent: only these have a reporter, with a receipt."""


class Fingerprint(SQLModel, table=True):
    """Which anomaly a signal belongs to while it is open. Its primary key is what makes one event one anomaly."""

    key: str = Field(primary_key=True, max_length=200)
    anomaly_id: UUID = Field(foreign_key="anomaly.id", index=True)


class Occurrence(SQLModel, table=True):
    """One signal edge or one report. Its id was made by whoever saw it: the same id is the same signal."""

    id: UUID = Field(primary_key=True)
    anomaly_id: UUID = Field(foreign_key="anomaly.id", index=True)
    station_id: UUID = Field(description="The anomaly's; no key of its own, as above.")
    kind: str = Field(max_length=20)
    source: str = Field(max_length=20)
    fingerprint: str = Field(max_length=200)
    digest: str = Field(max_length=32, description="Of what was sent, to tell a repeat from a clash.")
    message: str = ""
    details: dict[str, object] = Field(sa_type=Document)
    reporter_id: UUID | None = Field(default=None, foreign_key="person.id", description="Private: see people.")
    rule_id: UUID | None = None
    occurred_at: datetime
    captured_at: datetime | None = None
    received_at: datetime


class Event(SQLModel, table=True):
    """Append-only: the history people read, the outbox the loops drain, the stream the pages follow.

    `seq` grows in the order of commits, on every database: who has seen seq n has seen all before it.
    """

    __table_args__ = (
        Index("event_anomaly", "anomaly_id", "seq"),
        _partial_index("event_untold", "seq", where="told_at IS NULL"),
        _partial_index("event_by", "by_id", "at", where="by_id IS NOT NULL"),
    )

    seq: int = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    anomaly_id: UUID = Field(foreign_key="anomaly.id")
    kind: str = Field(max_length=30)
    at: datetime
    by_id: UUID | None = Field(default=None, foreign_key="person.id")
    by: str = Field(default="", max_length=80, description="Name at that time; empty: anonymous or Pullcord itself.")
    details: dict[str, object] = Field(sa_type=Document)
    once: str | None = Field(default=None, unique=True, max_length=120, description="What may happen only once.")
    told_at: datetime | None = Field(default=None, description="When dispatch took it.")


class Purpose(StrEnum):
    REPORT = "report"
    AFTER = "after"


class Attachment(SQLModel, table=True):
    """A photo or a voice note, already made safe. The bytes are in the file store under their own hash."""

    id: UUID = Field(primary_key=True)
    anomaly_id: UUID = Field(foreign_key="anomaly.id", index=True)
    occurrence_id: UUID | None = Field(default=None, foreign_key="occurrence.id")
    kind: str = Field(max_length=10, description="photo or voice")
    purpose: Purpose = Field(default=Purpose.REPORT, sa_type=choice(Purpose))
    key: str = Field(max_length=80)
    thumb: str = Field(default="", max_length=80)
    media_type: str = Field(max_length=40)
    size: int
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    digest: str = Field(max_length=64, description="SHA-256 of what was sent, to tell a repeat from a clash.")
    created_at: datetime
