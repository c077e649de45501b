"""Reads about sources, tags, alarm rules and what was last known of them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import Row
from sqlmodel import Session, col, select

from app.machines.faults import BAD_SETTINGS
from app.machines.models import AlarmRule, AlarmState, Source, Tag
from app.machines.plan import Item, LinkPlan, LinkSettings, Plan
from app.machines.rule_documents import Extras, Spans, build
from app.machines.rules import BadRule, Shelving, State
from app.machines.shelving import shelvings
from app.machines.source_queries import security_of
from app.machines.watch import Alarm
from app.plant.models import Site, Station
from app.rosters.models import Shift

log = structlog.get_logger()

_ALARM = (
    AlarmRule.id,
    AlarmRule.kind,
    AlarmRule.setpoint,
    AlarmRule.deadband,
    AlarmRule.on_delay_s,
    AlarmRule.off_delay_s,
    AlarmRule.active_when,
    AlarmRule.severity,
    AlarmRule.category,
    AlarmRule.message,
    AlarmRule.component,
    AlarmRule.extras,
    AlarmRule.reset_at,
    AlarmRule.tag_id,
    Tag.source_id,
    Tag.station_id,
    Tag.names,
    Tag.unit,
)


def plan(session: Session, source_id: UUID) -> Plan | None:
    """Return what to watch at this source, or None when it is gone or switched off.

    A rule that cannot work is left out and logged: it must not blind the others.
    """
    source = session.get(Source, source_id)
    if source is None or not source.enabled:
        return None
    try:
        settings = LinkSettings.model_validate(source.settings)
    except ValidationError as error:
        log.warning("machines.bad_settings", source=source.name, problems=error.errors(include_url=False))
        return Plan(None, (), source.try_at, BAD_SETTINGS.code)
    tags = session.exec(
        select(Tag.id, Tag.node, Tag.sampling_ms).where(Tag.source_id == source_id).order_by(col(Tag.id))
    )
    items = tuple(Item(*tag) for tag in tags)
    rows = session.execute(
        select(*_ALARM)  # type: ignore[call-overload]
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .where(Tag.source_id == source_id, col(AlarmRule.enabled))
        .order_by(col(AlarmRule.id))
    )
    link = LinkPlan(source_id, source.name, source.url, settings, items, security_of(session, source))
    return Plan(link, tuple(_alarms(session, rows)), source.try_at)


def states(session: Session, source_id: UUID) -> dict[UUID, State]:
    """Return what was last made known of each rule of this source, switched off or not."""
    rows = session.execute(
        select(*_STATE)  # type: ignore[call-overload]
        .join(AlarmRule, col(AlarmRule.id) == col(AlarmState.rule_id))
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .where(Tag.source_id == source_id)
    )
    return {
        rule_id: State(active, since, None, changes, withheld, told_at if active else None, first=first)
        for rule_id, active, since, changes, withheld, told_at, first in rows
    }


def withdrawn(session: Session, source_id: UUID) -> list[tuple[Alarm, State]]:
    """Return the alarms that are known as active although nobody watches them any more."""
    rows = session.execute(
        select(*_ALARM, AlarmState.since, AlarmState.changes)  # type: ignore[call-overload]
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .join(AlarmState, col(AlarmState.rule_id) == col(AlarmRule.id))
        .where(Tag.source_id == source_id, col(AlarmRule.enabled).is_(False), col(AlarmState.active))
    ).all()
    alarms = {alarm.rule.id: alarm for alarm in _alarms(session, rows)}
    return [(alarms[row.id], State(True, row.since, None, row.changes)) for row in rows if row.id in alarms]


def spans(session: Session) -> Spans:
    """Return when each shift begins and ends."""
    return {one.id.hex: (one.starts, one.ends) for one in session.exec(select(Shift))}


def _alarms(session: Session, rows: Iterable[Row[Any]]) -> Iterable[Alarm]:
    """Make them ready to be watched. What only some of them need is asked for when one of them does."""
    found = list(rows)
    hidden = shelvings(session, [row.id for row in found])
    with_shifts = any(row.extras and row.extras.get("shifts") for row in found)
    hours = spans(session) if with_shifts else {}
    zones = dict(session.exec(_ZONES).all()) if with_shifts else {}
    for row in found:
        try:
            yield _alarm(row, hidden.get(row.id), hours, zones.get(row.station_id, "UTC"))
        except (BadRule, ValidationError) as error:
            log.warning("machines.bad_rule", rule=str(row.id), reason=str(error))


def _alarm(row: Row[Any], shelf: Shelving | None, hours: Spans, zone: str) -> Alarm:
    extras = Extras.model_validate(row.extras) if row.extras else None
    own = (row.kind, row.setpoint, row.deadband, row.on_delay_s, row.off_delay_s, row.active_when)
    more = {"extras": extras, "zone": zone, "spans": hours, "shelf": shelf, "reset_at": row.reset_at}
    return Alarm(
        build(row.id, *own, **more),
        source_id=row.source_id,
        tag_id=row.tag_id,
        station_id=row.station_id,
        tag=row.names,
        unit=row.unit,
        severity=row.severity,
        category=row.category,
        message=row.message,
        component=row.component,
        group=extras.group if extras else "",
    )


_ZONES = select(Station.id, Site.timezone).join(Site, col(Site.id) == col(Station.site_id))
_STATE = (
    AlarmState.rule_id,
    AlarmState.active,
    AlarmState.since,
    AlarmState.changes,
    AlarmState.withheld,
    AlarmState.changed_at,
    AlarmState.first_rule_id,
)
