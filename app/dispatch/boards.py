"""Screens in the hall as a way to tell people: put up, taken down, and what they have shown."""

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from app.dispatch.models import Delivery, DeliveryState, Outlet
from app.kit.errors import N_, BadInput, DomainError, NotAllowed, NotFound
from app.kit.secret import digest, seal
from app.people.models import Person, Role
from app.plant.models import Area, Board

KIND: Final = "board"


class NoName(DomainError):
    code = "dispatch.board_without_name"
    message = N_("The screen needs a name. Nothing was stored. Say where it hangs, such as “Hall 2, east wall”.")
    status = 400


def boards(session: Session) -> list[Board]:
    """Return the screens that hang, by name."""
    which = select(Board).where(col(Board.revoked_at).is_(None)).order_by(col(Board.name), col(Board.id))
    return list(session.exec(which))


def put_up(
    session: Session,
    name: str,
    *,
    area_id: UUID | None,
    names_shown: bool,
    by: Person,
    now: datetime,
    secret: bytes,
) -> tuple[Board, str]:
    """Make a screen; return it with what stands in its address, which is told only now.

    From the next call on it counts as a channel: it is told of everything at once.

    Raises:
        NotAllowed, NoName, BadInput
    """
    _require_admin(by)
    if not name.strip():
        raise NoName()
    if area_id and session.get(Area, area_id) is None:
        raise BadInput()
    token = secrets.token_urlsafe(18)
    place: dict[str, Any] = {"site_id": by.site_id, "name": name.strip()[:80], "created_at": now}
    board = Board(area_id=area_id, token=digest(token), names_shown=names_shown, **place)
    session.add(board)
    session.add(Outlet(id=board.id, channel=KIND, target=seal(secret, {}), from_rung=False, **place))
    session.flush()
    return board, token


def take_down(session: Session, board_id: UUID, *, by: Person, now: datetime) -> None:
    """Let its address be nobody's any more.

    Raises:
        NotAllowed, NotFound
    """
    _require_admin(by)
    board, outlet = session.get(Board, board_id), session.get(Outlet, board_id)
    if board is None or outlet is None:
        raise NotFound()
    board.revoked_at = outlet.gone_at = now
    session.add_all([board, outlet])


def shown(session: Session, board: Board, anomalies: Collection[UUID], *, now: datetime) -> None:
    """The screen shows these now: what was sent to it about them has been displayed."""
    session.execute(update(Board).where(col(Board.id) == board.id).values(seen_at=now))
    mine = (
        col(Delivery.outlet_id) == board.id,
        col(Delivery.anomaly_id).in_(list(anomalies)),
        col(Delivery.state).in_((DeliveryState.PLANNED, DeliveryState.SENT)),
        col(Delivery.displayed_at).is_(None),
    )
    session.execute(update(Delivery).where(*mine).values(displayed_at=now))


def _require_admin(by: Person) -> None:
    if by.role != Role.ADMIN:
        raise NotAllowed()
