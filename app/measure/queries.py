"""What the figures of alarm health are counted from. Heavy counting is done by the database, by primary key.

An occurrence of a machine is named by the moment it began (see capture.sources.alarms.key): a week of them lies
together, however many there are before it. Longer than most files because each figure has its own question.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, case, cast, extract, literal_column, select
from sqlmodel import Session, col, func

from app.anomaly.models import Anomaly, Event, Occurrence
from app.flows import queries as flows
from app.kit.columns import Names
from app.kit.errors import NotFound
from app.machines import history
from app.machines import queries as machines
from app.machines.condition_models import Condition
from app.machines.models import AlarmRule, AlarmState, Source, Tag
from app.machines.proposals import Event as Real
from app.machines.proposals import Proposal, propose
from app.machines.replay import BackTest, back_test
from app.machines.rule_documents import RuleDocument
from app.machines.rules import Rule, Sample
from app.machines.sentences import Dictionary
from app.machines.watch import CHATTER, CHATTER_WITHIN, FLEETING
from app.measure.health import PERIOD, STALE, Behaviour, Key, Row
from app.measure.models import Tuning
from app.plant.models import Site, Station
from app.rosters.models import Shift

_SEEN: Any = Occurrence.__table__.c  # type: ignore[attr-defined]
DAY, WEEK = timedelta(days=1), timedelta(days=7)
MACHINE = "machine"
MANY = 500
"""Names in one question."""


@dataclass(frozen=True, slots=True)
class About:
    """What people need to know of one alarm. `rule` is None for an alarm that a server has itself."""

    rule: AlarmRule | None
    names: Names
    unit: str
    severity: int
    station: Names
    source_id: UUID | None
    source: str


@dataclass(frozen=True, slots=True)
class Tuned:
    """A rule as it is, what was last applied to it and not taken back, and what would help now."""

    rule: AlarmRule
    about: About
    tuning: Tuning | None
    proposal: Proposal | None
    kept: int


def window(session: Session, *, now: datetime) -> tuple[datetime, datetime]:
    """Return the last week, or the time since the first alarm of a machine if that is less; a day at least."""
    machine = col(Occurrence.kind).in_(("alarm", "return_to_normal"))
    inside = machine, col(Occurrence.id) >= first_id(now - WEEK)
    begun = select(col(Occurrence.occurred_at)).where(machine, col(Occurrence.id) < first_id(now - WEEK)).limit(1)
    if session.scalar(begun):
        return now - WEEK, now
    first = session.scalar(select(col(Occurrence.occurred_at)).where(*inside).order_by(col(Occurrence.id)).limit(1))
    return min(first or now, now - DAY), now


def first_id(moment: datetime) -> UUID:
    """Return the smallest id that something of this moment can have."""
    return UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)


def rows(session: Session, *, since: datetime, until: datetime) -> list[Row]:
    """Return how often each alarm rose in each ten minutes."""
    period = _seconds(_SEEN.occurred_at).op("/")(literal_column(str(int(PERIOD.total_seconds()))))
    named = _SEEN.rule_id, _SEEN.station_id
    held_back = func.coalesce(_SEEN.details["counted"].as_integer(), 0)  # what chattered is told when it is quiet
    alarms = func.sum(case((_SEEN.kind == "alarm", 1), else_=held_back))
    counted = select(*named, period, alarms).where(*_edges_of_machines(since, until)).group_by(*named, period)
    return [Row(key, station_id, number, count) for key, station_id, number, count in session.execute(counted) if count]


def behaviour(session: Session, *, since: datetime, until: datetime) -> dict[Key, Behaviour]:
    """Return of each alarm how many of its rises were chatter, and how many were gone at once."""
    at, one = _seconds(_SEEN.occurred_at), _SEEN.rule_id
    told = (
        select(
            one,
            _SEEN.kind,
            at.label("at"),
            func.lag(at, CHATTER - 1).over(partition_by=(one, _SEEN.kind), order_by=_SEEN.id).label("before"),
            func.lead(_SEEN.kind).over(partition_by=one, order_by=_SEEN.id).label("then"),
            func.lead(at).over(partition_by=one, order_by=_SEEN.id).label("then_at"),
        )
        .where(*_edges_of_machines(since, until))
        .subquery()
    )
    edge: Any = told.c
    crowded = case((edge.at - edge.before <= int(CHATTER_WITHIN.total_seconds()), 1), else_=0)
    gone = edge.then_at - edge.at < int(FLEETING.total_seconds())
    fleeting = case(((edge.then == "return_to_normal") & gone, 1), else_=0)
    sums: tuple[Any, ...] = func.count(), func.sum(crowded), func.sum(fleeting)
    counted = select(edge.rule_id, *sums).where(edge.kind == "alarm").group_by(edge.rule_id)
    return {
        key: Behaviour(alarms, chattering, gone_at_once)
        for key, alarms, chattering, gone_at_once in session.execute(counted)
    }


def stale(session: Session, *, now: datetime) -> list[Key]:
    """Return the alarms that have stood for more than a day."""
    before = now - STALE
    standing = col(AlarmState.active), col(AlarmState.since) < before, col(AlarmRule.enabled)
    of_rules = select(col(AlarmState.rule_id)).join(AlarmRule, col(AlarmRule.id) == col(AlarmState.rule_id))
    own = select(col(Condition.id)).where(col(Condition.announced), col(Condition.told_at) < before)
    return [*session.scalars(of_rules.where(*standing)), *session.scalars(own)]


def about(session: Session, keys: Collection[Key]) -> dict[Key, About]:
    """Return what each of these alarms is; those of rules that are gone are left out."""
    found: dict[Key, About] = {}
    wanted: Any = (
        select(AlarmRule, Tag.names, Tag.unit, Station.names, Source.id, Source.name)  # type: ignore[call-overload]
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .join(Source, col(Source.id) == col(Tag.source_id))
        .join(Station, col(Station.id) == col(Tag.station_id))
    )
    for some in _chunks([*keys]):
        for rule, names, unit, station, source_id, source in session.execute(wanted.where(col(AlarmRule.id).in_(some))):
            found[rule.id] = About(rule, names, unit, rule.severity, station, source_id, source)
    own: Any = (
        select(Condition, col(Station.names), col(Source.name))
        .join(Source, col(Source.id) == col(Condition.source_id))
        .outerjoin(Station, col(Station.id) == col(Condition.station_id))
    )
    for some in _chunks([key for key in keys if key not in found]):
        for one, station, source in session.execute(own.where(col(Condition.id).in_(some))):
            names = {"en": one.message or one.name or one.node}
            found[one.id] = About(
                None, names, "", one.level or 3, station or {}, one.source_id, source
            )  # fmt: skip
    return found


def calls(session: Session, *, since: datetime) -> list[tuple[str, datetime]]:
    """Return whom machines' anomalies have called since then, and when; one entry for each anomaly and call."""
    told: Any = (
        select(col(Event.at), col(Event.details))
        .select_from(Station)
        .join(Anomaly, col(Anomaly.station_id) == col(Station.id))
        .join(Event, col(Event.anomaly_id) == col(Anomaly.id))
        .where(col(Anomaly.received_at) >= since, col(Anomaly.origin) == MACHINE, col(Event.kind) == "called")
    )
    return [(name, at) for at, details in session.execute(told) for name in details.get("called", ())]


