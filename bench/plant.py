"""A plant to measure on: large enough that every report can be a fresh one, with people and flows."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session

from app import tables  # noqa: F401  (every table is known)
from app.flows.actions import publish
from app.flows.document import FlowDocument
from app.flows.starter import documents
from app.kit.db import connect, finish
from app.kit.migrate import upgrade
from app.people.login import open_session
from app.people.models import Person, Role, Team
from app.plant.codes import ALPHABET
from app.plant.models import Area, Line, Site, Station
from app.rosters.models import Shift

T = TypeVar("T")
STATIONS, LINES = 2000, 20


@dataclass(slots=True)
class Plant:
    """What the measurements need to know of it."""

    url: str
    site: UUID
    lines: list[UUID]
    stations: list[UUID]
    codes: list[str]
    flows: list[tuple[UUID, FlowDocument]]
    teams: dict[str, UUID]
    people: dict[str, UUID] = field(default_factory=dict)
    cookie: str = ""

    def untouched(self) -> Iterator[tuple[str, str]]:
        """Yield pairs of station code and category in which nothing is open, each once, in an order without pattern."""
        pairs = [(code, flow.category) for code in self.codes for _, flow in self.flows]
        random.Random(7).shuffle(pairs)
        yield from pairs


def build(url: str, *, now: datetime) -> Plant:
    """Migrate an empty database and put the plant in. `cookie` is that of Wang Lei, who leads Line 1."""
    upgrade(url)
    return run(url, lambda session: _seed(session, url, now))


def run(url: str, work: Callable[[Session], T]) -> T:
    """Do something in a transaction of its own."""
    engine = connect(url, writer=True)
    try:
        with Session(engine, expire_on_commit=False) as session:
            result = work(session)
            finish(session)
            session.commit()
            return result
    finally:
        engine.dispose()


def ask(url: str, question: Callable[[Session], T]) -> T:
    """Look into the database beside whoever writes there: it waits for nobody, and nobody for it."""
    engine = connect(url, writer=False)
    try:
        with Session(engine) as session:
            return question(session)
    finally:
        engine.dispose()


def station_code(number: int) -> str:
    """Return the code of the station with this number."""
    letters = ""
    for _ in range(4):
        number, letter = divmod(number, len(ALPHABET))
        letters = ALPHABET[letter] + letters
    return letters


def _seed(session: Session, url: str, now: datetime) -> Plant:
    site = Site(names={"en": "Plant", "zh": "工厂"}, timezone="Asia/Shanghai")
    session.add(site)
    session.flush()
    area = Area(site_id=site.id, names={"en": "Hall", "zh": "车间"})
    session.add(area)
    session.flush()
    lines = [
        Line(area_id=area.id, names={"en": f"Line {n}", "zh": f"{n} 号线"}, position=n) for n in range(1, LINES + 1)
    ]
    session.add_all(lines)
    session.flush()
    stations = [
        Station(
            line_id=lines[n % LINES].id, site_id=site.id, code=station_code(n), position=n,
            names={"en": f"Press {n + 1}", "zh": f"{n + 1} 号冲压机"},
        )
        for n in range(STATIONS)
    ]  # fmt: skip
    session.add_all(stations)
    hours = ((6, 14, "Early", "早班"), (14, 22, "Late", "中班"), (22, 6, "Night", "夜班"))
    session.add_all(
        Shift(site_id=site.id, names={"en": en, "zh": zh}, starts=time(starts), ends=time(ends))
        for starts, ends, en, zh in hours
    )
    starter = list(documents())
    teams = {
        key: Team(site_id=site.id, key=key, names={"en": key, "zh": key}) for key in sorted({d.team for d in starter})
    }
    session.add_all(teams.values())
    session.flush()
    flows = [(publish(session, document, now=now).id, document) for document in starter]
    plant = Plant(
        url, site.id, [line.id for line in lines], [s.id for s in stations], [s.code for s in stations], flows,
        {key: team.id for key, team in teams.items()},
    )  # fmt: skip
    lead = _staff(session, plant)
    plant.cookie = f"pullcord_session={open_session(session, lead, device='bench', now=now)}"
    return plant


def _staff(session: Session, plant: Plant) -> Person:
    """Two of each team, a lead for each line, an engineer and a manager: nobody has a phone yet."""
    cast = [(f"{key} {n}", Role.OPERATOR, team, None) for key, team in plant.teams.items() for n in (1, 2)]
    cast += [(f"Lead {n}", Role.TEAM_LEAD, None, line) for n, line in enumerate(plant.lines[1:], 2)]
    cast += [("Chen Jing", Role.ENGINEER, None, None), ("Zhao Min", Role.MANAGER, None, None)]
    cast += [("Wang Lei", Role.TEAM_LEAD, None, plant.lines[0])]
    people = [
        Person(site_id=plant.site, name=name, role=role, team_id=team, line_id=line) for name, role, team, line in cast
    ]
    session.add_all(people)
    session.flush()
    plant.people |= {person.name: person.id for person in people}
    return people[-1]
