"""What waits a little, so that one message says it all: groups whose robot needs a pause, and small things.

A robot's pause is kept in its outlet's row. Of anomalies of severity 4 a person hears at most once an hour on each
channel, and a group too: what came up meanwhile is in the next message.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly
from app.channels.limits import PAUSE, SILENT
from app.dispatch.models import CALL, NEWS, Delivery, DeliveryState, Outlet

SMALL: Final = 4
HOUR: Final = timedelta(hours=1)
URGENT_NEWS: Final = ("hand_over", "assist", "send_back")  # somebody is asked for something now

Place: TypeAlias = tuple[UUID | None, UUID | None, str, UUID | None]


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is due, and the severity of what it is about; None: about nothing."""

    delivery: Delivery
    severity: int | None


def locked(session: Session, wanted: Iterable[UUID]) -> dict[UUID, Outlet]:
    """Return these outlets as they are now, ours until commit. Those another worker is busy with are missing."""
    ids = sorted(set(wanted))
    which = select(Outlet).where(col(Outlet.id).in_(ids)).order_by(col(Outlet.id)).with_for_update(skip_locked=True)
    return {outlet.id: outlet for outlet in session.exec(which, execution_options={"populate_existing": True})}


def place(delivery: Delivery) -> Place:
    """Who or what gets it, and over which way."""
    return delivery.person_id, delivery.outlet_id, delivery.channel, delivery.address_id


def is_small(due: Due) -> bool:
    """Tell whether it can wait for the hour's message."""
    it = due.delivery
    urgent = it.purpose not in (CALL, NEWS) or it.why.get("news") in URGENT_NEWS
    return due.severity == SMALL and it.channel not in SILENT and not urgent


def told(session: Session, due: Sequence[Due], *, now: datetime) -> dict[Place, datetime]:
    """Return when each place was last told of small things, if that is less than an hour ago."""
    small = [one.delivery for one in due if is_small(one)]
    if not small:
        return {}
    people, outlets = {it.person_id for it in small} - {None}, {it.outlet_id for it in small} - {None}
    where = (Delivery.person_id, Delivery.outlet_id, Delivery.channel, Delivery.address_id)
    which = (
        select(*where, func.max(col(Delivery.sent_at)))  # type: ignore[call-overload]
        .join(Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id))
        .where(col(Delivery.person_id).in_(people) | col(Delivery.outlet_id).in_(outlets))
        .where(col(Delivery.state) == DeliveryState.SENT, col(Delivery.sent_at) > now - HOUR)
        .where(col(Delivery.purpose).in_((CALL, NEWS)), Anomaly.severity == SMALL)
        .group_by(*where)
    )
    return {tuple(row[:4]): row[4] for row in session.exec(which)}


def grouped(
    due: Sequence[Due],
    outlets: dict[UUID, Outlet],
    told: dict[Place, datetime],
    *,
    awake: Callable[[UUID | None, datetime], datetime],
    now: datetime,
) -> tuple[list[list[Delivery]], dict[UUID, datetime]]:
    """Return what goes out now, each list as one message, and until when the rest waits. Pure.

    `awake` says when somebody who wants quiet then can be told. What belongs to an outlet that is missing in `outlets`
    is in neither: it is tried again soon.
    """
    groups: defaultdict[object, list[Delivery]] = defaultdict(list)
    later: dict[UUID, datetime] = {}
    for one in due:
        it = one.delivery
        outlet = outlets.get(it.outlet_id) if it.outlet_id else None
        if it.outlet_id and outlet is None:
            continue
        if outlet and outlet.quiet_until and outlet.quiet_until > now:
            later[it.id] = outlet.quiet_until
        elif is_small(one) and place(it) in told:
            later[it.id] = awake(it.person_id, told[place(it)] + HOUR)
        elif is_small(one) or (outlet and outlet.channel in PAUSE and it.purpose in (CALL, NEWS)):
            groups[place(it)].append(it)
        else:
            groups[it.id].append(it)
    for outlet in outlets.values():
        waiting = [key for key, group in groups.items() if group[0].outlet_id == outlet.id]
        if outlet.channel in PAUSE and waiting:
            _pause(outlet, waiting, groups, later, now)
    return list(groups.values()), later


def _pause(
    outlet: Outlet,
    waiting: Sequence[object],
    groups: dict[object, list[Delivery]],
    later: dict[UUID, datetime],
    now: datetime,
) -> None:
    """One message, and then a pause; what cannot be in it waits for the next."""
    outlet.quiet_until = now + timedelta(seconds=PAUSE[outlet.channel])
    for key in waiting[1:]:
        later |= {it.id: outlet.quiet_until for it in groups.pop(key)}
