"""Which flow a category has now, the version an anomaly was opened with, and who the duty responders are now."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from app.flows.document import FlowDocument
from app.flows.models import Flow, FlowVersion, RoutingVersion
from app.flows.routing import ROUTES, Hours, Route, Routing
from app.plant.models import Line
from app.rosters.models import Shift


def current(session: Session) -> list[tuple[UUID, FlowDocument]]:
    """Return the published version of each flow, in the order of the tiles."""
    statement = select(Flow.current_id).order_by(col(Flow.position))
    return [(version_id, document(session, version_id)) for version_id in session.exec(statement)]


def current_version_ids(session: Session, categories: Sequence[str]) -> dict[str, UUID]:
    """Return the published version of each of these categories; unknown ones are left out."""
    statement = select(Flow.category, Flow.current_id).where(col(Flow.category).in_(categories))
    return dict(session.exec(statement).all())


def document(session: Session, version_id: UUID) -> FlowDocument:
    """Return the document of a version. Versions never change, so they are read once in a process."""
    known = _documents.get(version_id)
    if known is None:
        version = session.get_one(FlowVersion, version_id)
        known = _documents[version_id] = FlowDocument.model_validate(version.document)
    return known


def versions(session: Session, category: str) -> Sequence[FlowVersion]:
    """Return every published version of a category's flow, latest first."""
    of = select(FlowVersion).join(Flow, col(Flow.id) == col(FlowVersion.flow_id)).where(Flow.category == category)
    return session.exec(of.order_by(col(FlowVersion.number).desc())).all()


def current_routing(session: Session) -> Routing:
    """Return the routes that hold now, with what they need to know of the plant; none when none were published."""
    latest = select(RoutingVersion.id).order_by(col(RoutingVersion.number).desc()).limit(1)
    version_id = session.exec(latest).first()
    routes = _routes_of(session, version_id) if version_id else ()
    return Routing(routes, *_ground(session)) if routes else Routing()


def routing(session: Session, routes: Sequence[Route]) -> Routing:
    """Return these routes, published or not, with what they need to know of the plant."""
    return Routing(routes, *_ground(session))


def routing_versions(session: Session) -> Sequence[RoutingVersion]:
    """Return every published version, latest first."""
    return session.exec(select(RoutingVersion).order_by(col(RoutingVersion.number).desc())).all()


def _ground(session: Session) -> tuple[dict[UUID, UUID], list[Hours]]:
    shifts = session.exec(select(Shift).order_by(col(Shift.id)))
    hours = [Hours(shift.id, shift.site_id, shift.starts, shift.ends) for shift in shifts]
    return dict(session.exec(select(Line.id, Line.area_id)).all()), hours


def _routes_of(session: Session, version_id: UUID) -> tuple[Route, ...]:
    """Versions never change, so they are read once in a process."""
    known = _routes.get(version_id)
    if known is None:
        version = session.get_one(RoutingVersion, version_id)
        known = _routes[version_id] = ROUTES.validate_python(version.document)
    return known


_documents: dict[UUID, FlowDocument] = {}
_routes: dict[UUID, tuple[Route, ...]] = {}
