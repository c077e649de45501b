"""What is sent: claimed for a while, sent by a channel, and written down what became of it.

Longer than most files: what is claimed, what it says and what became of it are one thought.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, func, literal_column, update
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Clock
from app.channels.base import Receipt, Undeliverable
from app.dispatch import pacing, plans
from app.dispatch.messages import ACCEPTABLE, Facts, Plain
from app.dispatch.models import BELL, CALL, CHANGE, Delivery, DeliveryState, Outlet
from app.dispatch.recipients import quiet_for
from app.flows import queries as flows
from app.people.models import Address, Person
from app.plant.models import Line, Site, Station
from app.rosters.checkin import LATE
from app.rosters.models import CheckIn
from app.rosters.roster import Roster

LEASE = timedelta(seconds=45)  # longer than any channel's timeout: who died while sending is repeated after it
TRIES = 6
TOO_OLD = timedelta(hours=1)  # nobody could even try it for so long: whoever reads it now learns nothing
LOOKED_AT = 2000  # of what is due, this much is looked at for what is most urgent
USUAL_SEVERITY = 2  # of what is about no anomaly: a bell, a test
PLANNED: ColumnElement[str] = literal_column("'planned'")  # a literal: the index of what is due is partial


class NotTried(Undeliverable):
    """Nobody has asked the other side: it is known to be dead for the moment, or has more than enough to do."""


Outcome: TypeAlias = Undeliverable | Receipt | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send until the lease ends.

    `others` are told in the same message. `sealed` is the target of an outlet, which the sender unseals. With a
    `receipt`, what was sent before is to be changed.
    """

    delivery_id: UUID
    channel: str
    address_id: UUID | None
    target: dict[str, object]
    lang: str
    attempts: int
    facts: Facts | Plain
    lease: datetime
    planned_at: datetime
    outlet_id: UUID | None = None
    sealed: str = ""
    receipt: Receipt | None = None
    others: tuple[Facts, ...] = ()

    @property
    def ids(self) -> list[UUID]:
        return [self.delivery_id, *(other.delivery_id for other in self.others)]


class _Row(NamedTuple):
    delivery: Delivery
    anomaly: Anomaly | None
    person: Person | None
    address: Address | None
    checkin: CheckIn | None
    station: dict[str, str] | None
    line: dict[str, str] | None


def deliveries_due(session: Session, *, now: datetime) -> bool:
    """Tell whether something waits to be sent."""
    which = select(Delivery.id).where(col(Delivery.state) == PLANNED, col(Delivery.due_at) <= now).limit(1)
    return session.exec(which).first() is not None


def claim_next(session: Session, *, now: datetime, limit: int) -> list[Claimed]:
    """Take deliveries that are due, the most urgent first.

    A call whose anomaly moved on meanwhile is dropped here, in the same breath; what can be said in one message is.
    """
    rows = {row.delivery.id: row for row in _due(session, now, limit)}
    outlets = pacing.locked(session, [row.delivery.outlet_id for row in rows.values() if row.delivery.outlet_id])
    dropped = [row.delivery.id for row in rows.values() if _is_void(row, outlets, now)]
    due = [_about(row) for row in rows.values() if row.delivery.id not in set(dropped)]
    told = pacing.told(session, due, now=now)
    groups, later = pacing.grouped(due, outlets, told, awake=partial(_awake, session), now=now)
    session.flush()
    claimed = [_claimed(session, [rows[it.id] for it in group], outlets, now + LEASE) for group in groups]
    _change(session, _DROP, [{"row": one} for one in dropped])
    _change(session, _WAIT, [{"row": one, "until": until} for one, until in later.items()])
    _change(session, _CLAIM, [{"row": one, "until": now + LEASE} for claim in claimed for one in claim.ids])
    return claimed


