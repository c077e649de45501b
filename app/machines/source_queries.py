"""Reads about sources: how each stands, whom it trusts, what is read there."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.kit.columns import Names
from app.kit.errors import NotFound
from app.machines import certificates
from app.machines.certificates import Certificate, Unreadable
from app.machines.faults import FAULTS, Fault
from app.machines.models import ServerCertificate, Source, Tag
from app.machines.plan import LinkPlan, LinkSettings
from app.machines.security import Policy, Security
from app.plant.models import Line, Station

MOST_TAGS = 500
"""Shown on one page."""


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A source as people see it. `certificate` is the one that is trusted; `fault`: why it is not connected."""

    source: Source
    tags: int
    fault: Fault | None
    certificate: Certificate | None
    trusted: ServerCertificate | None

    @property
    def needs_trust(self) -> bool:
        return self.source.policy is not Policy.NONE and self.certificate is None


@dataclass(frozen=True, slots=True)
class StationOfLine:
    id: UUID
    names: Names
    line: Names


def get(session: Session, source_id: UUID) -> Source:
    """Return this source.

    Raises:
        NotFound
    """
    source = session.get(Source, source_id)
    if source is None:
        raise NotFound()
    return source


def cards(session: Session) -> list[SourceCard]:
    """Return every source, those that need somebody first."""
    counts = select(Tag.source_id, func.count()).group_by(col(Tag.source_id))
    tags: dict[UUID, int] = dict(session.exec(counts).all())
    sources = session.exec(select(Source).order_by(col(Source.name), col(Source.id))).all()
    trusted = {one.source_id: one for one in session.exec(_trusted())}
    found = [_card(source, tags.get(source.id, 0), trusted.get(source.id)) for source in sources]
    return sorted(found, key=lambda card: (not card.source.enabled, card.fault is None))


def card(session: Session, source_id: UUID) -> SourceCard:
    """Return one source.

    Raises:
        NotFound
    """
    source = get(session, source_id)
    count = session.exec(select(func.count()).where(col(Tag.source_id) == source_id)).one()
    return _card(source, count, trusted(session, source_id))


def tags(session: Session, source_id: UUID) -> Sequence[tuple[Tag, Names]]:
    """Return the tags of a source with the names of their stations, by name."""
    statement = (
        select(Tag, Station.names)
        .join(Station, col(Station.id) == col(Tag.station_id))
        .where(Tag.source_id == source_id)
        .order_by(col(Station.position), col(Tag.id))
        .limit(MOST_TAGS)
    )
    return [(tag, dict(names)) for tag, names in session.exec(statement)]


def known_nodes(session: Session, source_id: UUID) -> set[str]:
    """Return the nodes of a source that are tags already."""
    return set(session.exec(select(Tag.node).where(Tag.source_id == source_id)))


def stations(session: Session) -> list[StationOfLine]:
    """Return where tags may belong, in the order of the shop floor."""
    statement = (
        select(Station.id, Station.names, Line.names)
        .join(Line, col(Line.id) == col(Station.line_id))
        .where(col(Station.retired_at).is_(None))
        .order_by(col(Line.position), col(Station.position), col(Station.id))
    )
    return [StationOfLine(station, dict(names), dict(line)) for station, names, line in session.exec(statement)]


def asked(session: Session, source_id: UUID) -> LinkPlan:
    """Return what is needed to ask a source something, switched on or not.

    Raises:
        NotFound
    """
    source = get(session, source_id)
    try:
        settings = LinkSettings.model_validate(source.settings)
    except ValidationError:
        settings = LinkSettings()
    return LinkPlan(source.id, source.name, source.url, settings, (), security_of(session, source))


def security_of(session: Session, source: Source) -> Security:
    """Return how this source is to be spoken to."""
    known = trusted(session, source.id) if source.policy is not Policy.NONE else None
    der = known.der if known else b""
    return Security(source.policy, source.mode, source.login, source.sealed, source.isolated, der)


def trusted(session: Session, source_id: UUID) -> ServerCertificate | None:
    """Return the certificate that a person has accepted for this source."""
    return session.exec(_trusted().where(col(ServerCertificate.source_id) == source_id)).first()


def _trusted() -> SelectOfScalar[ServerCertificate]:
    newest = col(ServerCertificate.trusted_at).desc()
    return select(ServerCertificate).where(col(ServerCertificate.ended_at).is_(None)).order_by(newest)


def _card(source: Source, count: int, known: ServerCertificate | None) -> SourceCard:
    try:
        certificate = certificates.read(known.der) if known else None
    except Unreadable:
        certificate = None
    return SourceCard(source, count, FAULTS.get(source.fault), certificate, known)
