"""Writes about sources and alarms: who watches what, how the link stands, what was made known.

Longer than most files because the lease fences every other write: they are to be read together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, update
from sqlmodel import Session, col, exists, select

from app.kit.errors import N_, DomainError
from app.kit.ids import new_id
from app.kit.many import update_many
from app.machines import queries
from app.machines.models import AlarmRule, AlarmState, LinkState, Source, Tag, Withheld
from app.machines.plan import Plan
from app.machines.rules import SHELVED, SIGNAL_KINDS, SILENT, Kind, Sample, State, Transition
from app.machines.shelving import spend
from app.machines.watch import Alarm, Edge
from app.machines.words import NO_SIGNAL, plain

LEASE = timedelta(seconds=10)
"""A worker that dies is replaced when this has passed and another one looks: within 15 seconds."""

SIGNAL_LOST_AFTER = 30.0
"""Seconds a signal may be lost before it is an alarm, where nobody has decided otherwise."""


class LeaseLost(DomainError):
    code = "machines.lease_lost"
    message = N_("Another worker watches this source now. Nothing was stored twice. There is nothing to do.")


@dataclass(frozen=True, slots=True)
class LinkReport:
    """How it stands with one link."""

    state: LinkState
    fault: str = ""
    connected_at: datetime | None = None
    last_value_at: datetime | None = None
    connects: int = 0
    overflows: int = 0
    bad_values: int = 0
    clock_offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What a worker begins with. `plan` is None when the source is gone or switched off."""

    plan: Plan | None
    states: dict[UUID, State]
    withdrawn: list[tuple[Alarm, State]]


def lease_sources(session: Session, holder: str, reports: Mapping[UUID, LinkReport], *, now: datetime) -> list[UUID]:
    """Take every enabled source that nobody holds any more, prolong what is ours, and note how its link stands.

    Return all that `holder` has from now on. Of two workers that try at once, each source goes to one.
    """
    session.execute(
        update(Source)
        .where(col(Source.lease_by) == holder, col(Source.enabled).is_(False))
        .values(lease_by=None, lease_until=None, state=LinkState.IDLE, fault="")
    )
    free = or_(col(Source.lease_by) == holder, col(Source.lease_until).is_(None), col(Source.lease_until) < now)
    held = session.execute(
        update(Source)
        .where(col(Source.enabled), free)
        .values(lease_by=holder, lease_until=now + LEASE)
        .returning(col(Source.id))
    )
    ids = sorted(held.scalars())
    for source_id in ids:
        if report := reports.get(source_id):
            _note(session, source_id, report)
    return ids


def release_sources(session: Session, holder: str, *, now: datetime) -> None:
    """Let another worker go on at once."""
    session.execute(
        update(Source)
        .where(col(Source.lease_by) == holder)
        .values(lease_by=None, lease_until=now, state=LinkState.IDLE)
    )


def hold(session: Session, source_id: UUID, holder: str) -> None:
    """Make sure that nobody else takes this source before our transaction is over.

    Raises:
        LeaseLost: somebody already has.
    """
    held = session.connection().execute(_HOLD, {"the_source": source_id, "holder": holder})
    if held.rowcount != 1:
        raise LeaseLost(source=source_id)


def take_up(session: Session, source_id: UUID, holder: str) -> TakenUp:
    """Return what to watch at a source and what was last known of it.

    Every watched tag gets an alarm for its signal unless somebody has decided on one: that a signal is lost is never
    "all good". Run on the writer, this sees everything an earlier watch of the same source has stored.

    Raises:
        LeaseLost: another worker watches this source.
    """
    hold(session, source_id, holder)
    _watch_every_signal(session, source_id)
    _prepare_states(session, source_id)
    states = queries.states(session, source_id)
    return TakenUp(queries.plan(session, source_id), states, queries.withdrawn(session, source_id))


def withdraw(taken: TakenUp, *, now: datetime) -> list[Edge]:
    """Say of alarms that were switched off while active that nobody watches them any more."""
    sample = Sample(None, SILENT, now, "NotWatched")
    return [Edge(alarm, Transition(False, now, now, state.changes + 1, sample)) for alarm, state in taken.withdrawn]


