"""What is kept of the alarms that servers themselves have, and the answers that people send back to them.

Longer than most files because an answer ends with what is kept: they are to be read together.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import and_, delete, or_
from sqlmodel import Session, col, exists, select

from app.kit.direct import Direct, among
from app.kit.many import insert_many, update_many
from app.machines.actions import hold
from app.machines.condition_models import Act, AnswerState, Condition, ConditionAnswer, ConditionPlace
from app.machines.conditions import Errand
from app.machines.models import Shelf, Source, Tag
from app.machines.plan import LinkSettings

PATIENCE = timedelta(minutes=1)
"""The longest between two tries to bring an answer to a machine."""

OVER_FOR = timedelta(days=1)
FORGET_BRANCHES = timedelta(days=30)
"""A server need not say that a branch is over: one it is silent about for so long is."""

SETTLES: frozenset[str] = frozenset({"Good", "BadConditionBranchAlreadyAcked", "BadConditionBranchAlreadyConfirmed"})
CHANGED = "BadEventIdUnknown"
TRIES_WHEN_CHANGED = 3
PASSING: frozenset[str] = frozenset(
    {
        "",
        "BadTimeout",
        "BadServerHalted",
        "BadShutdown",
        "BadSessionIdInvalid",
        "BadSessionClosed",
        "BadTooManyOperations",
        "BadConnectionClosed",
        "BadSecureChannelClosed",
        "BadRefreshInProgress",
    }
)
"""Answers after which it is worth trying again; empty: there was none."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a source's conditions are to be understood. `settings` None: they cannot be read."""

    settings: LinkSettings | None
    places: dict[str, UUID]

    def station(self, source: str, source_name: str) -> UUID | None:
        """Return where an alarm of this SourceNode or SourceName belongs; None: nobody has said."""
        named = [said for said in (source, source_name) if said] + [""]
        return next((self.places[said] for said in named if said in self.places), None)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an answer, for the timeline of its anomaly."""

    anomaly_id: UUID
    act: Act
    state: AnswerState
    condition: str
    result: str
    by_id: UUID | None
    by: str


def setup(session: Session, source_id: UUID) -> Setup:
    """Return how to understand this source's conditions. Without a place for all others they go where its tags are."""
    source = session.get_one(Source, source_id)
    try:
        settings = LinkSettings.model_validate(source.settings)
    except ValidationError:
        settings = None
    rows = session.execute(
        select(ConditionPlace.said, ConditionPlace.station_id).where(ConditionPlace.source_id == source_id)
    )
    places = dict(rows.all())
    if "" not in places:
        first = select(Tag.station_id).where(Tag.source_id == source_id).order_by(col(Tag.id)).limit(1)
        if station_id := session.exec(first).first():
            places[""] = station_id
    return Setup(settings, places)


