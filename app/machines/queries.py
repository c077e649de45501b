"""Reads about sources, tags, alarm rules and what was last known of them."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import Row
from sqlmodel import Session, col, select

from app.machines.faults import BAD_SETTINGS
from app.machines.models import AlarmRule, AlarmState, Source, Tag
from app.machines.plan import Item, LinkPlan, LinkSettings, Plan
from app.machines.rules import BadRule, Rule, State
from app.machines.watch import Alarm

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
    link = LinkPlan(source_id, source.name, source.url, settings, items)
    return Plan(link, tuple(_alarms(rows)), source.try_at)


def states(session: Session, source_id: UUID) -> dict[UUID, State]:
    """Return what was last made known of each rule of this source, switched off or not."""
    rows = session.execute(
        select(AlarmState.rule_id, AlarmState.active, AlarmState.since, AlarmState.changes)
        .join(AlarmRule, col(AlarmRule.id) == col(AlarmState.rule_id))
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .where(Tag.source_id == source_id)
    )
    return {rule_id: State(active, since, None, changes) for rule_id, active, since, changes in rows}


def withdrawn(session: Session, source_id: UUID) -> list[tuple[Alarm, State]]:
    """Return the alarms that are known as active although nobody watches them any more."""
    rows = session.execute(
        select(*_ALARM, AlarmState.since, AlarmState.changes)  # type: ignore[call-overload]
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .join(AlarmState, col(AlarmState.rule_id) == col(AlarmRule.id))
        .where(Tag.source_id == source_id, col(AlarmRule.enabled).is_(False), col(AlarmState.active))
    ).all()
    alarms = {alarm.rule.id: alarm for alarm in _alarms(rows)}
    return [(alarms[row.id], State(True, row.since, None, row.changes)) for row in rows if row.id in alarms]


def _alarms(rows: Iterable[Row[tuple[object, ...]]]) -> Iterable[Alarm]:
    for row in rows:
        try:
            rule = Rule(row.id, row.kind, row.setpoint, row.deadband, row.on_delay_s, row.off_delay_s, row.active_when)
        except BadRule as error:
            log.warning("machines.bad_rule", rule=str(row.id), reason=str(error))
            continue
        yield Alarm(
            rule,
            source_id=row.source_id,
            tag_id=row.tag_id,
            station_id=row.station_id,
            tag=row.names,
            unit=row.unit,
            severity=row.severity,
            category=row.category,
            message=row.message,
            component=row.component,
        )
