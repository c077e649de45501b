"""A flow is what happens with one category of anomalies. A published version never changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.kit.columns import Document
from app.kit.ids import new_id


class Flow(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    category: str = Field(unique=True, max_length=40)
    position: int = 0
    current_id: UUID = Field(description="The published version that new anomalies get.")


class FlowVersion(SQLModel, table=True):
    """Immutable: an anomaly keeps the version it was opened with."""

    __table_args__ = (UniqueConstraint("flow_id", "number"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    flow_id: UUID = Field(foreign_key="flow.id")
    number: int
    document: dict[str, object] = Field(sa_type=Document)
    published_at: datetime
    published_by: str = Field(default="", max_length=80, description="Name at that time; empty: Pullcord itself.")


class RoutingVersion(SQLModel, table=True):
    """Who the duty responders are, as a whole. The one with the highest number holds; older ones are kept."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: int = Field(unique=True)
    document: list[dict[str, object]] = Field(sa_type=Document, description="The routes, in their order.")
    published_at: datetime
    published_by: str = Field(default="", max_length=80)
