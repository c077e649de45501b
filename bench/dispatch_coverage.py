"""The proof that somebody would come: 500 stations, 9 categories, 4 severities, every minute of the coming week.

200 people in three shifts, each line with its own operators and leads, some on leave, some with a red phone; routes for
a line and for single stations. Measured from the question to the answer, reading the plant included, on one core.
"""

import os
import random
import time
from datetime import datetime, timedelta

from sqlmodel import Session, select

from app.flows.actions import publish_routing
from app.flows.document import Audience
from app.flows.routing import Route
from app.foresight import queries as foresight
from app.foresight.coverage import Coverage, holes
from app.kit.clock import utcnow
from app.kit.db import connect
from app.people.models import Person, Role
from app.rosters.models import Absence, CheckIn, Duty, Shift
from bench import plant
from bench.figures import Figure, calmest, figure
from bench.house import ground, waited_by
from bench.machine_door import one_core
from bench.plant import Plant

STATIONS, PEOPLE, WEEK = 500, 200, timedelta(days=7)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


def measure() -> list[Figure]:
    """Return the figure, and print it with its spread."""
    now = utcnow()
    with ground("sqlite") as where:
        made = plant.build(where.url, now=now)
        plant.run(where.url, lambda session: _rosters(session, made, now))
        engine = connect(where.url, writer=False)
        with one_core(), Session(engine) as session:
            rounds = calmest(lambda: _proof(session, made, now), rounds=ROUNDS)
        engine.dispose()
    pieces, found = rounds[0][1:]
    beside = f"{pieces} pieces of the week, {found} holes"
    return [figure("dispatch.coverage_proof", [taken for taken, *_ in rounds], "s", 10, digits=2, beside=beside)]


def _proof(session: Session, made: Plant, now: datetime) -> tuple[float, int, int]:
    """Return the seconds it took with a core of our own, into how many pieces the week fell, and how many holes."""
    waited, began = waited_by(os.getpid()), time.perf_counter()
    session.expunge_all()
    plan = foresight.plan(session, made.site, since=now, until=now + WEEK)
    stations = foresight.stations(session, made.site)[:: plant.STATIONS // STATIONS]
    coverage = Coverage(plan, stations, since=now, until=now + WEEK)
    found = holes(coverage.gaps(), stations)
    taken = time.perf_counter() - began - (waited_by(os.getpid()) - waited)
    assert (len(stations), len(plan.flows)) == (STATIONS, 9)
    return taken, len(coverage.moments), len(found)


def _rosters(session: Session, made: Plant, now: datetime) -> None:
    chance = random.Random(9)
    teams = list(made.teams.values())
    people = [
        Person(
            site_id=made.site,
            name=f"Person {n}",
            role=Role.TEAM_LEAD if n % 10 == 0 else Role.OPERATOR,
            team_id=teams[n % len(teams)],
            line_id=made.lines[n % len(made.lines)] if n % 3 else None,
        )
        for n in range(PEOPLE)
    ]
    session.add_all(people)
    session.flush()
    shifts = session.exec(select(Shift)).all()
    for n, person in enumerate(people):
        for day in (now.date() + timedelta(k) for k in range(-1, 9)):
            shift = shifts[(n + day.toordinal() // 7) % len(shifts)]
            if chance.random() < 0.8:
                who = {"person_id": person.id, "shift_id": shift.id, "day": day}
                session.add(Duty(**who))
                if chance.random() < 0.02:
                    session.add(CheckIn(**who, rung_at=now, silent_at=now))
        if chance.random() < 0.1:
            first = now.date() + timedelta(chance.randrange(7))
            session.add(Absence(person_id=person.id, first_day=first, last_day=first + timedelta(2)))
    routes = [Route(line=made.lines[0], call=(Audience(role=Role.ENGINEER),))]
    routes += [Route(station=station, call=(Audience(person=people[0].id),)) for station in made.stations[:10]]
    publish_routing(session, routes, now=now)
