"""A small plant in the database, with one machine source; and what became of its alarms, in words to assert on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Occurrence
from app.flows import actions as flows
from app.flows import starter
from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines.models import AlarmRule, AlarmState, Source, Tag
from app.machines.rules import Kind
from app.plant.models import Area, Line, Site, Station
from tests.machines.ear import BRISK
from tests.machines.oven import Oven


@dataclass
class Plant:
    """Press 7, whose values a server tells."""

    db: Database
    station_id: UUID
    source_id: UUID

    async def watch(self, tag: str, kind: str, **rule: Any) -> UUID:
        """Have an alarm on a tag of the oven; the tag is made when it is new."""
        return await self.db.write(_watch, self, Oven.node(tag), tag, Kind(kind), rule)

    async def change(self, table: type[Any], row_id: UUID, **values: Any) -> None:
        await self.db.write(_change, table, row_id, values)

    async def source(self) -> Source:
        return await self.db.read(lambda session: session.get_one(Source, self.source_id))

    async def state(self, rule_id: UUID) -> AlarmState:
        return await self.db.read(lambda session: session.get_one(AlarmState, rule_id))

    async def changes(self, rule_id: UUID) -> int:
        """How often this alarm is known to have risen or cleared."""
        state = await self.db.read(lambda session: session.get(AlarmState, rule_id))
        return state.changes if state else 0

    async def signals(self) -> list[tuple[str, str]]:
        """What was told of machines, in order: kind and message."""
        return [(row.kind, row.message) for row in await self.occurrences()]

    async def occurrences(self) -> Sequence[Occurrence]:
        order = col(Occurrence.received_at), col(Occurrence.occurred_at), col(Occurrence.id)
        return await self.db.read(lambda session: session.exec(select(Occurrence).order_by(*order)).all())

    async def anomalies(self) -> Sequence[Anomaly]:
        return await self.db.read(lambda session: session.exec(select(Anomaly).order_by(col(Anomaly.number))).all())


async def lay_out(db: Database, url: str, **settings: float) -> Plant:
    """Build it. `settings` are those of the link."""
    station_id, source_id = await db.write(_lay_out, url, {**BRISK, **settings})
    return Plant(db, station_id, source_id)


def _lay_out(session: Session, url: str, settings: dict[str, object]) -> tuple[UUID, UUID]:
    for document in starter.documents():
        flows.publish(session, document, now=utcnow())
    site = Site(names={"en": "Plant"}, timezone="Asia/Shanghai")
    area = Area(site_id=site.id, names={"en": "Hall 1"})
    line = Line(area_id=area.id, names={"en": "Line 3"})
    station = Station(line_id=line.id, site_id=site.id, code="PRESS7", names={"en": "Press 7", "zh": "7 号冲压机"})
    source = Source(name="oven", url=url, settings=settings)
    for row in (site, area, line, station, source):
        session.add(row)
        session.flush()
    return station.id, source.id


def _watch(session: Session, plant: Plant, node: str, name: str, kind: Kind, rule: dict[str, Any]) -> UUID:
    tag = session.exec(select(Tag).where(Tag.node == node)).one_or_none()
    if tag is None:
        tag = Tag(source_id=plant.source_id, station_id=plant.station_id, node=node, names={"en": name}, unit="°C")
        session.add(tag)
        session.flush()
    made = AlarmRule(tag_id=tag.id, kind=kind, **rule)
    session.add(made)
    session.flush()
    return made.id


def _change(session: Session, table: type[Any], row_id: UUID, values: dict[str, Any]) -> None:
    row = session.get_one(table, row_id)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