def sent_now(session: Session, results: Sequence[tuple[Claimed, Outcome, datetime]]) -> list[None]:
    """Write down what became of claimed deliveries. What may pass is due again; people are called another way."""
    changes: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    failed: list[UUID] = []
    for claim, outcome, now in results:
        if not isinstance(outcome, Undeliverable):
            changes[_SENT] += [{"row": one, "at": now} for one in claim.ids]
            if outcome:
                changes[_RECEIPT].append({"row": claim.delivery_id, "kept": outcome})
            if claim.outlet_id:
                changes[_WORKED].append({"row": claim.outlet_id, "at": now})
            continue
        fault, wait = outcome.reason[:200], outcome.retry_after
        if isinstance(outcome, NotTried) and wait is not None and now - claim.planned_at < TOO_OLD:
            changes[_NOT_TRIED] += [_later(one, now, wait, fault) for one in claim.ids]
        elif wait is not None and not isinstance(outcome, NotTried) and claim.attempts < TRIES:
            changes[_LATER] += [_later(one, now, max(wait, 2.0**claim.attempts), fault) for one in claim.ids]
        else:
            changes[_FAILED] += [{"row": one, "fault": fault} for one in claim.ids]
        failed += claim.ids
        _note_fault(claim, outcome, now, changes)
    for statement, rows in changes.items():
        _change(session, statement, rows)
    if failed:
        which = select(Delivery).where(col(Delivery.id).in_(failed))
        rows_failed = session.exec(which, execution_options={"populate_existing": True}).all()
        plans.step_on(session, rows_failed, now=max(now for *_, now in results))
    return [None] * len(results)


def _due(session: Session, now: datetime, limit: int) -> list[_Row]:
    """A stretch of what is due, by the index; of it the most urgent; and what is told together with that."""
    due = col(Delivery.state) == PLANNED, col(Delivery.due_at) <= now
    stretch = select(Delivery.id).where(*due).order_by(col(Delivery.due_at)).limit(max(LOOKED_AT, limit))
    # `due` once more, of the row itself: what another worker claims while we look is only then looked at again.
    found = _rows(session, col(Delivery.id).in_(stretch), *due, limit=limit)
    known = {row.delivery.id for row in found}
    people = {row.delivery.person_id for row in found if row.anomaly and pacing.is_small(_about(row))} - {None}
    if len(found) < limit or not people:
        return found
    theirs = col(Delivery.person_id).in_(people), Anomaly.severity == pacing.SMALL
    more = _rows(session, *theirs, *due, limit=LOOKED_AT)
    return found + [row for row in more if row.delivery.id not in known and pacing.is_small(_about(row))]


