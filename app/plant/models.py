"""The plant after ISA-95: Site › Area › Line (work center) › Station (work unit)."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.kit.columns import Document, Names
from app.kit.ids import new_id


class Site(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    names: Names = Field(sa_type=Document)
    timezone: str = Field(description="IANA zone: shifts and figures are in the wall clock of the site.")


class Area(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    names: Names = Field(sa_type=Document)


class Line(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_id: UUID = Field(foreign_key="area.id", index=True)
    names: Names = Field(sa_type=Document)
    position: int = 0


class Station(SQLModel, table=True):
    """A work unit: the thing that carries a label with a QR code."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    line_id: UUID = Field(foreign_key="line.id", index=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    code: str = Field(unique=True, max_length=12, description="Crockford letters, upper case, printed on the label.")
    names: Names = Field(sa_type=Document)
    position: int = 0
    retired_at: datetime | None = None


class Board(SQLModel, table=True):
    """A screen in the hall. Whoever has its address sees what is open there, and can do nothing."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    site_id: UUID = Field(foreign_key="site.id", index=True)
    area_id: UUID | None = Field(default=None, foreign_key="area.id", description="None: the whole site.")
    name: str = Field(max_length=80)
    token: str = Field(unique=True, max_length=64, description="SHA-256 of what stands in its address.")
    names_shown: bool = Field(default=False, description="Whether it may say who is on the way.")
    created_at: datetime
    seen_at: datetime | None = Field(default=None, description="When it last asked what to show.")
    revoked_at: datetime | None = None
