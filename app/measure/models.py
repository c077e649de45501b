"""What was proposed for an alarm and applied with one tap; what was before is kept, so one tap takes it back."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.kit.ids import new_id


class Tuning(SQLModel, table=True):
    """A rule's dead-band and delays (seconds) before and after. Taken back when `ended_at` is set."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    rule_id: UUID = Field(foreign_key="alarmrule.id", ondelete="CASCADE", index=True)
    by: str = Field(max_length=80)
    at: datetime
    was_deadband: float
    was_on_delay_s: float
    was_off_delay_s: float
    deadband: float
    on_delay_s: float
    off_delay_s: float
    ended_at: datetime | None = None
    ended_by: str = Field(default="", max_length=80)
