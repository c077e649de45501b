"""Stack lights and sirens: what each should show now, and who has allowed a tag to be written.

A light is on while something rings it: a call to it stands, and nobody has taken the anomaly yet. Nothing is remembered
beside that, so a light is right again after any crash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly
from app.channels.stacklight import CONFIRMATIONS, StackLight
from app.channels.stacklight import Lamp as Tag
from app.dispatch.models import CALL, Delivery, Outlet
from app.kit.errors import N_, DomainError, NotAllowed, NotFound
from app.kit.secret import seal, unseal
from app.people.models import Person, Role

KINDS: Final = ("mqtt", "stacklight")


class OtherTag(DomainError):
    code = "dispatch.other_tag"
    message = N_("This is not the tag of this light. Nothing was allowed. Type it as it stands above.")
    status = 400


@dataclass(frozen=True, slots=True)
class Light:
    """One outlet that is kept as it should be. `target` is sealed."""

    outlet_id: UUID
    kind: str
    target: str
    on: bool


def lights(session: Session) -> list[Light]:
    """Return every light of the plant with what it should show."""
    known = select(Outlet).where(
        col(Outlet.channel).in_(KINDS), col(Outlet.gone_at).is_(None), col(Outlet.paused_at).is_(None)
    )
    found = session.exec(known.order_by(col(Outlet.id))).all()
    ringing = _ringing(session, found)
    return [Light(outlet.id, outlet.channel, outlet.target, outlet.id in ringing) for outlet in found]


def _ringing(session: Session, found: Sequence[Outlet]) -> set[UUID | None]:
    if not found:
        return set()
    which = (
        select(Delivery.outlet_id)
        .join(Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id))
        .where(
            col(Anomaly.in_queue).is_(True),
            col(Anomaly.status) == Status.REPORTED,
            col(Delivery.round) == col(Anomaly.round),
            col(Delivery.purpose) == CALL,
            col(Delivery.outlet_id).in_([outlet.id for outlet in found]),
        )
        .distinct()
    )
    return set(session.exec(which))


def tag_of(session: Session, outlet_id: UUID, *, secret: bytes) -> tuple[Outlet, Tag]:
    """Return a light that is a tag of a controller, and which.

    Raises:
        NotFound: there is none with this id.
    """
    outlet = session.get(Outlet, outlet_id)
    if outlet is None or outlet.channel != StackLight.kind or outlet.gone_at is not None:
        raise NotFound()
    return outlet, Tag.of(unseal(secret, outlet.target))


def allow(session: Session, outlet_id: UUID, node: str, *, by: Person, now: datetime, secret: bytes) -> int:
    """Confirm once more that this very tag may be written; return how often that has been said now.

    Raises:
        NotAllowed: only an administrator may.
        OtherTag: somebody means another tag.
    """
    if by.role != Role.ADMIN:
        raise NotAllowed()
    outlet, tag = tag_of(session, outlet_id, secret=secret)
    if node.strip() != tag.node:
        raise OtherTag()
    if tag.confirmed < CONFIRMATIONS:
        target = unseal(secret, outlet.target)
        said = target.get("confirmed")
        target["confirmed"] = [*(said if isinstance(said, list) else []), f"{by.id} {now.isoformat()}"]
        outlet.target = seal(secret, target)
        session.add(outlet)
    return min(tag.confirmed + 1, CONFIRMATIONS)