def _rows(session: Session, *where: Any, limit: int) -> list[_Row]:
    which = (
        select(Delivery, Anomaly, Person, Address, CheckIn, Station.names, Line.names)  # type: ignore[call-overload]
        .outerjoin(Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id))
        .outerjoin(Person, col(Person.id) == col(Delivery.person_id))
        .outerjoin(Address, col(Address.id) == col(Delivery.address_id))
        .outerjoin(CheckIn, col(CheckIn.id) == col(Delivery.checkin_id))
        .outerjoin(Station, col(Station.id) == col(Anomaly.station_id))
        .outerjoin(Line, col(Line.id) == col(Anomaly.line_id))
        .where(*where)
        .order_by(func.coalesce(Anomaly.severity, USUAL_SEVERITY), col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    return [_Row(*row) for row in session.exec(which)]


def _awake(session: Session, person_id: UUID | None, at: datetime) -> datetime:
    """Return `at`, or when the quiet hours end in which it falls."""
    person = session.get(Person, person_id) if person_id else None
    if person is None or person.quiet_from is None:
        return at
    zone = ZoneInfo(session.get_one(Site, person.site_id).timezone)
    return at + quiet_for(person, at, Roster(zone, (), ()))


def _about(row: _Row) -> pacing.Due:
    return pacing.Due(row.delivery, row.anomaly.severity if row.anomaly else None)


def _is_void(row: _Row, outlets: dict[UUID, Outlet], now: datetime) -> bool:
    """What was planned no longer holds: somebody has accepted, the phone is somebody else's, the bell was answered."""
    it, address = row.delivery, row.address
    if it.purpose == CALL and row.anomaly is not None and it.round != row.anomaly.round:
        return True
    if it.purpose == BELL and (now - it.planned_at > LATE or (row.checkin and row.checkin.answered_at)):
        return True
    if address is not None and (address.gone_at is not None or address.person_id != it.person_id):
        return True
    outlet = outlets.get(it.outlet_id) if it.outlet_id else None
    return outlet is not None and (outlet.gone_at is not None or outlet.paused_at is not None)


def _claimed(session: Session, group: Sequence[_Row], outlets: dict[UUID, Outlet], lease: datetime) -> Claimed:
    first = group[0]
    it, person, address = first.delivery, first.person, first.address
    target: dict[str, object] = dict(address.target) if address else {}
    if person is not None and address is None:
        target = {"email": person.email, "person": str(person.id)}
    return Claimed(
        it.id,
        it.channel,
        it.address_id,
        target,
        person.language if person else "",
        it.attempts + 1,
        _facts(session, first),
        lease,
        it.planned_at,
        outlet_id=it.outlet_id,
        sealed=outlets[it.outlet_id].target if it.outlet_id else "",
        receipt=it.receipt if it.purpose == CHANGE else None,
        others=tuple(facts for row in group[1:] if isinstance(facts := _facts(session, row), Facts)),
    )


def _facts(session: Session, row: _Row) -> Facts | Plain:
    it, anomaly = row.delivery, row.anomaly
    news = it.why.get("news")
    if anomaly is None or row.station is None or row.line is None:
        topic = str(news or it.purpose)
        return Plain(it.id, topic, it.why, f"{topic}{(it.checkin_id or it.id).hex}"[:32])
    flow = flows.document(session, anomaly.flow_version_id)
    clock = "hold" if anomaly.clock == Clock.HOLD else str(it.once.split(":")[2]) if it.purpose == CALL else ""
    return Facts(
        delivery_id=it.id,
        anomaly_id=anomaly.id,
        number=anomaly.number,
        severity=anomaly.severity,
        category=flow.names,
        symptom=next((s.names for s in flow.symptoms if s.key == anomaly.symptom), None),
        line=row.line,
        station=row.station,
        message=anomaly.said or anomaly.message,
        line_stopped=anomaly.line_stopped,
        received_at=anomaly.received_at,
        topic=str(news) if news else clock,
        rung=it.rung,
        can_accept=it.purpose == CALL and clock in ACCEPTABLE,
        by=str(it.why.get("by") or ""),
    )


def _later(row: UUID, now: datetime, wait: float, fault: str) -> dict[str, Any]:
    return {"row": row, "until": now + timedelta(seconds=wait), "fault": fault}


def _note_fault(
    claim: Claimed, failure: Undeliverable, now: datetime, changes: dict[Any, list[dict[str, Any]]]
) -> None:
    """An address that is dead is forgotten; an outlet shows what is wrong, and is left alone as long as it asked."""
    if failure.gone and claim.address_id:
        changes[_GONE].append({"row": claim.address_id, "at": now})
    if claim.outlet_id and not isinstance(failure, NotTried):
        words = f"{failure.reason}\n{failure.said}".strip()[:200]
        changes[_FAULT].append({"row": claim.outlet_id, "at": now, "words": words})
        if failure.gone:
            changes[_PAUSED].append({"row": claim.outlet_id, "at": now})
        elif failure.retry_after:
            until = now + timedelta(seconds=failure.retry_after)
            changes[_QUIET].append({"row": claim.outlet_id, "until": until})


def _change(session: Session, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(statement, list(rows))


_DELIVERY: Any = Delivery.__table__  # type: ignore[attr-defined]
_OUTLET: Any = Outlet.__table__  # type: ignore[attr-defined]
_ADDRESS: Any = Address.__table__  # type: ignore[attr-defined]
_THIS = update(_DELIVERY).where(_DELIVERY.c.id == bindparam("row"))
_OF = update(_OUTLET).where(_OUTLET.c.id == bindparam("row"))
_DROP = _THIS.values(state=DeliveryState.DROPPED)
_WAIT = _THIS.values(due_at=bindparam("until"))
_CLAIM = _THIS.values(due_at=bindparam("until"), attempts=_DELIVERY.c.attempts + 1)
_SENT = _THIS.values(state=DeliveryState.SENT, sent_at=bindparam("at"), error="")
_RECEIPT = _THIS.values(receipt=bindparam("kept"))
_LATER = _THIS.values(due_at=bindparam("until"), error=bindparam("fault"))
_NOT_TRIED = _LATER.values(attempts=_DELIVERY.c.attempts - 1)
_FAILED = _THIS.values(state=DeliveryState.FAILED, error=bindparam("fault"))
_WORKED = _OF.values(worked_at=bindparam("at"), fault="")
_FAULT = _OF.values(failed_at=bindparam("at"), fault=bindparam("words"))
_PAUSED = _OF.values(paused_at=bindparam("at"))
_QUIET = _OF.values(quiet_until=bindparam("until"))
_GONE = update(_ADDRESS).where(_ADDRESS.c.id == bindparam("row")).values(gone_at=bindparam("at"))
