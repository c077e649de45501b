"""Publishing a flow, or who the duty responders are: always a new version, never a change of an old one."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from app.flows.document import FlowDocument
from app.flows.models import Flow, FlowVersion, RoutingVersion
from app.flows.routing import ROUTES, Route
from app.kit.ids import new_id


def publish(session: Session, document: FlowDocument, *, by: str = "", now: datetime) -> FlowVersion:
    """Make `document` what new anomalies of its category get. Running ones keep theirs."""
    flow = session.exec(select(Flow).where(Flow.category == document.category)).one_or_none()
    if flow is None:
        place = session.exec(select(func.count()).select_from(Flow)).one()
        flow = Flow(category=document.category, position=place, current_id=new_id())
        session.add(flow)
        session.flush()
    last = session.exec(select(func.max(FlowVersion.number)).where(col(FlowVersion.flow_id) == flow.id)).one()
    version = FlowVersion(
        flow_id=flow.id,
        number=(last or 0) + 1,
        document=document.model_dump(mode="json"),
        published_at=now,
        published_by=by,
    )
    session.add(version)
    flow.current_id = version.id
    session.flush()
    return version


def publish_routing(session: Session, routes: Sequence[Route], *, by: str = "", now: datetime) -> RoutingVersion:
    """Make these the routes from now on, for running anomalies too: they are asked when a rung rings."""
    last = session.exec(select(func.max(RoutingVersion.number))).one()
    document = ROUTES.dump_python(tuple(routes), mode="json")
    version = RoutingVersion(number=(last or 0) + 1, document=document, published_at=now, published_by=by)
    session.add(version)
    session.flush()
    return version
