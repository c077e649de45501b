"""Deliveries that no rung asked for: a test, a card that is put right, and the next way when one has failed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly
from app.channels.limits import SILENT
from app.dispatch.models import CALL, CHANGE, TEST, Delivery, DeliveryState, Outlet
from app.kit.ids import new_id
from app.people import queries as people
from app.people.models import Person
from app.people.ways import in_order

ENDS = {
    "accept": "taken",
    "take_over": "taken",
    "cancel": "cancel",
    "merged": "over",
    "resolve": "over",
    "close": "over",
}
"""Events after which nobody else has to come, and what a card then says."""


def plan_test(session: Session, person: Person, *, now: datetime, address_id: UUID | None = None) -> list[UUID]:
    """Let a person's own phones ring, or just one of them; return the deliveries."""
    found = people.addresses(session, [person.id]).get(person.id, [])
    ways: list[tuple[str, UUID | None]] = [(one.channel, one.id) for one in found if address_id in (None, one.id)]
    if address_id is None and person.email:
        ways.append(("email", None))
    rows = [_row(TEST, now, channel=channel, person_id=person.id, address_id=at) for channel, at in ways]
    return _planned(session, rows)


def plan_outlet_test(session: Session, outlet: Outlet, *, now: datetime) -> list[UUID]:
    """Send a test to a place, at once even if it had to be silent for a while."""
    outlet.quiet_until = None
    session.add(outlet)
    row = _row(TEST, now, channel=outlet.channel, outlet_id=outlet.id) | {"why": {"news": "outlet_test"}}
    return _planned(session, [row])


def plan_changes(session: Session, anomaly_id: UUID, kind: str, by: str, *, now: datetime) -> None:
    """Put right what was sent about an anomaly that somebody has taken, where the channel can. Once for each event."""
    topic = ENDS.get(kind)
    if topic is None:
        return
    sent = select(Delivery).where(
        col(Delivery.anomaly_id) == anomaly_id,
        col(Delivery.state) == DeliveryState.SENT,
        col(Delivery.purpose).in_((CALL, CHANGE)),
    )
    newest = {(it.person_id, it.outlet_id, it.channel, it.address_id): it for it in session.exec(sent) if it.receipt}
    rows = []
    for it in newest.values():
        why = {"news": topic, "by": by}
        row = _row(CHANGE, now, channel=it.channel, person_id=it.person_id, address_id=it.address_id)
        row |= {"why": why, "anomaly_id": anomaly_id, "outlet_id": it.outlet_id, "receipt": it.receipt}
        rows.append(row | {"once": f"change:{it.id.hex}:{kind}", "round": it.round, "rung": it.rung})
    known = set(session.exec(select(Delivery.once).where(col(Delivery.once).in_([row["once"] for row in rows]))))
    _planned(session, [row for row in rows if row["once"] not in known])


def step_on(session: Session, failed: Iterable[Delivery], *, now: datetime) -> None:
    """Call people over their next channel at once when one has failed, unless another one has reached them already."""
    rows = [row for it in failed if it.purpose == CALL and it.person_id for row in _next_way(session, it, now)]
    _planned(session, list({row["once"]: row for row in rows}.values()))


def _next_way(session: Session, it: Delivery, now: datetime) -> list[dict[str, Any]]:
    person, anomaly = session.get(Person, it.person_id), session.get(Anomaly, it.anomaly_id)
    if person is None or anomaly is None or anomaly.round != it.round:
        return []
    same = select(Delivery).where(
        col(Delivery.anomaly_id) == it.anomaly_id,
        col(Delivery.person_id) == it.person_id,
        col(Delivery.round) == it.round,
        col(Delivery.rung) == it.rung,
        Delivery.purpose == CALL,
    )
    tried = session.exec(same).all()
    if any(one.state == DeliveryState.SENT and one.channel not in SILENT for one in tried):
        return []
    known = people.addresses(session, [person.id]).get(person.id, [])
    kinds = {one.channel for one in known} | ({"email"} if person.email else set())
    left = [k for k in in_order(person, kinds) if k not in {one.channel for one in tried}]
    if not left:
        return []
    cause = it.once.rsplit(":", 3)[0]
    ids: list[UUID | None] = [one.id for one in known if one.channel == left[0]] or [None]
    shared: dict[str, Any] = {"anomaly_id": it.anomaly_id, "round": it.round, "rung": it.rung}
    shared |= {"why": it.why | {"instead_of": it.channel}}
    return [
        _row(CALL, now, channel=left[0], person_id=person.id, address_id=at)
        | shared
        | {"once": f"{cause}:{person.id.hex}:{left[0]}:{at.hex if at else ''}"}
        for at in ids
    ]


def _row(purpose: str, now: datetime, *, channel: str, **of: object) -> dict[str, Any]:
    name = new_id()
    nobody: dict[str, Any] = {"anomaly_id": None, "person_id": None, "outlet_id": None, "checkin_id": None}
    due = {"state": DeliveryState.PLANNED, "due_at": now, "planned_at": now, "attempts": 0, "error": ""}
    what = {"id": name, "once": f"{purpose}:{name.hex}", "purpose": purpose, "channel": channel, "why": {}}
    return nobody | {"address_id": None, "round": 0, "rung": 0, "receipt": None} | due | what | of


def _planned(session: Session, rows: Sequence[dict[str, Any]]) -> list[UUID]:
    if rows:
        session.execute(insert(Delivery.__table__), list(rows))  # type: ignore[attr-defined]
    return [row["id"] for row in rows]