def save_states(session: Session, edges: Sequence[Edge]) -> None:
    """Keep what is made known with these edges; of several of one rule the last one counts."""
    rows: dict[UUID, dict[str, object]] = {}
    for edge in edges:
        transition, rule_id = edge.transition, edge.alarm.rule.id
        hidden = transition.sample.status == "Shelved" and SHELVED
        rows[rule_id] = {
            "rule_id": rule_id,
            "active": transition.active and not transition.withheld,
            "withheld": hidden or (transition.withheld if transition.active else ""),
            "first_rule_id": edge.first.rule.id if edge.first and transition.active else None,
            "since": transition.since,
            "changed_at": transition.at,
            "changes": transition.number,
            "value": plain(transition.sample.value),
            "status": transition.sample.status,
            "sample_at": transition.sample.at,
        }
    update_many(session.connection(), _STATE, list(rows.values()), where=("rule_id",))


def withhold(session: Session, edges: Sequence[Edge], hidden: Mapping[UUID, Edge], *, now: datetime) -> Sequence[Edge]:
    """Keep the edges nobody is told of, by their keys; return the others."""
    if not hidden:
        return edges
    known = set(session.exec(select(Withheld.id).where(col(Withheld.id).in_(hidden))))
    kept = [
        {
            "id": key,
            "rule_id": edge.alarm.rule.id,
            "why": edge.transition.withheld,
            "active": edge.transition.active,
            "since": edge.transition.since,
            "at": edge.transition.at,
            "value": plain(edge.transition.sample.value),
        }
        for key, edge in hidden.items()
        if key not in known
    ]
    _insert(session, Withheld, kept)
    over = [e.alarm.rule.id for e in hidden.values() if e.transition.withheld == SHELVED and not e.transition.active]
    if over:
        spend(session, over, now=now)
    return [edge for edge in edges if not edge.transition.withheld]


def try_now(session: Session, source_id: UUID, *, now: datetime) -> None:
    """Somebody put it right, or wants to see: do not wait for the next try."""
    session.execute(update(Source).where(col(Source.id) == source_id).values(try_at=now))


_SOURCE = Source.__table__  # type: ignore[attr-defined]
_HOLD = (
    update(_SOURCE)
    .where(_SOURCE.c.id == bindparam("the_source"), _SOURCE.c.lease_by == bindparam("holder"))
    .values(lease_by=bindparam("holder"))
)
_STATE: Any = AlarmState.__table__  # type: ignore[attr-defined]


def _note(session: Session, source_id: UUID, report: LinkReport) -> None:
    source = session.get_one(Source, source_id)
    source.state, source.fault = report.state, report.fault
    source.connected_at = report.connected_at or source.connected_at
    source.last_value_at = report.last_value_at or source.last_value_at
    source.reconnects += report.connects
    source.overflows += report.overflows
    source.bad_values, source.clock_offset_s = report.bad_values, report.clock_offset_s


def _watch_every_signal(session: Session, source_id: UUID) -> None:
    of_tag = col(AlarmRule.tag_id) == col(Tag.id)
    watched = exists().where(of_tag, col(AlarmRule.enabled))
    decided = exists().where(of_tag, col(AlarmRule.kind).in_(SIGNAL_KINDS))
    blind = session.exec(select(Tag.id).where(Tag.source_id == source_id, watched, ~decided)).all()
    _insert(
        session,
        AlarmRule,
        [
            {
                "id": new_id(),
                "tag_id": tag_id,
                "kind": Kind.STALE,
                "on_delay_s": SIGNAL_LOST_AFTER,
                "message": NO_SIGNAL,
            }
            for tag_id in blind
        ],
    )


def _prepare_states(session: Session, source_id: UUID) -> None:
    """A row for each rule, so that an edge is an UPDATE by primary key."""
    kept = exists().where(col(AlarmState.rule_id) == col(AlarmRule.id))
    of_source = col(Tag.source_id) == source_id
    bare = session.exec(
        select(AlarmRule.id).join(Tag, col(Tag.id) == col(AlarmRule.tag_id)).where(of_source, ~kept)
    ).all()
    _insert(session, AlarmState, [{"rule_id": rule_id} for rule_id in bare])


def _insert(
    session: Session, table: type[AlarmRule | AlarmState | Withheld], rows: Iterable[dict[str, object]]
) -> None:
    if rows := list(rows):
        session.connection().execute(insert(table), rows)
