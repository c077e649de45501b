"""Edges of alarms become observations, in the transaction that also keeps what was made known.

So a crash at any moment loses nothing and doubles nothing: either both are on disk, or the edge is found anew when the
values are read again.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import structlog
from sqlmodel import Session

from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.kit.errors import DomainError
from app.machines import actions as machines
from app.machines.watch import Edge
from app.machines.words import message, named, plain

SOURCE = "opcua"

log = structlog.get_logger()


def record(session: Session, source_id: UUID, holder: str, edges: Sequence[Edge], *, now: datetime) -> None:
    """Make these edges known, in their order. What cannot be taken in (a station that is gone) is logged.

    Raises:
        LeaseLost: another worker watches this source now; nothing was stored.
    """
    machines.hold(session, source_id, holder)
    machines.save_states(session, edges)
    told = machines.withhold(session, edges, {key(edge): edge for edge in edges if edge.transition.withheld}, now=now)
    answers = receive(session, [observation(edge) for edge in told], now=now)
    for edge, answer in zip(told, answers, strict=True):
        if isinstance(answer, DomainError):
            log.error("alarm.refused", rule=str(edge.alarm.rule.id), code=answer.code)


def observation(edge: Edge) -> Observation:
    """Say what this edge means. The same edge always makes the same observation, key included."""
    alarm, transition, sample = edge.alarm, edge.transition, edge.transition.sample
    cause = edge.first or alarm  # what follows the first of its group is one trouble with it
    words = message(alarm, transition)
    details: dict[str, object] = {
        "message": words,
        "tag": alarm.tag,
        "value": plain(sample.value),
        "unit": alarm.unit,
        "limit": alarm.rule.setpoint,
        "status": sample.status,
    }
    if sample.after_gap:
        details["after_gap"] = True  # it was so when the link came back; since when, and how often, nobody saw
    details |= {name: said for name, said in _more(edge) if said}
    return Observation(
        key=key(edge),
        kind=Kind.ALARM if transition.active else Kind.RETURN_TO_NORMAL,
        source=SOURCE,
        station_id=alarm.station_id,
        category=alarm.category,
        occurred_at=transition.since,
        what=str(cause.source_id if cause.is_signal else cause.rule.id),
        component=cause.component,
        message=named(words, "en"),
        severity=alarm.severity,
        rule_id=alarm.rule.id,
        captured_at=sample.at,
        details=details,
    )


def _more(edge: Edge) -> Iterator[tuple[str, object]]:
    """What is true of few edges."""
    yield "again", edge.transition.again
    yield "first_out", edge.is_first
    yield "follows", edge.first and str(edge.first.rule.id)
    yield "chattering", edge.chattering
    yield "counted", edge.counted
    yield "fleeting", edge.fleeting


def key(edge: Edge) -> UUID:
    """The name of one edge of one rule: a UUIDv7 of the moment it began, the rest drawn from rule and number."""
    transition = edge.transition
    seed = edge.alarm.rule.id.bytes + transition.number.to_bytes(8)
    drawn = int.from_bytes(blake2b(seed, digest_size=10).digest())
    milliseconds = int(transition.since.timestamp() * 1000) & (1 << 48) - 1
    return UUID(int=milliseconds << 80 | drawn & ~(0xF << 76) & ~(0b11 << 62) | 0x7 << 76 | 0b10 << 62)