def tuned(session: Session, rule_id: UUID, *, now: datetime) -> Tuned:
    """Return what was applied to a rule and what would help it now, tried on all that is kept of its tag in full.

    Raises:
        NotFound
    """
    rule = session.get(AlarmRule, rule_id)
    if rule is None:
        raise NotFound()
    since = now - history.IN_FULL
    judged = pure(session, rule)
    own, others = kept(session, judged, rule.tag_id, since=since, until=now)
    real = worked_on(session, rule_id, since=since, now=now)
    found = None
    if own:
        tags: Any = {"tag_id": rule.tag_id, "others": others}
        found = propose(judged, own, until=now, severity=rule.severity, worked_on=real, **tags)
    known = about(session, [rule_id])[rule_id]
    return Tuned(rule, known, applied(session, rule_id), found, len(own))


def applied(session: Session, rule_id: UUID) -> Tuning | None:
    """Return what was last applied to a rule, unless it was taken back or somebody has changed the rule since."""
    last = select(Tuning).where(col(Tuning.rule_id) == rule_id, col(Tuning.ended_at).is_(None))
    tuning = session.scalar(last.order_by(col(Tuning.id).desc()).limit(1))
    rule = session.get_one(AlarmRule, rule_id)
    now_set = rule.deadband, rule.on_delay_s, rule.off_delay_s
    return tuning if tuning and now_set == (tuning.deadband, tuning.on_delay_s, tuning.off_delay_s) else None


