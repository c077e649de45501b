"""Who works when, who is away, who stands in for whom, and whose phone was heard at the start of the shift."""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.kit.columns import Document, Names, choice
from app.kit.ids import new_id


class Shift(SQLModel, table=True):
    """In the site's local wall clock; one that ends before it starts runs over midnight."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    names: Names = Field(sa_type=Document)
    sign: str = Field(default="", max_length=4, description="What stands in a cell of the roster: 早, N.")
    starts: time
    ends: time

    @property
    def mark(self) -> str:
        """What stands in a cell of the roster: its sign, or its name where it has none."""
        return self.sign or next(iter(self.names.values()), "")


class Duty(SQLModel, table=True):
    """One line of the roster: this person works this shift on this local date (the date the shift starts)."""

    __table_args__ = (UniqueConstraint("person_id", "shift_id", "day"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    shift_id: UUID = Field(foreign_key="shift.id")
    day: date = Field(index=True)


class AwayFor(StrEnum):
    LEAVE = "leave"
    SICK = "sick"
    TRAINING = "training"
    OTHER = "other"


class Absence(SQLModel, table=True):
    """Days on which somebody is not there, whatever the roster says. Both days are included."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    first_day: date
    last_day: date = Field(index=True)
    reason: AwayFor = Field(default=AwayFor.LEAVE, sa_type=choice(AwayFor))


class SwapState(StrEnum):
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Swap(SQLModel, table=True):
    """Somebody asks a colleague to take a duty over. Only who is asked may agree."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    duty_id: UUID = Field(foreign_key="duty.id", index=True, ondelete="CASCADE")
    from_id: UUID = Field(foreign_key="person.id", index=True)
    to_id: UUID = Field(foreign_key="person.id", index=True)
    state: SwapState = Field(default=SwapState.ASKED, sa_type=choice(SwapState))
    asked_at: datetime
    answered_at: datetime | None = None


class CheckIn(SQLModel, table=True):
    """The bell test: one ring at the start of a shift. The tap that answers it proves the phone and puts on duty."""

    __table_args__ = (
        UniqueConstraint("person_id", "shift_id", "day"),
        Index(
            "checkin_open",
            "rung_at",
            sqlite_where=text("answered_at IS NULL AND silent_at IS NULL"),
            postgresql_where=text("answered_at IS NULL AND silent_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    shift_id: UUID = Field(foreign_key="shift.id")
    day: date
    rung_at: datetime = Field(description="When the bell was rung.")
    answered_at: datetime | None = None
    silent_at: datetime | None = Field(default=None, description="When it was given up: the phone is red from then on.")
    left_at: datetime | None = Field(default=None, description="Checked out: handed over and gone.")


class Squad(SQLModel, table=True):
    """A rapid-response group (异常处理小组) of people from any team, called together."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    key: str = Field(unique=True, max_length=40, description="The name ladders use for it.")
    names: Names = Field(sa_type=Document)


class SquadMember(SQLModel, table=True):
    squad_id: UUID = Field(foreign_key="squad.id", primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True, index=True)


class HandoverNote(SQLModel, table=True):
    """What the next shift must know, beside what is open anyway."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id")
    line_id: UUID | None = Field(default=None, foreign_key="line.id")
    shift_id: UUID | None = Field(default=None, foreign_key="shift.id")
    day: date
    from_id: UUID = Field(foreign_key="person.id")
    text: str = ""
    summary: dict[str, object] = Field(sa_type=Document, description="What was open, as it was then.")
    given_at: datetime
    received_by_id: UUID | None = Field(default=None, foreign_key="person.id")
    received_at: datetime | None = None
