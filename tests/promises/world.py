"""A world of the oracle as rows of the plant: the only place where its words and those of the app meet."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import cast
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.models import Event
from app.flows.actions import publish, publish_routing
from app.flows.document import Audience, FlowDocument, Ladder
from app.flows.document import Rung as FlowRung
from app.flows.routing import Route as FlowRoute
from app.people.models import Address, Person, Role
from app.plant.models import Area, Line, Site, Station
from app.rosters.models import Absence, CheckIn, Duty, Shift, Squad, SquadMember
from tests.factories import add, id_of, team
from tests.promises.oracle import Called, Human, Route, Rung, Who, World


def fill(session: Session, world: World, *, now: datetime) -> None:
    """Add everything of `world`. The bell of each turn has been rung and heard, but for those who were silent."""
    site = Site(id=id_of("site", "Suzhou"), names={"en": "Plant"}, timezone=str(world.zone))
    area = Area(id=id_of("area", "Hall"), site_id=site.id, names={"en": "Hall"})
    teams = {kind.team for kind in world.kinds} | {human.team for human in world.humans if human.team}
    add(session, site, area, *map(team, sorted(teams)))
    for line in sorted(set(world.stations.values())):
        add(session, Line(id=id_of("line", line), area_id=area.id, names={"en": line}))
    for name, line in world.stations.items():
        place = {"line_id": id_of("line", line), "site_id": site.id}
        add(session, Station(id=id_of("station", name), code=name, names={"en": name}, **place))
    add(session, *(_person(human, site.id, world.ways) for human in world.humans))
    for human in world.humans:
        if human.deputy:
            session.get_one(Person, id_of("person", human.name)).deputy_id = id_of("person", human.deputy)
    _roster(session, world, site.id)
    ladders = {severity: Ladder(rungs=tuple(map(_rung, rungs))) for severity, rungs in world.ladders.items()}
    for kind in world.kinds:
        flow = {"category": kind.category, "names": {"en": kind.category}, "icon": kind.category, "merge_minutes": 0}
        flow |= {"team": kind.team, "severity": kind.severity, "ladders": ladders}
        publish(session, FlowDocument.model_validate(flow), now=now)
    if world.routes:
        publish_routing(session, [_route(route) for route in world.routes], now=now)


def _roster(session: Session, world: World, site_id: UUID) -> None:
    for starts, ends in sorted({(turn.starts, turn.ends) for turn in world.turns}):
        hours = {"starts": time(starts), "ends": time(ends)}
        add(session, Shift(id=id_of("shift", str(starts)), site_id=site_id, names={"en": f"{starts}"}, **hours))
    rows: list[object] = []
    for turn in world.turns:
        who = {"person_id": id_of("person", turn.name), "shift_id": id_of("shift", str(turn.starts)), "day": turn.day}
        began = datetime.combine(turn.day, time(turn.starts), world.zone).astimezone(UTC)
        silent = (turn.name, turn.day, turn.starts) in world.silent
        what_then = {"silent_at": began + timedelta(minutes=5)} if silent else {"answered_at": began}
        rows += [Duty(**who), CheckIn(**who, rung_at=began, **what_then)]
    session.add_all(rows)
    for name, day in sorted(world.away):
        add(session, Absence(person_id=id_of("person", name), first_day=day, last_day=day))
    for key, names in world.squads.items():
        add(session, Squad(id=id_of("squad", key), site_id=site_id, key=key, names={"en": key}))
        add(session, *(SquadMember(squad_id=id_of("squad", key), person_id=id_of("person", n)) for n in names))


def phone(name: str, now: datetime) -> Address:
    """A phone of which only the database knows."""
    where = {"channel": "webpush", "fingerprint": name, "target": {}, "created_at": now, "seen_at": now}
    return Address(person_id=id_of("person", name), **where)


def _person(human: Human, site_id: UUID, ways: int) -> Person:
    return Person(
        id=id_of("person", human.name),
        site_id=site_id,
        name=human.name,
        email=f"{human.name}@plant.example" if ways > 1 else "",
        role=Role(human.role),
        team_id=id_of("team", human.team) if human.team else None,
        line_id=id_of("line", human.line) if human.line else None,
    )


def _rung(rung: Rung) -> FlowRung:
    return FlowRung(clock=rung.clock, after=rung.after, call=tuple(map(audience, rung.call)))


def _route(route: Route) -> FlowRoute:
    return FlowRoute(
        name="A route",
        station=id_of("station", route.station) if route.station else None,
        line=id_of("line", route.line) if route.line else None,
        severities=route.severities,
        call=tuple(map(audience, route.call)),
    )


def audience(who: Who) -> Audience:
    """Say it in the words of a flow."""
    return Audience(
        team="owner" if who.duty else who.team,
        role=Role(who.role) if who.role else None,
        line=who.line,
        squad=who.squad,
        person=id_of("person", who.person) if who.person else None,
        owner=who.owner,
        unseen=who.unseen,
        deputies=who.deputies,
    )


def struck(session: Session, cases: Mapping[str, UUID]) -> list[Called]:
    """Return every rung that the event log says has been called, in the order of time."""
    named = {anomaly: case for case, anomaly in cases.items()}
    events = session.exec(select(Event).where(col(Event.kind).in_(("called", "nobody", "unseen"))))
    return sorted(
        Called(
            one.at,
            named[one.anomaly_id],
            str(one.details["clock"]),
            cast(int, one.details["rung"]),
            frozenset(cast(list[str], one.details["called"])),
        )
        for one in events
    )
