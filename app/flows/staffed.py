"""Is the last step of a ladder always staffed? Whom it calls when everybody before failed must exist at every hour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from app.flows.audience import meant
from app.flows.document import FlowDocument, Rung
from app.kit.errors import N_, DomainError
from app.people.models import Team
from app.plant.models import Area, Line
from app.plant.queries import sites
from app.rosters import queries as rosters
from app.rosters.roster import Roster

AHEAD = timedelta(days=7)


class NoLastStep(DomainError):
    code = "flows.no_last_step"
    message = N_(
        "The ladder for severity %(severity)s calls nobody when nobody accepts. Nothing was published. "
        "Add a step after which somebody is called."
    )
    status = 400


class NotAlwaysStaffed(DomainError):
    code = "flows.not_always_staffed"
    message = N_(
        "The last step of the ladder for severity %(severity)s would reach nobody from %(when)s on. "
        "Nothing was published. Add people to it who are on duty at that hour, or put somebody on the roster."
    )
    status = 400


@dataclass(frozen=True, slots=True)
class _Anything:
    """Some anomaly of a flow, on one line."""

    site_id: UUID
    line_id: UUID
    station_id: UUID
    team_id: UUID | None
    category: str
    severity: int
    owner_id: UUID | None = None


def require_staffed(session: Session, document: FlowDocument, severities: Iterable[int], *, now: datetime) -> None:
    """Look at the coming week, on every line: does the last step of these severities call anybody at every minute?

    Raises:
        NoLastStep, NotAlwaysStaffed: for the first severity of which it does not.
    """
    teams = dict(session.exec(select(Team.key, Team.id)).all())
    for site in sites(session):
        here = rosters.roster(session, site.id, since=now, until=now + AHEAD)
        lines = session.exec(
            select(Line.id).join(Area, col(Area.id) == col(Line.area_id)).where(col(Area.site_id) == site.id)
        ).all()
        for severity in severities:
            rungs = document.ladder(severity).of("accepted")
            if not rungs:
                raise NoLastStep(severity=severity)
            team = teams.get(document.team)
            anywhere = [_Anything(site.id, line, line, team, document.category, severity) for line in lines]
            empty = empty_from(rungs[-1], anywhere, roster=here, teams=teams, since=now, until=now + AHEAD)
            if empty is not None:
                raise NotAlwaysStaffed(severity=severity, when=f"{empty.astimezone(here.zone):%Y-%m-%d %H:%M}")


def empty_from(
    rung: Rung,
    anywhere: Iterable[_Anything],
    *,
    roster: Roster,
    teams: Mapping[str, UUID],
    since: datetime,
    until: datetime,
) -> datetime | None:
    """Return the first moment at which a rung means nobody on duty for one of these; None: there is none. Pure."""
    for at in (since, *roster.edges(since, until)):
        for one in anywhere:
            if not any(meant(audience, one, at=at, roster=roster, teams=teams) for audience in rung.call):
                return at
    return None
