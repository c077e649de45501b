"""A world of the oracle as rows of the plant: the only place where its words and those of the app meet."""

from datetime import datetime, time, timedelta
from uuid import UUID

from sqlmodel import Session

from app.flows.actions import publish
from app.flows.document import Audience, FlowDocument, Ladder
from app.flows.document import Rung as FlowRung
from app.people.models import Address, Person, Role
from app.plant.models import Area, Line, Site, Station
from app.rosters.models import Absence, CheckIn, Duty, Shift, Squad, SquadMember
from tests.factories import add, id_of, team
from tests.promises.oracle import Human, Rung, Who, World

CATEGORY = "machine"
STATIONS = {f"Press {n}": f"Line {n % 2 + 1}" for n in range(1, 9)}
TEAMS = ("maintenance", "quality")


def fill(session: Session, world: World, *, now: datetime) -> None:
    """Add everything of `world`; everybody has a phone, and e-mail as a second way."""
    site = Site(id=id_of("site", "Suzhou"), names={"en": "Plant"}, timezone=str(world.zone))
    area = Area(id=id_of("area", "Hall"), site_id=site.id, names={"en": "Hall"})
    add(session, site, area, *map(team, TEAMS))
    for line in sorted(set(STATIONS.values())):
        add(session, Line(id=id_of("line", line), area_id=area.id, names={"en": line}))
    for n, (name, line) in enumerate(STATIONS.items()):
        place = {"line_id": id_of("line", line), "site_id": site.id}
        add(session, Station(id=id_of("station", name), code=f"P{n}", names={"en": name}, **place))
    for human in world.humans:
        add(session, _person(human, site.id), _phone(human.name, now))
    for human in world.humans:
        if human.deputy:
            session.get_one(Person, id_of("person", human.name)).deputy_id = id_of("person", human.deputy)
    _roster(session, world, site.id)
    ladders = {severity: Ladder(rungs=tuple(map(_rung, rungs))) for severity, rungs in world.ladders.items()}
    names = {"en": "Machine", "zh": "设备"}
    flow = {"category": CATEGORY, "names": names, "icon": "machine", "team": world.team, "merge_minutes": 0}
    publish(session, FlowDocument(**flow, ladders=ladders), now=now)


def _roster(session: Session, world: World, site_id: UUID) -> None:
    for starts, ends in sorted({(turn.starts, turn.ends) for turn in world.turns}):
        hours = {"starts": time(starts), "ends": time(ends)}
        add(session, Shift(id=id_of("shift", str(starts)), site_id=site_id, names={"en": f"{starts}"}, **hours))
    for turn in world.turns:
        who = {"person_id": id_of("person", turn.name), "shift_id": id_of("shift", str(turn.starts)), "day": turn.day}
        add(session, Duty(**who))
        if (turn.name, turn.day, turn.starts) in world.silent:
            began = datetime.combine(turn.day, time(turn.starts), world.zone)
            add(session, CheckIn(**who, rung_at=began, silent_at=began + timedelta(minutes=5)))
    for name, day in sorted(world.away):
        add(session, Absence(person_id=id_of("person", name), first_day=day, last_day=day))
    for key, names in world.squads.items():
        add(session, Squad(id=id_of("squad", key), site_id=site_id, key=key, names={"en": key}))
        add(session, *(SquadMember(squad_id=id_of("squad", key), person_id=id_of("person", n)) for n in names))


def _person(human: Human, site_id: UUID) -> Person:
    return Person(
        id=id_of("person", human.name),
        site_id=site_id,
        name=human.name,
        email=f"{human.name}@plant.example",
        role=Role(human.role),
        team_id=id_of("team", human.team) if human.team else None,
        line_id=id_of("line", human.line) if human.line else None,
    )


def _phone(name: str, now: datetime) -> Address:
    where = {"channel": "webpush", "fingerprint": name, "target": {}, "created_at": now, "seen_at": now}
    return Address(person_id=id_of("person", name), **where)


def _rung(rung: Rung) -> FlowRung:
    return FlowRung(clock=rung.clock, after=rung.after, call=tuple(map(audience, rung.call)))


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
