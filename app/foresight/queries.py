"""What looking ahead and looking back is made of, read from the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Event
from app.dispatch.ladder_words import Dictionary
from app.dispatch.models import Delivery
from app.dispatch.ways import ways
from app.dispatch.words import CHANNEL_WORDS
from app.flows import queries as flows
from app.foresight.dryrun import KINDS, Past, Told
from app.foresight.steady import Steady
from app.foresight.timeline import SILENT, Case, Plan
from app.people import queries as people
from app.people.models import Person, Team
from app.plant.models import Line, Site, Station
from app.rosters import queries as rosters
from app.rosters.models import Squad

CHANNELS = frozenset(CHANNEL_WORDS)


def plan(session: Session, site_id: UUID, *, since: datetime, until: datetime | None = None) -> Plan:
    """Return what decides who is called at a site from `since` until `until` (else at that one moment)."""
    roster = rosters.roster(session, site_id, since=since, until=until)
    return Plan(
        roster=Steady.of(roster, since, until) if until else roster,
        routing=flows.current_routing(session),
        flows={document.category: document for _, document in flows.current(session)},
        teams=dict(session.exec(select(Team.key, Team.id)).all()),
        addresses=people.addresses(session, [person.id for person in roster.staff]),
        channels=CHANNELS,
    )


def zone(session: Session, site_id: UUID) -> ZoneInfo:
    """Return the zone whose wall clock a site lives by."""
    return ZoneInfo(session.get_one(Site, site_id).timezone)


def stations(session: Session, site_id: UUID) -> Sequence[Station]:
    """Return the stations of a site, in the order of the shop floor."""
    here = col(Station.site_id) == site_id, col(Station.retired_at).is_(None)
    which = select(Station).join(Line, col(Line.id) == col(Station.line_id)).where(*here)
    return session.exec(
        which.order_by(col(Line.position), col(Line.id), col(Station.position), col(Station.code))
    ).all()


def past(session: Session, plan: Plan, site_id: UUID, *, since: datetime, until: datetime) -> list[Past]:
    """Return the anomalies that were received in this time, each with what its clocks and calls depend on."""
    here = col(Anomaly.site_id) == site_id, col(Anomaly.received_at) >= since, col(Anomaly.received_at) < until
    found = {one.id: one for one in session.exec(select(Anomaly).where(*here).order_by(col(Anomaly.received_at)))}
    told: dict[UUID, list[Told]] = {}
    events = select(Event).join(Anomaly, col(Anomaly.id) == col(Event.anomaly_id)).where(*here)
    for event in session.exec(events.where(col(Event.kind).in_(KINDS)).order_by(col(Event.seq))):
        told.setdefault(event.anomaly_id, []).append(Told(event.kind, event.at, event.by_id, event.details))
    shown: dict[UUID, list[datetime]] = {}
    displays = select(Delivery.anomaly_id, Delivery.displayed_at).join(
        Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id)
    )
    for anomaly_id, at in session.exec(displays.where(*here, col(Delivery.displayed_at).is_not(None))):
        if anomaly_id and at:
            shown.setdefault(anomaly_id, []).append(at)
    return [
        Past(one.number, _case(one, plan), told.get(one.id, []), sorted(shown.get(one.id, [])))
        for one in found.values()
        if one.category in plan.flows
    ]


def _case(anomaly: Anomaly, plan: Plan) -> Case:
    place = anomaly.site_id, anomaly.line_id, anomaly.station_id
    team = plan.teams.get(plan.flows[anomaly.category].team)
    return Case(*place, anomaly.category, anomaly.severity, team)


def dictionary(session: Session, plan: Plan) -> Dictionary:
    """Return what teams, squads and people are called."""
    return Dictionary(
        teams={key: dict(names) for key, names in session.exec(select(Team.key, Team.names))},
        squads={key: dict(names) for key, names in session.exec(select(Squad.key, Squad.names))},
        people={person.id: person.name for person in plan.roster.staff},
    )


def rings_at_all(person: Person, plan: Plan) -> bool:
    """Tell whether anything of somebody's rings."""
    return any(channel not in SILENT for channel, _ in ways(person, plan.addresses.get(person.id, ()), plan.channels))
