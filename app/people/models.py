"""Who works here, how they are reached, and how they prove who they are."""

from datetime import datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.kit.columns import Document, Names, choice
from app.kit.ids import new_id


class Role(StrEnum):
    """Each role may do what the one before it may, and more."""

    OPERATOR = "operator"
    TEAM_LEAD = "team_lead"
    ENGINEER = "engineer"
    MANAGER = "manager"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Team(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    key: str = Field(unique=True, max_length=40, description="The name flows use for it, such as maintenance.")
    names: Names = Field(sa_type=Document)


class Person(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    team_id: UUID | None = Field(default=None, foreign_key="team.id", index=True)
    line_id: UUID | None = Field(default=None, foreign_key="line.id", description="Answers for this line only.")
    name: str = Field(max_length=80)
    role: Role = Field(default=Role.OPERATOR, sa_type=choice(Role))
    language: str = Field(default="", max_length=10, description="Empty: as the phone asks.")
    email: str = Field(default="", max_length=200)
    deputy_id: UUID | None = Field(default=None, foreign_key="person.id", description="Is told when this phone is red.")
    ways: list[str] = Field(
        default_factory=list, sa_type=Document, description="Channels in this person's own order; empty: the plant's."
    )
    quiet_from: time | None = Field(default=None, description="Local time; severity 1 rings all the same.")
    quiet_until: time | None = None
    calls_muted: bool = Field(default=False, description="Rings for severity 1 only, as in quiet hours all day long.")
    news_muted: bool = Field(default=False, description="News are only shown inside the app.")
    badge: str | None = Field(default=None, unique=True, max_length=64, description="SHA-256 of the badge's secret.")
    pin: str = Field(default="", description="argon2 hash; empty: cannot log in with a PIN.")
    password: str = Field(default="", description="argon2 hash; empty: none set.")
    failed_logins: int = 0
    locked_until: datetime | None = None
    left_at: datetime | None = None


class Address(SQLModel, table=True):
    """One way to reach one person: a browser that subscribed, an e-mail address."""

    __table_args__ = (UniqueConstraint("channel", "fingerprint"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    channel: str = Field(max_length=20)
    fingerprint: str = Field(
        max_length=64, description="SHA-256 of what makes it unique, so that one phone is one row."
    )
    target: dict[str, object] = Field(sa_type=Document)
    label: str = Field(default="", max_length=200)
    created_at: datetime
    seen_at: datetime
    proven_at: datetime | None = Field(default=None, description="When it last showed a message: proof that it rings.")
    gone_at: datetime | None = None


class PhoneCheck(SQLModel, table=True):
    """What a phone found out about itself, under a code short enough for the radio."""

    code: str = Field(primary_key=True, max_length=12)
    person_id: UUID | None = Field(default=None, foreign_key="person.id", description="None: nobody was signed in.")
    device: str = Field(default="", max_length=200)
    found: dict[str, object] = Field(sa_type=Document, description="Of each row of the check, what was found.")
    checked_at: datetime = Field(index=True)


class Login(SQLModel, table=True):
    """A server-side session. The browser holds the secret, we hold its hash."""

    token: str = Field(primary_key=True, max_length=64, description="SHA-256 of the cookie.")
    person_id: UUID = Field(foreign_key="person.id", index=True)
    device: str = Field(default="", max_length=200)
    created_at: datetime
    expires_at: datetime
