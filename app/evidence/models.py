"""What the machine showed around an alarm, kept for as long as its anomaly."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.kit.columns import Document, Names, choice
from app.kit.ids import new_id


class Moment(StrEnum):
    """What happened in the middle of a snapshot."""

    ALARM = "alarm"
    NORMAL = "normal"


class Part(StrEnum):
    """Why a tag is in a snapshot."""

    ALARM = "alarm"
    CHOSEN = "chosen"
    SUSPECT = "suspect"
    BATCH = "batch"
    PRODUCT = "product"


class Snapshot(SQLModel, table=True):
    """From so long before a moment until so long after it. Until it is frozen, its values are in the history."""

    __table_args__ = (
        Index(
            "snapshot_running",
            "until",
            sqlite_where=text("frozen_at IS NULL"),
            postgresql_where=text("frozen_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    anomaly_id: UUID = Field(foreign_key="anomaly.id", index=True)
    station_id: UUID = Field(foreign_key="station.id")
    moment: Moment = Field(sa_type=choice(Moment))
    rule_id: UUID | None = None
    tag_id: UUID | None = Field(default=None, description="The tag of the alarm, where it is known.")
    limit: float | None = None
    at: datetime
    since: datetime
    until: datetime
    frozen_at: datetime | None = None


class SnapshotTag(SQLModel, table=True):
    """One tag in a frozen snapshot, with everything that is needed to show it when the tag itself is gone."""

    snapshot_id: UUID = Field(foreign_key="snapshot.id", ondelete="CASCADE", primary_key=True)
    tag_id: UUID = Field(primary_key=True)
    part: Part = Field(sa_type=choice(Part))
    names: Names = Field(sa_type=Document)
    place: Names = Field(sa_type=Document, description="What the tag's station was called.")
    unit: str = Field(default="", max_length=20)
    score: float | None = Field(default=None, description="By how many times its usual spread it had changed before.")
    was: float | None = None
    became: float | None = None
    moved_at: datetime | None = None
    data: bytes


class EvidenceTag(SQLModel, table=True):
    """What engineers want to see with the alarms of a station, beside the alarm's own tag. No row: all tags there."""

    station_id: UUID = Field(foreign_key="station.id", primary_key=True)
    tag_id: UUID = Field(foreign_key="tag.id", ondelete="CASCADE", primary_key=True)
    part: Part = Field(default=Part.CHOSEN, sa_type=choice(Part))


class EvidenceReader(SQLModel, table=True):
    """How far the event log was read in search of alarms. One row."""

    id: int = Field(default=1, primary_key=True)
    seq: int = 0