def tested(session: Session, rule: Rule, tag_id: UUID, *, now: datetime) -> BackTest | None:
    """Play a rule over the last week of a tag, as far as it is kept. None: nothing is kept of it."""
    since = now - WEEK
    own, others = kept(session, rule, tag_id, since=since, until=now)
    if not own:
        return None
    return back_test(rule, own, since=max(own[0].at, since), until=now, tag_id=tag_id, others=others)


def kept(
    session: Session, rule: Rule, tag_id: UUID, *, since: datetime, until: datetime
) -> tuple[list[Sample], dict[UUID, list[Sample]]]:
    """Return what is kept of a rule's own tag, and of the others it looks at."""
    found = history.read(session, {tag_id, *rule.tags}, since, until)
    return found.pop(tag_id, []), found


def pure(session: Session, rule: AlarmRule) -> Rule:
    """Return a stored rule as the one that decides.

    Raises:
        BadRule
    """
    document = RuleDocument.of(rule)
    if not document.shifts:
        return document.rule(rule.id)
    here = select(col(Site.timezone)).join(Station, col(Station.site_id) == col(Site.id))
    zone = session.scalar(here.join(Tag, col(Tag.station_id) == col(Station.id)).where(col(Tag.id) == rule.tag_id))
    return document.rule(rule.id, zone=zone or "UTC", spans=machines.spans(session))


def dictionary(session: Session, rules: Collection[AlarmRule]) -> Dictionary:
    """Return what everything is called that the sentences of these rules speak of."""
    named = {tag_id for rule in rules for tag_id in RuleDocument.of(rule).rule(rule.id).tags}
    tags = session.execute(select(col(Tag.id), col(Tag.names)).where(col(Tag.id).in_(named))).all() if named else []
    return Dictionary(
        {row.id: row.names for row in tags},
        {shift.id: shift.names for shift in session.scalars(select(Shift))},
        {document.category: document.names for _, document in flows.current(session)},
    )


def worked_on(session: Session, rule_id: UUID, *, since: datetime, now: datetime) -> list[Real]:
    """Return from when until when people worked on this alarm and found that it was no false one."""
    mine = _SEEN.rule_id == rule_id, _SEEN.kind == "alarm", *_between(since, now)
    which = select(_SEEN.anomaly_id).where(*mine).distinct()
    real = col(Anomaly.resolved_at).is_not(None), col(Anomaly.end_reason) != "false", ~col(Anomaly.practice)
    found = select(col(Anomaly.occurred_at), col(Anomaly.resolved_at)).where(col(Anomaly.id).in_(which), *real)
    return [Real(begins, ends) for begins, ends in session.execute(found) if ends is not None]


def _seconds(moment: Any) -> ColumnElement[int]:
    return cast(extract("epoch", moment), Integer)


def _between(since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return _SEEN.id >= first_id(since), _SEEN.id < first_id(until + timedelta(milliseconds=1))


def _edges_of_machines(since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    by_machine = _SEEN.kind.in_(("alarm", "return_to_normal")), _SEEN.rule_id.is_not(None)
    return (*by_machine, *_between(since, until))


def _chunks(keys: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [keys[start : start + MANY] for start in range(0, len(keys), MANY)]


def split(rows: Sequence[Row], known: Mapping[Key, About]) -> dict[int, int]:
    """Return how many of these alarms were of each severity."""
    found: dict[int, int] = {}
    for row in rows:
        if one := known.get(row.key):
            found[one.severity] = found.get(one.severity, 0) + row.alarms
    return found
