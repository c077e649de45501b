"""Places that can be rung without being a person: added, tested, paused and removed by an administrator.

What is secret about one goes in and never comes out again: it is sealed with the installation's own key.
Longer than most files: everything that can be done with a place is here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from app.channels import mqtt, stacklight
from app.channels.answers import MISMATCH
from app.channels.apps import APPS, check_app
from app.channels.inside import Inside
from app.channels.targets import Robots, check_robot, check_webhook
from app.dispatch.models import Delivery, DeliveryState, Outlet
from app.dispatch.plans import plan_outlet_test
from app.kit.columns import Names
from app.kit.errors import N_, DomainError, NotAllowed, NotFound
from app.kit.secret import seal
from app.people.models import Person, Role, Team
from app.plant.models import Line
from app.settings import Settings

KINDS: Final = ("wecom", "dingtalk", "feishu", *APPS, "webhook", "mqtt", "stacklight")
WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
LATEST: Final = 200  # deliveries of an outlet from which its usual speed is known


class BadOutlet(DomainError):
    code = "dispatch.bad_outlet"
    message = N_(
        "This place cannot be added like that. Nothing was stored. Give it a name, and choose one of the kinds."
    )
    status = 400


@dataclass(frozen=True, slots=True)
class Scope:
    """What an outlet is rung for."""

    line_id: UUID | None
    team_id: UUID | None
    severity: int
    from_rung: bool


@dataclass(frozen=True, slots=True)
class Place:
    """An outlet as an administrator sees it. `fault` is a sentence and, after a line break, the service's own words."""

    outlet: Outlet
    line: Names | None
    team: Names | None
    state: str
    waiting: int
    median: float | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Push services that refused our signature within a day: no phone of theirs rings until that is put right."""

    refused: int
    at: datetime | None


def places(session: Session, site_id: UUID, *, now: datetime) -> list[Place]:
    """Return the outlets of a site, those with a fault first."""
    which: Any = (
        select(Outlet, Line.names, Team.names)
        .outerjoin(Line, col(Line.id) == col(Outlet.line_id))
        .outerjoin(Team, col(Team.id) == col(Outlet.team_id))
        .where(Outlet.site_id == site_id, col(Outlet.gone_at).is_(None))
        .order_by(col(Outlet.name), col(Outlet.id))
    )
    rows = session.exec(which).all()
    waiting = _waiting(session, [outlet.id for outlet, *_ in rows])
    found = [
        Place(outlet, line, team, state(outlet, now=now), waiting.get(outlet.id, 0), _median(session, outlet.id, now))
        for outlet, line, team in rows
    ]
    return sorted(found, key=lambda place: place.state != "fault")


def state(outlet: Outlet, *, now: datetime) -> str:
    """Tell in one word how it stands: paused, fault, new, ok. Pure."""
    if outlet.paused_at and not outlet.fault:
        return "paused"
    if outlet.fault:
        return "fault"
    return "ok" if outlet.worked_at else "new"


def push_alarm(session: Session, *, now: datetime) -> Alarm:
    """Return whether push services refuse us. That concerns every phone at once."""
    which = select(func.count(), func.max(col(Delivery.planned_at))).where(
        Delivery.error == MISMATCH, col(Delivery.planned_at) > now - DAY, Delivery.channel == "webpush"
    )
    refused, at = session.exec(which).one()
    return Alarm(refused, at)


def lines_and_teams(session: Session) -> tuple[Sequence[Line], Sequence[Team]]:
    """Return what an outlet can be narrowed to."""
    lines = session.exec(select(Line).order_by(col(Line.position), col(Line.id))).all()
    return lines, session.exec(select(Team).order_by(col(Team.key))).all()


def get(session: Session, outlet_id: UUID, *, by: Person) -> Outlet:
    """Return one outlet of the administrator's own site.

    Raises:
        NotAllowed, NotFound
    """
    if by.role != Role.ADMIN:
        raise NotAllowed()
    outlet = session.get(Outlet, outlet_id)
    if outlet is None or outlet.gone_at is not None or outlet.site_id != by.site_id:
        raise NotFound()
    return outlet


def checked(kind: str, form: Mapping[str, str], config: Settings) -> dict[str, object]:
    """Return what a kind of outlet needs to be reached.

    Raises:
        BadOutlet, BadRobot, BadSecret, BadWebhook, BadApp, BadLight: each says what is wrong with it.
    """
    if kind in ("wecom", "dingtalk", "feishu"):
        return check_robot(kind, form["url"], form["secret"], Robots.of(config.chat_hosts))
    if kind == "webhook":
        return check_webhook(form["url"], form["secret"], Inside(config.inside_hosts))
    if kind in APPS:
        return check_app(kind, form)
    if kind == "mqtt":
        target = {name: form[name].strip() for name in ("url", "topic", "on", "off", "authority") if form[name].strip()}
        mqtt.Lamp.of(target)
        return dict(target)
    if kind == "stacklight":
        target = {name: form[name].strip() for name in ("url", "node", "on", "off") if form[name].strip()}
        stacklight.Lamp.of(target)
        return dict(target)
    raise BadOutlet()


def add(
    session: Session,
    kind: str,
    name: str,
    target: Mapping[str, object],
    scope: Scope,
    *,
    by: Person,
    secret: bytes,
    now: datetime,
) -> Outlet:
    """Add a place that was `checked`.

    Raises:
        NotAllowed, BadOutlet
    """
    if by.role != Role.ADMIN:
        raise NotAllowed()
    outlet = Outlet(site_id=by.site_id, channel=kind, name="", target="", created_at=now)
    return _written(session, outlet, name, scope, seal(secret, target))


def change(
    session: Session,
    outlet_id: UUID,
    name: str,
    target: Mapping[str, object] | None,
    scope: Scope,
    *,
    by: Person,
    secret: bytes,
) -> Outlet:
    """Change what an outlet is rung for; with a new `target` also how it is reached, and what waited goes out.

    Raises:
        NotAllowed, NotFound, BadOutlet
    """
    outlet = get(session, outlet_id, by=by)
    sealed = outlet.target
    if target is not None:
        sealed, outlet.fault, outlet.quiet_until = seal(secret, target), "", None
    return _written(session, outlet, name, scope, sealed)


def test(session: Session, outlet_id: UUID, *, by: Person, now: datetime) -> None:
    """Send something to it now.

    Raises:
        NotAllowed, NotFound
    """
    outlet = get(session, outlet_id, by=by)
    outlet.paused_at = None
    plan_outlet_test(session, outlet, now=now)


def pause(session: Session, outlet_id: UUID, *, by: Person, now: datetime) -> None:
    """Let it be silent until it is wanted again. What waits for it is dropped.

    Raises:
        NotAllowed, NotFound
    """
    outlet = get(session, outlet_id, by=by)
    outlet.paused_at = outlet.paused_at or now
    session.add(outlet)


def resume(session: Session, outlet_id: UUID, *, by: Person) -> None:
    """Let it ring again.

    Raises:
        NotAllowed, NotFound
    """
    outlet = get(session, outlet_id, by=by)
    outlet.paused_at, outlet.fault, outlet.quiet_until = None, "", None
    session.add(outlet)


def remove(session: Session, outlet_id: UUID, *, by: Person, now: datetime) -> None:
    """Forget it and its secrets; what was sent stays in the history.

    Raises:
        NotAllowed, NotFound
    """
    outlet = get(session, outlet_id, by=by)
    outlet.gone_at, outlet.target = now, ""
    session.add(outlet)
    mine = col(Delivery.outlet_id) == outlet.id, col(Delivery.state) == DeliveryState.PLANNED
    session.execute(update(Delivery).where(*mine).values(state=DeliveryState.DROPPED))


def _written(session: Session, outlet: Outlet, name: str, scope: Scope, sealed: str) -> Outlet:
    name = " ".join(name.split())
    if not name or len(name) > 80 or scope.severity not in (1, 2, 3, 4):
        raise BadOutlet()
    line = session.get(Line, scope.line_id) if scope.line_id else None
    team = session.get(Team, scope.team_id) if scope.team_id else None
    if (scope.line_id and line is None) or (scope.team_id and team is None):
        raise BadOutlet()
    outlet.name, outlet.target = name, sealed
    outlet.line_id, outlet.team_id = scope.line_id, scope.team_id
    outlet.severity, outlet.from_rung = scope.severity, scope.from_rung
    session.add(outlet)
    session.flush()
    return outlet


def _waiting(session: Session, outlets: Sequence[UUID]) -> dict[UUID | None, int]:
    which = (
        select(Delivery.outlet_id, func.count())
        .where(col(Delivery.outlet_id).in_(outlets), col(Delivery.state) == DeliveryState.PLANNED)
        .group_by(col(Delivery.outlet_id))
    )
    return dict(session.exec(which).all())


def _median(session: Session, outlet_id: UUID, now: datetime) -> float | None:
    """Seconds from planned to sent, of the latest deliveries of a week."""
    which = (
        select(Delivery.planned_at, Delivery.sent_at)
        .where(col(Delivery.outlet_id) == outlet_id, col(Delivery.sent_at) > now - WEEK)
        .order_by(col(Delivery.planned_at).desc())
        .limit(LATEST)
    )
    took = [(sent - planned).total_seconds() for planned, sent in session.exec(which) if sent]
    return median(took) if took else None
