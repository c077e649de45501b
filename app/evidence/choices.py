"""Which tags engineers want to see with the alarms of a station, and which tell of batches and products."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, delete, select

from app.evidence.models import EvidenceTag, Part
from app.kit.errors import BadInput, NotAllowed, NotFound
from app.machines.models import Tag
from app.people.models import Person, Role
from app.plant.models import Station

CHOICES = ("", Part.CHOSEN, Part.BATCH, Part.PRODUCT)
MOST = 200  # tags of a line that are offered


def may_choose(person: Person) -> bool:
    """Engineers and administrators; managers only look."""
    return person.role in (Role.ENGINEER, Role.ADMIN)


def require(person: Person) -> None:
    """Raises NotAllowed unless this person may choose."""
    if not may_choose(person):
        raise NotAllowed()


def offered(session: Session, station_id: UUID) -> dict[str, Any]:
    """Return the tags of the line, this station's first, each with what is chosen for it.

    Raises:
        NotFound: there is no such station.
    """
    station = session.get(Station, station_id)
    if station is None:
        raise NotFound()
    chosen = dict(_chosen(session, station_id))
    rows = session.exec(
        select(Tag, Station)
        .join(Station, col(Station.id) == col(Tag.station_id))
        .where(Station.line_id == station.line_id)
        .order_by((col(Station.id) == station_id).desc(), col(Station.position), col(Tag.id))
        .limit(MOST)
    )
    tags = [{"tag": tag, "place": place.names, "part": chosen.get(tag.id, "")} for tag, place in rows]
    return {"station": station, "tags": tags, "standard": not chosen}


def choose(session: Session, station_id: UUID, given: Mapping[str, str], *, by: Person) -> None:
    """Keep what was chosen: of each tag its part, by the tag's id. Nothing chosen: all tags of the station again.

    Raises:
        NotAllowed, NotFound
        BadInput: a tag that is not offered here, or a part that is none; nothing was changed.
    """
    require(by)
    known = {str(one["tag"].id): one["tag"].id for one in offered(session, station_id)["tags"]}
    if not given.keys() <= known.keys() or not set(given.values()) <= set(CHOICES):
        raise BadInput()
    session.execute(delete(EvidenceTag).where(col(EvidenceTag.station_id) == station_id))
    session.add_all(
        EvidenceTag(station_id=station_id, tag_id=known[key], part=Part(part)) for key, part in given.items() if part
    )
    session.flush()


def _chosen(session: Session, station_id: UUID) -> list[tuple[UUID, Part]]:
    rows = session.exec(select(EvidenceTag.tag_id, EvidenceTag.part).where(EvidenceTag.station_id == station_id))
    return [(tag_id, Part(part)) for tag_id, part in rows]
