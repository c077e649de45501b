"""What machines showed, kept in packed stretches; and of which tags every moment is wanted soon."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.kit.ids import new_id


class Stretch(SQLModel, table=True):
    """Samples of one tag over some minutes, as `packing.pack` writes them.

    `tag_id` has no key of its own: it would be checked for every row, and what belongs to nobody is forgotten anyway.
    """

    __table_args__ = (Index("stretch_tag", "tag_id", "begins"), Index("stretch_age", "step_s", "ends"))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    tag_id: UUID
    begins: datetime
    ends: datetime
    step_s: int = Field(default=0, description="0: in full. Otherwise of so many seconds the ends and the last.")
    count: int
    lowest: float | None = None
    highest: float | None = None
    size: int
    data: bytes


class HotTag(SQLModel, table=True):
    """Somebody looks at this tag now: until then its samples are stored within seconds."""

    tag_id: UUID = Field(primary_key=True)
    until: datetime
