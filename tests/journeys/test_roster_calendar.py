"""Everybody's shifts in the calendar of their own phone, by an address nobody can guess."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar

from app.plant.models import Site
from app.rosters.models import Absence
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import on_any_database


async def test_the_address_on_my_page_gives_my_shifts(plant):
    for shift, day in (("early", date(2026, 11, 23)), ("night", date(2026, 11, 24))):
        await plant.changes(lambda session, one=(shift, day): factories.duty(session, "Li Wei", *one))
    await plant.changes(lambda session: factories.duty(session, "Sun Hao", "late", date(2026, 11, 23)))

    events = await calendar_of(plant, "Li Wei")

    assert [(event["summary"], event.start, event.end) for event in events] == [
        ("early", datetime(2026, 11, 22, 22, tzinfo=UTC), datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("night", datetime(2026, 11, 24, 14, tzinfo=UTC), datetime(2026, 11, 24, 22, tzinfo=UTC)),
    ]


@on_any_database
async def test_in_the_nights_the_clock_jumps_it_begins_and_ends_by_the_wall(plant):
    await plant.changes(
        lambda session: setattr(session.get_one(Site, id_of("site", "Suzhou")), "timezone", "Europe/Berlin")
    )
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "night", date(2027, 3, 27)))

    [event] = await calendar_of(plant, "Li Wei")

    wall = [moment.astimezone(ZoneInfo("Europe/Berlin")).strftime("%d %H:%M") for moment in (event.start, event.end)]
    assert wall == ["27 22:00", "28 06:00"]


@on_any_database
async def test_days_away_are_left_out(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "early", date(2026, 11, 24)))
    absence = {"first_day": date(2026, 11, 24), "last_day": date(2026, 11, 30)}
    await plant.changes(lambda session: session.add(Absence(person_id=id_of("person", "Li Wei"), **absence)))

    assert await calendar_of(plant, "Li Wei") == []


@on_any_database
async def test_nobody_guesses_the_address_and_who_has_left_has_none(plant):
    mine = await address_of(plant, "Li Wei")
    theirs = mine.replace(str(id_of("person", "Li Wei")), str(id_of("person", "Sun Hao")))

    assert (await plant.http.get(theirs)).status_code == 404
    assert (await plant.http.get(mine[:-8] + "0000.ics")).status_code == 404

    def leaves(session):
        factories_person = session.get_one(factories.Person, id_of("person", "Li Wei"))
        factories_person.left_at = plant.now
        session.add(factories_person)

    await plant.changes(leaves)
    assert (await plant.http.get(mine)).status_code == 404


async def address_of(plant, name):
    page = (await plant.sees("/roster/mine", by=name)).text
    return re.search(r"/roster/calendar/[^\"]+\.ics", page)[0]


async def calendar_of(plant, name):
    """Fetch it as a calendar does: without any cookie."""
    answer = await plant.http.get(await address_of(plant, name))
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content).events
