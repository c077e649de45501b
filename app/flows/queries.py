"""Which flow a category has now, and the version an anomaly was opened with."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from app.flows.document import FlowDocument
from app.flows.models import Flow, FlowVersion


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


_documents: dict[UUID, FlowDocument] = {}
