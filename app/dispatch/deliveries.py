"""What is sent: claimed for a while, sent by a channel, and written down what became of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, literal_column, update
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Clock
from app.channels.base import Undeliverable
from app.dispatch.messages import Facts
from app.dispatch.models import CALL, Delivery, DeliveryState
from app.flows import queries as flows
from app.flows.document import FlowDocument
from app.people.models import Address, Person
from app.plant.models import Line, Station

LEASE = timedelta(seconds=45)  # longer than any channel's timeout: who died while sending is repeated after it
TRIES = 6
PLANNED: ColumnElement[str] = literal_column("'planned'")  # a literal: the index of what is due is partial


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send until the lease ends."""

    delivery_id: UUID
    channel: str
    address_id: UUID | None
    target: dict[str, object]
    lang: str
    attempts: int
    facts: Facts


def deliveries_due(session: Session, *, now: datetime) -> bool:
    """Tell whether something waits to be sent."""
    which = select(Delivery.id).where(col(Delivery.state) == PLANNED, col(Delivery.due_at) <= now).limit(1)
    return session.exec(which).first() is not None


def claim_next(session: Session, *, now: datetime, limit: int) -> list[Claimed]:
    """Take deliveries that are due. A call whose anomaly moved on meanwhile is dropped here, in the same breath."""
    which = (
        select(Delivery, Anomaly, Person, Address, Station.names, Line.names)  # type: ignore[call-overload]
        .join(Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id))
        .join(Person, col(Person.id) == col(Delivery.person_id))
        .join(Station, col(Station.id) == col(Anomaly.station_id))
        .join(Line, col(Line.id) == col(Anomaly.line_id))
        .outerjoin(Address, col(Address.id) == col(Delivery.address_id))
        .where(col(Delivery.state) == PLANNED, col(Delivery.due_at) <= now)
        .order_by(col(Delivery.due_at), col(Anomaly.severity))
        .limit(limit)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    claimed: list[Claimed] = []
    changes: list[dict[str, Any]] = []
    for delivery, anomaly, person, address, station, line in session.exec(which):
        void = (delivery.purpose == CALL and delivery.round != anomaly.round) or _elsewhere(delivery, address)
        state = DeliveryState.DROPPED if void else DeliveryState.PLANNED
        changes.append({"row": delivery.id, "now_state": state, "lease": now + LEASE, "more": 0 if void else 1})
        if not void:
            flow = flows.document(session, anomaly.flow_version_id)
            facts = _facts(delivery, anomaly, flow, person, station, line)
            way = dict(address.target) if address else {"email": person.email, "person": str(person.id)}
            claimed.append(
                Claimed(
                    delivery.id,
                    delivery.channel,
                    delivery.address_id,
                    way,
                    person.language,
                    delivery.attempts + 1,
                    facts,
                )
            )
    if changes:
        session.connection().execute(_CLAIM, changes)
    return claimed


def sent_now(session: Session, results: Sequence[tuple[Claimed, Undeliverable | None, datetime]]) -> list[None]:
    """Write down what became of claimed deliveries. A failure that may pass is due again."""
    by_outcome: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for claim, failure, now in results:
        row: dict[str, Any] = {"row": claim.delivery_id}
        if failure is None:
            by_outcome["sent"].append(row | {"at": now})
            continue
        row["fault"] = failure.reason[:200]
        if failure.retry_after is not None and claim.attempts < TRIES:
            later = now + timedelta(seconds=max(failure.retry_after, 2.0**claim.attempts))
            by_outcome["later"].append(row | {"due": later})
        else:
            by_outcome["failed"].append(row)
        if failure.gone and claim.address_id:
            session.execute(update(Address).where(col(Address.id) == claim.address_id).values(gone_at=now))
    for outcome, rows in by_outcome.items():
        session.connection().execute(_OUTCOMES[outcome], rows)
    return [None] * len(results)


def _elsewhere(delivery: Delivery, address: Address | None) -> bool:
    """The phone is gone, or somebody else has logged in on it meanwhile: it must not ring for this person."""
    return address is not None and (address.gone_at is not None or address.person_id != delivery.person_id)


def _facts(
    delivery: Delivery,
    anomaly: Anomaly,
    flow: FlowDocument,
    person: Person,
    station: dict[str, str],
    line: dict[str, str],
) -> Facts:
    news = delivery.why.get("news")
    clock = (
        "hold" if anomaly.clock == Clock.HOLD else str(delivery.once.split(":")[2]) if delivery.purpose == CALL else ""
    )
    return Facts(
        delivery_id=delivery.id,
        anomaly_id=anomaly.id,
        number=anomaly.number,
        severity=anomaly.severity,
        category=flow.names,
        symptom=next((s.names for s in flow.symptoms if s.key == anomaly.symptom), None),
        line=line,
        station=station,
        message=anomaly.said or anomaly.message,
        line_stopped=anomaly.line_stopped,
        received_at=anomaly.received_at,
        topic=str(news) if news else clock,
        rung=delivery.rung,
        can_accept=delivery.purpose == CALL and clock == "accepted",
        by=str(delivery.why.get("by") or ""),
    )


_DELIVERY: Any = Delivery.__table__  # type: ignore[attr-defined]
_CLAIM = (
    update(_DELIVERY)
    .where(_DELIVERY.c.id == bindparam("row"))
    .values(
        state=bindparam("now_state"),
        due_at=bindparam("lease"),
        attempts=_DELIVERY.c.attempts + bindparam("more"),
    )
)
_THIS = update(_DELIVERY).where(_DELIVERY.c.id == bindparam("row"))
_OUTCOMES = {
    "sent": _THIS.values(state=DeliveryState.SENT, sent_at=bindparam("at"), error=""),
    "later": _THIS.values(due_at=bindparam("due"), error=bindparam("fault")),
    "failed": _THIS.values(state=DeliveryState.FAILED, error=bindparam("fault")),
}
