"""How it was put right, as the owner says; somebody else verifies."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.kit.columns import choice
from app.kit.ids import new_id


class CauseClass(StrEnum):
    """5M1E, 人机料法环测."""

    MAN = "man"
    MACHINE = "machine"
    MATERIAL = "material"
    METHOD = "method"
    ENVIRONMENT = "environment"
    MEASUREMENT = "measurement"


class Resolution(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    anomaly_id: UUID = Field(foreign_key="anomaly.id", index=True)
    by_id: UUID = Field(foreign_key="person.id")
    cause_class: CauseClass | None = Field(default=None, sa_type=choice(CauseClass))
    cause: str = ""
    fix: str = ""
    permanent: bool = False
    at: datetime
    verdict: str = Field(default="", max_length=20, description="verified or sent_back")
    verdict_by_id: UUID | None = Field(default=None, foreign_key="person.id")
    verdict_at: datetime | None = None
    verdict_reason: str = ""


class Override(SQLModel, table=True):
    """Somebody said that it works while the machine said otherwise. Why is in the event; this is for counting."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    anomaly_id: UUID = Field(foreign_key="anomaly.id")
    station_id: UUID = Field(foreign_key="station.id", index=True)
    by_id: UUID | None = Field(default=None, foreign_key="person.id")
    at: datetime
