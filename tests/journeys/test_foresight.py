"""Holes are seen before somebody falls into them: on the map, and as an anomaly that ends when it is filled."""

import re
from datetime import date, timedelta

from sqlmodel import select

from app.anomaly.models import Anomaly
from app.rosters.models import Absence, Duty
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database
from workers.foresee import Lookout

SUNDAY = date(2026, 11, 29)
NIGHTLY = ("Li Wei", "Sun Hao", "Wang Lei", "Liu Yang", "Chen Jing", "Zhao Min", "Gao Yan", "Ma Jun", "He Fang")


def covered_but_for_sunday_night(session) -> None:
    """Everybody works round the clock all week, but for the night of Sunday: there nobody does."""
    for name in NIGHTLY:
        for n in range(-1, 9):
            for shift in factories.SHIFTS:
                if (shift, day := factories.MONDAY.date() + timedelta(n)) != ("night", SUNDAY):
                    factories.duty(session, name, shift, day)


def cells(page: str) -> set[str]:
    """Which hours of the map are red."""
    hours = re.findall(r'<th scope="row" class="number">(\d\d)</th>(.*?)</tr>', page, re.DOTALL)
    days = re.findall(r'<th scope="col">(\w+)<br>', page)
    return {
        f"{day} {hour}"
        for hour, row in hours
        for day, level in zip(days, re.findall(r'<td data-level="(\w+)"', row), strict=True)
        if level == "none"
    }


async def looks_ahead(plant, lookout: Lookout | None = None) -> Lookout:
    lookout = lookout or Lookout(plant.db)
    await lookout.step(now=plant.now)
    await plant.settles()
    return lookout


async def holes(plant) -> list[Anomaly]:
    return [one for one in await plant.all(Anomaly) if one.origin == "person" and one.symptom == "coverage"]


async def test_a_hole_is_an_anomaly_before_it_happens_and_ends_when_it_is_filled(plant):
    await plant.changes(covered_but_for_sunday_night)

    lookout = await looks_ahead(plant)
    found = await holes(plant)

    assert len(found) == 2, "one for each line"
    assert found[0].said["en"] == "Nobody would come: Sun 22:00–06:00, everything, severity 1–4"
    assert found[0].said["zh"]
    assert (found[0].status, found[0].severity) == ("reported", 3)
    assert plant.ringing()

    await plant.waits(minutes=61)
    await looks_ahead(plant, lookout)
    assert len(await holes(plant)) == 2, "one for each hole and week, however often one looks"

    await plant.changes(lambda session: [factories.duty(session, name, "night", SUNDAY) for name in NIGHTLY])
    await looks_ahead(plant, lookout)

    assert {(one.status, one.end_reason) for one in await holes(plant)} == {("cancelled", "filled")}
    told = await plant.sees(f"/anomalies/{found[0].id}/timeline", by="Wang Lei")
    assert "no longer true" in told.text


async def test_a_hole_that_comes_back_is_told_again_and_one_that_was_called_off_is_not(plant):
    await plant.changes(covered_but_for_sunday_night)
    lookout = await looks_ahead(plant)
    line_3, line_4 = await holes(plant)
    done(await plant.does("Wang Lei", "cancellation", line_3.id, reason="false"))
    await plant.changes(lambda session: factories.duty(session, "Zhao Min", "night", SUNDAY))
    await looks_ahead(plant, lookout)
    assert (await plant.row(line_4.id)).end_reason == "filled"

    def swapped_away(session):
        duty = session.exec(
            select(Duty).where(
                Duty.person_id == id_of("person", "Zhao Min"),
                Duty.day == SUNDAY,
                Duty.shift_id == id_of("shift", "night"),
            )
        ).one()
        session.delete(duty)

    await plant.changes(swapped_away)
    await looks_ahead(plant, lookout)

    still = [one for one in await holes(plant) if one.status == "reported"]
    assert [one.line_id for one in still] == [line_4.line_id]


@on_any_database
async def test_nothing_is_looked_at_twice_while_nothing_changes(plant):
    lookout = Lookout(plant.db)

    assert await lookout.step(now=plant.now)
    assert not await lookout.step(now=plant.now + timedelta(minutes=59))
    assert await lookout.step(now=plant.now + timedelta(hours=1))
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "early", SUNDAY))
    assert await lookout.step(now=plant.now + timedelta(hours=1))


@on_any_database
async def test_the_map_shows_the_hole_and_says_it_in_words(plant):
    await plant.changes(covered_but_for_sunday_night)

    page = await plant.sees("/coverage", by="Wang Lei")
    text = " ".join(page.text.split())
    assert "1 hole: nobody would be called at all." in text
    assert cells(page.text) == {"Sun 22", "Sun 23"}
    assert 'everywhere: everything, severity 1–4: <span class="tone">nobody</span>' in text


@on_any_database
async def test_where_only_the_first_step_is_empty_it_is_amber(plant):
    def nobody_repairs_at_night(session):
        covered_but_for_sunday_night(session)
        for name in NIGHTLY:
            factories.duty(session, name, "night", SUNDAY)
        for name in ("Li Wei", "Sun Hao", "Wang Lei", "Liu Yang"):
            session.add(Absence(person_id=id_of("person", name), first_day=SUNDAY, last_day=SUNDAY))

    await plant.changes(nobody_repairs_at_night)

    page = await plant.sees("/coverage", by="Wang Lei")

    assert "Somebody is always called, but not always at the first step." in page.text
    assert 'data-level="thin"><a' in " ".join(page.text.split()).replace("> <a", "><a")
    assert not cells(page.text)


@on_any_database
async def test_without_a_roster_there_is_no_hole(plant):
    page = await plant.sees("/coverage", by="Wang Lei")

    assert not cells(page.text)
    assert "everywhere: Environment, IT and systems, Material, Safety" in page.text, "teams without anybody in them"
