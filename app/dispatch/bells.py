"""The bell at the start of a shift: one ring in each pocket, and what follows when nobody taps."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, update
from sqlmodel import Session, and_, col, or_, select

from app.dispatch.models import BELL, NEWS, Delivery, DeliveryState
from app.kit.ids import new_id
from app.people import queries as people
from app.people.models import Person
from app.people.ways import in_order
from app.rosters.checkin import LATE, NO_PHONES, beginners
from app.rosters.models import CheckIn, Duty

PATIENCE = timedelta(minutes=5)  # from when it was sent; then the phone is red
BATCH = 200

Ring = tuple[CheckIn, Person, dict[str, object]]
"""Whom to tell something about a check-in, and what the words are made of."""


def bells_due(session: Session, *, now: datetime, channels: Collection[str]) -> bool:
    """Tell whether somebody is to be rung or given up: a cheap look on a reader, before the writer is asked."""
    silent = session.exec(select(CheckIn.id).where(*_silent(now)).limit(1)).first() is not None
    return silent or bool(beginners(session, channels=_phones(channels), now=now, limit=1))


def ring_bells(session: Session, *, now: datetime, channels: Collection[str]) -> int:
    """Ring whoever has begun a shift and was not asked yet; return how many.

    A check-in is unique for person, shift and day: of two workers that do this at once, the later one is made to run
    again and finds nobody left.
    """
    found = beginners(session, channels=_phones(channels), now=now, limit=BATCH)
    rings: list[Ring] = [
        (
            CheckIn(person_id=person.id, shift_id=shift.id, day=duty.day, rung_at=now),
            person,
            {"shift": shift.names, "at": f"{shift.starts:%H:%M}"},
        )
        for person, duty, shift in found
    ]
    session.add_all([checkin for checkin, *_ in rings])
    session.flush()
    _plan(session, BELL, rings, channels, now=now)
    return len(rings)


def give_up_silent(session: Session, *, now: datetime, channels: Collection[str]) -> int:
    """Call a phone red that was rung and has not answered, and tell the deputy; return how many.

    Whoever answers later is green at once: see `rosters.checkin.answer`.
    """
    ids = session.exec(select(CheckIn.id).where(*_silent(now)).order_by(col(CheckIn.rung_at)).limit(BATCH)).all()
    unanswered = col(CheckIn.id).in_(ids), col(CheckIn.answered_at).is_(None), col(CheckIn.silent_at).is_(None)
    given_up = update(CheckIn).where(*unanswered).values(silent_at=now).returning(col(CheckIn.id))
    red = session.execute(given_up).scalars().all() if ids else []  # another worker may have been faster
    rings: list[Ring] = []
    for checkin, person in _with_people(session, red):
        deputy = session.get(Person, person.deputy_id) if person.deputy_id else None
        if deputy is not None and deputy.left_at is None:
            rings.append((checkin, deputy, {"news": "silent_phone", "by": person.name}))
    _plan(session, NEWS, rings, channels, now=now)
    return len(red)


def _silent(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions on CheckIn: rung, nothing heard, nothing on its way any more, and the duty still theirs.

    What was rung long ago was not listened to in between: after an outage nobody is called red for it.
    """
    theirs = select(Duty.id).where(
        col(Duty.person_id) == col(CheckIn.person_id),
        col(Duty.shift_id) == col(CheckIn.shift_id),
        col(Duty.day) == col(CheckIn.day),
    )
    out = and_(
        col(Delivery.checkin_id) == col(CheckIn.id),
        col(Delivery.purpose) == BELL,
        or_(
            col(Delivery.sent_at) > now - PATIENCE,
            and_(col(Delivery.state) == DeliveryState.PLANNED, col(Delivery.attempts) == 0),
        ),
    )
    return (
        col(CheckIn.answered_at).is_(None),
        col(CheckIn.silent_at).is_(None),
        col(CheckIn.left_at).is_(None),
        col(CheckIn.rung_at) <= now - PATIENCE,
        col(CheckIn.rung_at) > now - LATE,
        ~select(Delivery.id).where(out).exists(),
        theirs.exists(),
    )


def _with_people(session: Session, ids: Sequence[UUID]) -> list[tuple[CheckIn, Person]]:
    which = select(CheckIn, Person).join(Person, col(Person.id) == col(CheckIn.person_id))
    return list(session.exec(which.where(col(CheckIn.id).in_(ids)).order_by(col(Person.name), col(CheckIn.id))))


def _plan(session: Session, purpose: str, rings: Sequence[Ring], channels: Collection[str], *, now: datetime) -> None:
    """Plan one delivery for each phone of the channel that somebody hears first."""
    known = people.addresses(session, {person.id for _, person, _ in rings})
    rows: list[dict[str, Any]] = []
    for checkin, person, why in rings:
        phones = [one for one in known.get(person.id, []) if one.channel in _phones(channels)]
        first = in_order(person, (one.channel for one in phones))[:1]
        rows += [
            {
                "id": new_id(),
                "once": f"{purpose}:{checkin.id.hex}:{phone.id.hex}",
                "person_id": person.id,
                "checkin_id": checkin.id,
                "channel": phone.channel,
                "address_id": phone.id,
                "purpose": purpose,
                "why": why,
                "state": DeliveryState.PLANNED,
                "due_at": now,
                "planned_at": now,
                "round": 0,
                "rung": 0,
                "attempts": 0,
                "error": "",
            }
            for phone in phones
            if phone.channel in first
        ]
    if rows:
        session.execute(insert(Delivery.__table__), rows)  # type: ignore[attr-defined]


def _phones(channels: Collection[str]) -> Collection[str]:
    return frozenset(channels) - NO_PHONES
