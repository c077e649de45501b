"""What the simulator prints is what dispatch then does; and it names who cannot be reached."""

from datetime import date, timedelta

import pytest

from app.foresight import queries as foresight
from app.foresight.timeline import Case, nobody_reacts
from app.plant.models import Station
from app.rosters.models import Absence, CheckIn
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import on_any_database

NIGHT = date(2026, 11, 23)


async def foretold(plant, station: str, category: str, severity: int) -> list[tuple]:
    """What the simulator says of a case that begins now: moment, clock, rung and names of each step."""

    def ask(session):
        plan = foresight.plan(session, id_of("site", "Suzhou"), since=plant.now, until=plant.now + timedelta(days=7))
        case = Case.at(session.get_one(Station, id_of("station", station)), category, severity, plan)
        return [
            (step.at, step.clock, step.place, [one.person.name for one in step.found])
            for step in nobody_reacts(case, plan, at=plant.now)
        ]

    return await plant.db.read(ask)


async def happened(plant, anomaly) -> list[tuple]:
    """What dispatch did, told the same way."""
    calls = [event for event in await plant.timeline(anomaly) if event.kind in ("called", "nobody", "unseen")]
    return [(one.at, one.details["clock"], one.details["rung"], one.details["called"]) for one in calls]


@pytest.mark.parametrize(("severity", "stopped"), [(1, "yes"), (2, "")])
async def test_what_the_simulator_prints_is_what_dispatch_does(plant, severity, stopped):
    """Nobody's phone shows anything: so every clock of the first hours strikes."""

    def a_night_with_gaps(session):
        factories.duty(session, "Sun Hao", "night", NIGHT)
        factories.duty(session, "Li Wei", "early", NIGHT)
        factories.duty(session, "Chen Jing", "early", NIGHT + timedelta(1))
        session.add(Absence(person_id=id_of("person", "Liu Yang"), first_day=NIGHT, last_day=NIGHT + timedelta(1)))

    await plant.changes(a_night_with_gaps)
    await plant.waits(hours=17, minutes=10)  # Tuesday 03:10
    said = await foretold(plant, "Press 7", "machine", severity)

    report = await plant.worker_reports("Press 7", "machine", **({"line_stopped": stopped} if stopped else {}))
    while (row := await plant.row(report.anomaly)).next_clock_at and row.next_clock_at <= said[-1][0]:
        await plant.waits(seconds=(row.next_clock_at - plant.now).total_seconds())

    assert await happened(plant, report.anomaly) == said
    assert next(names for _, clock, _, names in said if clock == "accepted") == ["Sun Hao", "Wang Lei"]


@on_any_database
async def test_the_page_names_who_cannot_be_reached_and_why(plant):
    def trouble(session):
        factories.duty(session, "Li Wei", "night", NIGHT)
        factories.duty(session, "Sun Hao", "night", NIGHT)
        factories.duty(session, "Wang Lei", "night", NIGHT)
        session.add(Absence(person_id=id_of("person", "Wang Lei"), first_day=NIGHT, last_day=NIGHT))
        rung = {"rung_at": plant.now, "silent_at": plant.now}
        session.add(CheckIn(person_id=id_of("person", "Li Wei"), shift_id=id_of("shift", "night"), day=NIGHT, **rung))
        factories.person(session, "No Phone", factories.Role.ENGINEER)

    await plant.changes(trouble)

    page = await plant.sees(f"/simulator?{query(plant, '2026-11-24T03:10', 'Press 7')}", by="Wang Lei")

    assert page.status_code == 200
    text = " ".join(page.text.split())
    assert "Sun Hao" in text
    assert '<strong>Li Wei</strong> <span class="tone small">red: the phone did not answer' in text
    assert '<strong>Wang Lei</strong> <span class="tone small">away' in text
    assert '<strong>No Phone</strong> <span class="tone small">has nothing that rings' in text


@on_any_database
async def test_nobody_at_all_is_said_in_red(plant):
    def everybody_is_away(session):
        for name in factories.CAST:
            session.add(Absence(person_id=id_of("person", name), first_day=NIGHT, last_day=NIGHT))

    await plant.changes(everybody_is_away)

    page = await plant.sees(f"/simulator?{query(plant, '2026-11-23T12:00', 'Oven 1')}", by="Gao Yan")

    assert "Nobody at all would be called" in page.text


@on_any_database
async def test_only_leads_look(plant):
    page = await plant.sees("/simulator", by="Li Wei", accept="application/json")

    assert page.status_code == 403


@on_any_database
async def test_nonsense_in_the_address_is_now_here_and_severity_1(plant):
    page = await plant.sees("/simulator?at=tomorrow&station=x&category=y&severity=9", by="Wang Lei")

    assert page.status_code == 200
    assert "Press 7" in page.text


def query(plant, at: str, station: str, category: str = "machine", severity: int = 1) -> str:
    return f"at={at}&station={id_of('station', station)}&category={category}&severity={severity}"
