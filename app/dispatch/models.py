"""What was sent to whom, and how far it got. Delivery is what the phone showed, not what a push service answered."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.kit.columns import Document, choice
from app.kit.ids import new_id

CALL, NEWS = "call", "news"  # somebody must come; nobody has to move


class DeliveryState(StrEnum):
    PLANNED = "planned"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"  # no longer needed: somebody has accepted meanwhile


class Delivery(SQLModel, table=True):
    """One message to one person over one channel, because of one event."""

    __table_args__ = (
        Index(
            "delivery_due",
            "due_at",
            sqlite_where=text("state = 'planned'"),
            postgresql_where=text("state = 'planned'"),
        ),
        Index("delivery_anomaly", "anomaly_id", "planned_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    once: str = Field(unique=True, max_length=200, description="Cause, person and address: what may be sent only once.")
    anomaly_id: UUID = Field(foreign_key="anomaly.id")
    person_id: UUID = Field(foreign_key="person.id", index=True)
    channel: str = Field(max_length=20)
    address_id: UUID | None = Field(default=None, foreign_key="address.id")
    purpose: str = Field(max_length=20, description="call: somebody must come; news: nobody has to move.")
    why: dict[str, object] = Field(sa_type=Document)
    round: int = Field(default=0, description="The anomaly's round it was planned in: a call of an older one is void.")
    rung: int = 0
    state: DeliveryState = Field(default=DeliveryState.PLANNED, sa_type=choice(DeliveryState))
    due_at: datetime
    attempts: int = 0
    error: str = Field(default="", max_length=200)
    token_used_at: datetime | None = None
    planned_at: datetime
    sent_at: datetime | None = None
    displayed_at: datetime | None = None
    opened_at: datetime | None = None
