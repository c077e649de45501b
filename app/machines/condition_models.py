"""Alarms that a server itself has (OPC UA Part 9): how they stand, where they belong, and what people answered."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.kit.columns import choice
from app.kit.ids import new_id

LONGEST_NODE = 500


class Act(StrEnum):
    """What a person may tell a machine about one of its alarms."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"


class AnswerState(StrEnum):
    """How far an answer has come. VOID: the machine did not need it any more."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    VOID = "void"


class Condition(SQLModel, table=True):
    """One condition of a server, or one branch of it, as it was last told. The id is drawn from the three that name it.

    None for `active`, `acked`, `confirmed`: this condition has no such state.
    """

    __table_args__ = (Index("condition_source", "source_id", "announced"),)

    id: UUID = Field(primary_key=True)
    source_id: UUID = Field(foreign_key="source.id", ondelete="CASCADE")
    node: str = Field(max_length=LONGEST_NODE, description="ConditionId, its namespace by name.")
    branch: str = Field(default="", max_length=LONGEST_NODE, description="BranchId; empty: the condition itself.")
    station_id: UUID | None = Field(default=None, foreign_key="station.id")
    name: str = Field(default="", max_length=200)
    source_name: str = Field(default="", max_length=200)
    message: str = Field(default="", max_length=300)
    event_id: str = Field(default="", description="The newest, in hexadecimal: answers must name it.")
    severity: int = Field(default=1, description="1 to 1000, as the server has it.")
    active: bool | None = None
    acked: bool | None = None
    confirmed: bool | None = None
    retain: bool = False
    hidden: str = Field(default="", max_length=20, description="shelved, suppressed, out_of_service; empty: it is not.")
    quality: str = Field(default="", max_length=60)
    told_at: datetime = Field(description="The time of its newest event, by our clock.")
    announced: bool = Field(default=False, description="Have we said that it is active?")
    level: int | None = Field(default=None, description="The severity we said, 1 to 4.")
    changes: int = Field(default=0, description="How often we said something of it.")


class ConditionPlace(SQLModel, table=True):
    """Which station the alarms of one of the server's own places belong to; `said` empty: all others."""

    __table_args__ = (UniqueConstraint("source_id", "said"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    source_id: UUID = Field(foreign_key="source.id", ondelete="CASCADE")
    said: str = Field(default="", max_length=LONGEST_NODE, description="SourceName, or SourceNode with its namespace.")
    station_id: UUID = Field(foreign_key="station.id")


class ConditionAnswer(SQLModel, table=True):
    """What a person answered, on its way to the machine. `due_at` is None when it is settled."""

    __table_args__ = (
        Index(
            "conditionanswer_due", "source_id", "due_at",
            sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    source_id: UUID = Field(foreign_key="source.id", ondelete="CASCADE")
    condition_id: UUID = Field(foreign_key="condition.id", ondelete="CASCADE", index=True)
    anomaly_id: UUID = Field(description="Where the result is told.")
    act: Act = Field(sa_type=choice(Act))
    comment: str = Field(default="", max_length=300)
    by_id: UUID | None = Field(default=None, foreign_key="person.id")
    by: str = Field(default="", max_length=80)
    asked_at: datetime
    state: AnswerState = Field(default=AnswerState.WAITING, sa_type=choice(AnswerState))
    due_at: datetime | None = Field(default=None, description="When to try, or to try again.")
    attempts: int = 0
    result: str = Field(default="", max_length=60, description="What the machine said: the name of a status.")
    settled_at: datetime | None = None