def known(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return what is kept of these conditions, each row as columns by name."""
    rows = _KNOWN.rows(session.connection(), ids=list(ids)) if ids else []
    return {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in rows}


def announced(session: Session, source_id: UUID) -> dict[UUID, dict[str, Any]]:
    """Return the conditions of this source that we have said are active."""
    of_source = col(Condition.source_id) == source_id, col(Condition.announced)
    rows = session.execute(select(*_CONDITION.c).where(*of_source).order_by(_CONDITION.c.id))
    return {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in rows}


def keep(session: Session, rows: Mapping[UUID, Mapping[str, Any]], *, before: Collection[UUID]) -> None:
    """Store these conditions; those of `before` are there already."""
    connection = session.connection()
    insert_many(connection, _CONDITION, [row for id_, row in rows.items() if id_ not in before])
    update_many(connection, _CONDITION, [row for id_, row in rows.items() if id_ in before], where=("id",))


def forget_branches(session: Session, source_id: UUID, *, now: datetime) -> None:
    """Drop branches that are over, and those nothing was heard of for a month."""
    over = and_(col(Condition.retain).is_(False), col(Condition.told_at) < now - OVER_FOR)
    branches = col(Condition.source_id) == source_id, col(Condition.branch) != ""
    session.execute(delete(Condition).where(*branches, or_(over, col(Condition.told_at) < now - FORGET_BRANCHES)))


def answer(
    session: Session,
    condition_ids: Iterable[UUID],
    act: Act,
    *,
    anomaly_id: UUID,
    comment: str,
    by_id: UUID | None,
    by: str,
    now: datetime,
) -> None:
    """Have the machines told what a person did about these conditions and their branches.

    Nothing is sent where a source is only to be read, where a condition has no such state, or where the machine does
    not keep it any more. Who confirms has acknowledged.
    """
    wanted = list(condition_ids)
    if not wanted:
        return
    nodes = select(Condition.source_id, Condition.node).where(col(Condition.id).in_(wanted))
    named = set(session.execute(nodes).all())
    with_branches = (
        col(Condition.source_id).in_({source_id for source_id, _ in named}),
        col(Condition.node).in_({node for _, node in named}),
    )
    rows = session.exec(select(Condition).where(*with_branches).order_by(col(Condition.told_at), col(Condition.id)))
    may: dict[UUID, bool] = {}
    for row in rows:
        if (row.source_id, row.node) not in named or not row.retain or not row.event_id:
            continue
        if row.source_id not in may:
            settings = setup(session, row.source_id).settings
            may[row.source_id] = settings is not None and settings.conditions and settings.acknowledge
        acts = [Act.ACKNOWLEDGE] if row.acked is False else []
        if act == Act.CONFIRM and row.confirmed is not None:
            acts.append(Act.CONFIRM)
        for one in acts if may[row.source_id] else ():
            if not _asked_already(session, row.id, one):
                session.add(
                    ConditionAnswer(
                        source_id=row.source_id, condition_id=row.id, anomaly_id=anomaly_id, act=one,
                        comment=comment[:300], by_id=by_id, by=by, asked_at=now, due_at=now,
                    )
                )  # fmt: skip
                session.flush()


def waits(session: Session, source_id: UUID) -> bool:
    """Is something active that nobody was told of because it is, or was, shelved, here or at the machine?

    When that ends no server says so: it has to be asked.
    """
    put_aside = exists().where(col(Shelf.subject_id) == col(Condition.id))
    silent = (
        col(Condition.source_id) == source_id,
        col(Condition.announced).is_(False),
        col(Condition.active).is_(True),
        col(Condition.retain).is_(True),
        col(Condition.branch) == "",
        or_(col(Condition.hidden) != "", put_aside),
    )
    return session.exec(select(Condition.id).where(*silent).limit(1)).first() is not None


def is_due(session: Session, source_id: UUID, *, now: datetime) -> bool:
    """Does an answer wait to be taken to this source's machine?"""
    due = col(ConditionAnswer.source_id) == source_id, col(ConditionAnswer.due_at) <= now
    return session.exec(select(ConditionAnswer.id).where(*due).limit(1)).first() is not None


def claim(session: Session, source_id: UUID, holder: str, *, now: datetime) -> Errand | None:
    """Return the answer of this source that has waited longest. It is tried again unless it is settled before.

    Raises:
        LeaseLost: another worker watches this source.
    """
    due = col(ConditionAnswer.source_id) == source_id, col(ConditionAnswer.due_at) <= now
    which = select(ConditionAnswer).where(*due).order_by(col(ConditionAnswer.due_at), col(ConditionAnswer.id)).limit(1)
    row = session.exec(which).first()
    if row is None:
        return None
    hold(session, source_id, holder)
    row.attempts += 1
    row.due_at = now + min(timedelta(seconds=2**row.attempts), PATIENCE)
    session.add(row)
    condition = session.get_one(Condition, row.condition_id)
    return Errand(row.id, condition.node, condition.event_id, row.act, row.comment)


def settle(
    session: Session, source_id: UUID, holder: str, errand: Errand, status: str, *, now: datetime
) -> Settled | None:
    """Note what the machine said: the name of a status, empty where there was no answer. None: it is tried again.

    Raises:
        LeaseLost: another worker watches this source.
    """
    hold(session, source_id, holder)
    row = session.get(ConditionAnswer, errand.id)
    if row is None or row.due_at is None:
        return None
    condition = session.get_one(Condition, row.condition_id)
    done = status in SETTLES
    changed = status == CHANGED and row.attempts < TRIES_WHEN_CHANGED
    if not done and not condition.retain:
        row.state = AnswerState.VOID
    elif status in PASSING or changed:
        return None
    else:
        row.state = AnswerState.DONE if done else AnswerState.REFUSED
    row.due_at, row.result, row.settled_at = None, status[:60], now
    session.add(row)
    first = done and not (condition.acked if row.act == Act.ACKNOWLEDGE else condition.confirmed)
    if done:
        condition.acked = condition.acked or row.act == Act.ACKNOWLEDGE
        condition.confirmed = condition.confirmed or row.act == Act.CONFIRM
        session.add(condition)
    if not first and row.state != AnswerState.REFUSED:
        return None
    return Settled(row.anomaly_id, row.act, row.state, condition.name, row.result, row.by_id, row.by)


def in_flight(session: Session, ids: Collection[UUID]) -> dict[UUID, tuple[UUID | None, str]]:
    """Return for which of these conditions an acknowledgement of ours may have reached the machine, and whose it is."""
    ours = (
        col(ConditionAnswer.condition_id).in_(list(ids)),
        col(ConditionAnswer.due_at).is_not(None),
        col(ConditionAnswer.attempts) > 0,
        col(ConditionAnswer.act) == Act.ACKNOWLEDGE,
    )
    rows = session.execute(select(ConditionAnswer.condition_id, ConditionAnswer.by_id, ConditionAnswer.by).where(*ours))
    return {condition_id: (by_id, by) for condition_id, by_id, by in rows}


def _asked_already(session: Session, condition_id: UUID, act: Act) -> bool:
    same = ConditionAnswer.condition_id == condition_id, ConditionAnswer.act == act
    return (
        session.exec(select(ConditionAnswer.id).where(*same, col(ConditionAnswer.due_at).is_not(None))).first()
        is not None
    )


_CONDITION: Any = Condition.__table__  # type: ignore[attr-defined]
_COLUMNS = tuple(column.name for column in _CONDITION.c)
_KNOWN = Direct(select(*_CONDITION.c).where(among(_CONDITION.c.id, "ids")))
