"""Is what these alarm rules watch in order again? Asked before somebody may say that it works."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, or_, select

from app.kit.columns import Names
from app.kit.errors import N_
from app.machines import history
from app.machines.models import AlarmRule, AlarmState, LinkState, Source, Tag
from app.machines.rules import GOOD, SIGNAL_KINDS
from app.machines.words import plain

UNWATCHED = timedelta(minutes=5)  # so long after its lease a source is watched by nobody, whatever it said last
ON, OFF = N_("on"), N_("off")


@dataclass(frozen=True, slots=True)
class Abnormal:
    """One tag that is not in order. `stale`: nothing fresh is known of it; `value` is then the last that was.

    `value` and `limit` are ready to be read, with their unit, or words to be translated.
    """

    tag_id: UUID
    tag: Names
    value: str
    limit: str
    stale: bool = False


def abnormal(session: Session, rule_ids: Collection[UUID], *, now: datetime) -> list[Abnormal]:
    """Return the tags of these rules that are abnormal by any alarm on them, or of which nothing fresh is known.

    A tag is named once. None: all is in order, or there is nothing to go by.
    """
    if not rule_ids:
        return []
    tags = select(AlarmRule.tag_id).where(col(AlarmRule.id).in_(rule_ids))
    rows = session.exec(
        select(AlarmRule, AlarmState, Tag)
        .join(AlarmState, col(AlarmState.rule_id) == col(AlarmRule.id))
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .where(col(Tag.id).in_(tags), col(AlarmRule.enabled), col(AlarmState.active))
        .order_by(col(AlarmRule.severity), col(AlarmRule.id))
    ).all()
    found: dict[UUID, Abnormal] = {}
    for rule, state, tag in sorted(rows, key=lambda row: row[0].kind in SIGNAL_KINDS):
        stale = rule.kind in SIGNAL_KINDS
        found.setdefault(tag.id, _said(session, tag, None if stale else rule, state))
    away = or_(
        col(Source.state).in_((LinkState.RETRYING, LinkState.NEEDS_PERSON)),
        col(Source.lease_until) < now - UNWATCHED,
    )
    of_source = select(Tag).join(Source, col(Source.id) == col(Tag.source_id))
    for tag in session.exec(of_source.where(col(Tag.id).in_(tags), col(Source.enabled), away)):
        found.setdefault(tag.id, _said(session, tag, None, None))
    return list(found.values())


def _said(session: Session, tag: Tag, rule: AlarmRule | None, state: AlarmState | None) -> Abnormal:
    """The latest value there is; how old it may be is for the history to say."""
    value = state.value if state is not None else ""
    last = history.latest(session, tag.id)
    fresher = last is not None and last.quality is GOOD
    if last is not None and fresher and (not value or state is None or (state.sample_at or last.at) <= last.at):
        value = plain(last.value)
    limit = ""
    if rule is not None:
        limit = _read(plain(rule.setpoint), tag.unit) if rule.setpoint is not None else _read(str(not rule.active_when))
    return Abnormal(tag.id, tag.names, _read(value, tag.unit), limit, stale=rule is None)


def _read(value: str, unit: str = "") -> str:
    return {"True": ON, "False": OFF}.get(value) or " ".join((value, unit)).strip() or "–"
