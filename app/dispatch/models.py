"""What was sent to whom, and how far it got. Delivery is what the phone showed, not what a push service answered."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.kit.columns import Document, choice
from app.kit.ids import new_id

CALL, NEWS, BELL, TEST = "call", "news", "bell", "test"  # somebody must come; nobody has to move; is it heard?
CHANGE = "change"  # what was said is put right: not a new message


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
        Index(
            "delivery_displayed",
            "displayed_at",
            sqlite_where=text("displayed_at IS NOT NULL"),
            postgresql_where=text("displayed_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    once: str = Field(unique=True, max_length=200, description="Cause, person and address: what may be sent only once.")
    anomaly_id: UUID | None = Field(default=None, foreign_key="anomaly.id", description="None: a bell test, a test.")
    person_id: UUID | None = Field(default=None, foreign_key="person.id", index=True, description="None: to an outlet.")
    outlet_id: UUID | None = Field(default=None, foreign_key="outlet.id", index=True)
    checkin_id: UUID | None = Field(default=None, foreign_key="checkin.id", index=True)
    channel: str = Field(max_length=20)
    address_id: UUID | None = Field(default=None, foreign_key="address.id")
    purpose: str = Field(
        max_length=20, description="call: somebody must come; news: nobody has to move; bell: the test at shift start."
    )
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
    receipt: dict[str, object] | None = Field(
        default=None, sa_type=Document, description="What the channel calls the message, to change it later."
    )


class Outlet(SQLModel, table=True):
    """A place that can be rung without being a person: a group's chat robot, a webhook, a stack light, a siren."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    channel: str = Field(max_length=20)
    name: str = Field(max_length=80)
    target: str = Field(description="Address and secrets, sealed with the installation's own key.")
    line_id: UUID | None = Field(default=None, foreign_key="line.id", description="None: of every line.")
    team_id: UUID | None = Field(default=None, foreign_key="team.id", description="None: of every team.")
    severity: int = Field(default=4, description="Rings for this severity and worse ones.")
    from_rung: bool = Field(
        default=True, description="Only when a rung names its channel; else from the first call on."
    )
    created_at: datetime
    gone_at: datetime | None = None
    worked_at: datetime | None = Field(default=None, description="When something was last delivered.")
    failed_at: datetime | None = None
    fault: str = Field(default="", max_length=200)
    quiet_until: datetime | None = Field(default=None, description="Its limit is used up: nothing is sent before.")
    paused_at: datetime | None = Field(default=None, description="An administrator wants it silent.")
