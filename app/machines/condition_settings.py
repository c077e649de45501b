"""How a source's own alarms are taken: decided by an administrator, shown to engineers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.kit.columns import Names
from app.kit.errors import N_, DomainError
from app.machines import shelving, source_queries
from app.machines.condition_models import LONGEST_NODE, Condition, ConditionPlace
from app.machines.models import Source
from app.machines.plan import LinkSettings
from app.machines.source_queries import StationOfLine
from app.plant.models import Station

MOST_SHOWN = 100
MOST_PLACES = 200


class BadConditionSettings(DomainError):
    code = "machines.bad_condition_settings"
    message = N_(
        "The four limits must fall, from 1000 to 1, and each line names a place and a station that is in use. "
        "Nothing was stored. Correct it and save again."
    )
    status = 400


@dataclass(frozen=True, slots=True)
class ConditionPage:
    """What the page of a source's own alarms shows. `settings` None: those of the source cannot be read."""

    source: Source
    settings: LinkSettings | None
    conditions: Sequence[tuple[Condition, Names | None, bool]]
    places: Mapping[str, UUID]
    stations: Sequence[StationOfLine]


def show(session: Session, source_id: UUID, *, now: datetime) -> ConditionPage:
    """
    Raises:
        NotFound
    """
    source = source_queries.get(session, source_id)
    try:
        settings = LinkSettings.model_validate(source.settings)
    except ValidationError:
        settings = None
    rows = session.execute(
        select(Condition, Station.names)
        .join(Station, col(Station.id) == col(Condition.station_id), isouter=True)
        .where(Condition.source_id == source_id, col(Condition.retain))
        .order_by(col(Condition.announced).desc(), col(Condition.told_at).desc(), col(Condition.id))
        .limit(MOST_SHOWN)
    )
    shelved = shelving.shelved(session, now=now)
    conditions = [(condition, names, condition.id in shelved) for condition, names in rows]
    return ConditionPage(source, settings, conditions, _places(session, source_id), source_queries.stations(session))


def save(
    session: Session,
    source_id: UUID,
    *,
    conditions: bool,
    acknowledge: bool,
    severities: Sequence[int],
    notifiers: Sequence[str],
    places: Mapping[str, UUID],
) -> None:
    """Decide how this source's own alarms are taken; all of it or nothing.

    Raises:
        NotFound, BadConditionSettings
    """
    source = source_queries.get(session, source_id)
    wish = {
        "conditions": conditions,
        "acknowledge": acknowledge,
        "severities": list(severities),
        "notifiers": list(notifiers),
    }
    known = {station.id for station in source_queries.stations(session)}
    too_long = any(len(said) > LONGEST_NODE for said in (*places, *notifiers))
    if too_long or len(places) > MOST_PLACES or not known.issuperset(places.values()):
        raise BadConditionSettings()
    try:
        LinkSettings.model_validate(source.settings | wish)
    except ValidationError as error:
        raise BadConditionSettings() from error
    source.settings = source.settings | wish
    session.add(source)
    session.execute(delete(ConditionPlace).where(col(ConditionPlace.source_id) == source_id))
    session.add_all(
        ConditionPlace(source_id=source_id, said=said, station_id=station_id) for said, station_id in places.items()
    )


def _places(session: Session, source_id: UUID) -> dict[str, UUID]:
    rows = session.exec(
        select(ConditionPlace).where(ConditionPlace.source_id == source_id).order_by(col(ConditionPlace.said))
    )
    return {row.said: row.station_id for row in rows}
