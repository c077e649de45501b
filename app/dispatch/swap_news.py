"""A swap is told to the phone: who is asked hears of it, and who asked hears the answer. Once, while it is news."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, select

from app.dispatch.models import NEWS, Delivery
from app.dispatch.recipients import quiet_for
from app.people import queries as people
from app.people.models import Address, Person
from app.people.ways import in_order
from app.rosters import queries as rosters
from app.rosters.checkin import NO_PHONES
from app.rosters.models import Duty, Shift, Swap, SwapState

STILL_NEWS = timedelta(hours=1)  # what could not be told for longer, an outage, is read on the page

_TOPICS = {SwapState.ASKED: "swap_asked", SwapState.AGREED: "swap_agreed", SwapState.REFUSED: "swap_refused"}


def swaps_untold(session: Session, *, now: datetime, channels: Collection[str]) -> bool:
    """Tell whether somebody is to hear of a swap: a cheap look on a reader, before the writer is asked."""
    return any(True for _ in _untold(session, channels, now=now))


def tell_swaps(session: Session, *, now: datetime, channels: Collection[str]) -> int:
    """Plan the news of each swap, for every phone of the channel its reader hears first; return how many."""
    planned = 0
    for once, swap, reader, phone in _untold(session, channels, now=now):
        other = session.get_one(Person, swap.from_id if reader.id == swap.to_id else swap.to_id)
        duty = session.get_one(Duty, swap.duty_id)
        shift = session.get_one(Shift, duty.shift_id)
        wait = quiet_for(reader, now, rosters.roster(session, reader.site_id, since=now))
        said: dict[str, object] = {"by": other.name, "shift": shift.names, "day": f"{duty.day:%m-%d}"}
        session.add(
            Delivery(
                once=once, person_id=reader.id, channel=phone.channel, address_id=phone.id, purpose=NEWS,
                why={"news": _TOPICS[swap.state], **said},
                due_at=now + wait, planned_at=now,
            )
        )  # fmt: skip
        planned += 1
    return planned


def _untold(
    session: Session, channels: Collection[str], *, now: datetime
) -> Iterator[tuple[str, Swap, Person, Address]]:
    """Find who has not heard: each with the name of the one message they get."""
    recent = or_(col(Swap.asked_at) > now - STILL_NEWS, col(Swap.answered_at) > now - STILL_NEWS)
    swaps = session.exec(select(Swap).where(recent, col(Swap.state).in_(list(_TOPICS))).order_by(col(Swap.id))).all()
    readers = {swap.id: _reader(swap) for swap in swaps}
    known = people.addresses(session, readers.values())
    for swap in swaps:
        reader = session.get(Person, readers[swap.id])
        if reader is None or reader.left_at is not None or reader.news_muted:
            continue
        phones = [one for one in known.get(reader.id, []) if one.channel in channels and one.channel not in NO_PHONES]
        first = in_order(reader, (one.channel for one in phones))[:1]
        for phone in phones:
            once = f"{_TOPICS[swap.state]}:{swap.id.hex}:{phone.id.hex}"
            told = session.exec(select(Delivery.id).where(Delivery.once == once)).first()
            if phone.channel in first and told is None:
                yield once, swap, reader, phone


def _reader(swap: Swap) -> UUID:
    return swap.to_id if swap.state == SwapState.ASKED else swap.from_id
