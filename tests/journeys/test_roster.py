"""A team lead writes the roster, everybody reads it, and what is missing is said before it is missed."""

from datetime import date, timedelta

import pytest

from app.rosters.models import Duty
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused

MONDAY = date(2026, 11, 23)


async def test_who_is_published_for_the_night_is_called_in_the_night(plant):
    done(await publishes(plant, ("Li Wei", MONDAY, "", "early"), ("Sun Hao", MONDAY, "", "night")))

    await plant.waits(hours=13)  # eleven at night
    await plant.worker_reports("Press 7")

    assert "Sun Hao" in plant.ringing()
    assert "Li Wei" not in plant.ringing()


async def test_a_pattern_for_weeks_is_looked_at_and_then_published(plant):
    form = {
        "pattern": "three", "start": MONDAY.isoformat(), "weeks": "4",
        "shift": [str(id_of("shift", name)) for name in ("early", "late", "night")],
        "crew": [f"{id_of('person', 'Li Wei').hex}:1", f"{id_of('person', 'Sun Hao').hex}:3", f"{id_of('person', 'Ma Jun').hex}:0"],
    }  # fmt: skip

    seen = done(await sends(plant, "/roster/pattern", form))
    assert "22 shifts more" in seen.text
    assert await plant.all(Duty) == []

    done(await sends(plant, "/roster/pattern", form | {"publish": "yes"}))
    assert await days(plant, "Li Wei") == "EELLNN..EELLNN..EELLNN..EELL"
    assert await days(plant, "Sun Hao") == "NN..EELLNN..EELLNN..EELLNN.."
    assert await days(plant, "Ma Jun") == "." * 28


@on_any_database
async def test_a_shift_nobody_of_a_team_works_is_red_and_says_so(plant):
    done(await publishes(plant, *[("Li Wei", MONDAY + timedelta(n), "", "late") for n in (0, 1, 3)]))
    done(await publishes(plant, *[("Sun Hao", MONDAY + timedelta(n), "", "late") for n in (1, 3)]))

    page = (await plant.sees("/roster", by="Ma Jun")).text

    assert "4 shifts have nobody of a team." in page  # Wednesday, and Friday to Sunday


@on_any_database
async def test_who_is_away_leaves_a_gap(plant):
    everyday = [("Li Wei", MONDAY + timedelta(n), "", "late") for n in range(7)]
    done(await publishes(plant, *everyday, *[("Sun Hao", MONDAY - timedelta(1), "", "late")]))
    assert "nobody of a team" not in (await plant.sees("/roster", by="Wang Lei")).text

    form = {"person_id": id_of("person", "Li Wei"), "first_day": "2026-11-25", "last_day": "2026-11-26"}
    done(await plant.posts("/roster/absences", form, by="Li Wei"))

    assert "2 shifts have nobody of a team." in (await plant.sees("/roster", by="Wang Lei")).text


async def test_who_is_away_is_not_called(plant):
    done(await publishes(plant, ("Li Wei", MONDAY, "", "early"), ("Sun Hao", MONDAY, "", "early")))
    form = {
        "person_id": id_of("person", "Li Wei"),
        "first_day": "2026-11-23",
        "last_day": "2026-11-23",
        "reason": "sick",
    }
    done(await plant.posts("/roster/absences", form, by="Wang Lei"))

    await plant.worker_reports("Press 7")

    assert "Sun Hao" in plant.ringing()
    assert "Li Wei" not in plant.ringing()


async def test_who_has_checked_out_is_not_called_any_more(plant):
    done(await publishes(plant, ("Li Wei", MONDAY, "", "early"), ("Sun Hao", MONDAY, "", "early")))
    done(await plant.posts("/duty/presence", {}, by="Li Wei"))
    await plant.waits(minutes=30)
    done(await plant.posts("/duty/presence/end", {}, by="Li Wei"))

    await plant.worker_reports("Press 7")

    assert "Sun Hao" in plant.ringing()
    assert "Li Wei" not in plant.ringing()


@on_any_database
async def test_two_who_plan_the_same_cell_do_not_overwrite_each_other(plant):
    done(await publishes(plant, ("Li Wei", MONDAY, "", "early")))

    answer = await publishes(plant, ("Li Wei", MONDAY, "", "late"), by="Liu Yang")

    assert refused(answer) == "rosters.changed"
    assert await days(plant, "Li Wei") == "E" + "." * 27


async def test_a_week_with_an_overlap_is_not_published_at_all(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "night", MONDAY))
    await plant.changes(long_day)

    answer = await publishes(plant, ("Sun Hao", MONDAY, "", "early"), ("Li Wei", MONDAY + timedelta(1), "", "long"))

    assert refused(answer) == "rosters.overlap"
    assert "Li Wei would work twice at once" in answer.json()["text"]
    assert await days(plant, "Sun Hao") == "." * 28


@on_any_database
async def test_only_leads_write_the_roster_and_everybody_reads_it(plant):
    assert refused(await publishes(plant, ("Li Wei", MONDAY, "", "early"), by="Li Wei")) == "pullcord.not_allowed"
    for path in ("/roster/plan", "/roster/pattern", "/roster/import", f"/roster/people/{plant.id_of('Ma Jun')}"):
        assert (await plant.sees(path, by="Li Wei")).status_code == 403

    assert (await plant.sees("/roster", by="Li Wei")).status_code == 200


@on_any_database
@pytest.mark.parametrize(
    "cells",
    [["nonsense"], ["|||"], [f"{id_of('person', 'Li Wei').hex}|2026-11-23||nonsense"], [f"{id_of('person', 'Li Wei').hex}|23|a|"]],
)  # fmt: skip
async def test_what_the_page_has_not_written_is_not_read(plant, cells):
    assert refused(await sends(plant, "/roster/plan", {"cell": cells})) == "pullcord.bad_input"


@on_any_database
async def test_strangers_and_far_days_are_refused(plant):
    early = id_of("shift", "early").hex
    stranger = f"{id_of('person', 'Nobody').hex}|2026-11-23||{early}"
    far = f"{id_of('person', 'Li Wei').hex}|2036-11-23||{early}"
    pattern = {"pattern": "fixed", "shift": id_of("shift", "early"), "crew": f"{id_of('person', 'Li Wei').hex}:1"}

    assert refused(await sends(plant, "/roster/plan", {"cell": [stranger]})) == "pullcord.not_found"
    assert refused(await sends(plant, "/roster/plan", {"cell": [far]})) == "rosters.far_day"
    for start, weeks, code in (
        ("9999-12-31", 4, "rosters.far_day"),
        ("0001-01-01", 4, "rosters.far_day"),
        ("2027-11-30", 52, "rosters.far_day"),
        ("2026-11-30", 53, "pullcord.bad_input"),
        ("2026-11-30", 0, "pullcord.bad_input"),
        ("2026-02-30", 4, "pullcord.bad_input"),
    ):
        form = pattern | {"start": start, "weeks": str(weeks), "weekday": ["0", "1"]}
        assert refused(await sends(plant, "/roster/pattern", form)) == code
    away = {"person_id": id_of("person", "Li Wei"), "first_day": "9999-12-31", "last_day": "9999-12-31"}
    assert refused(await plant.posts("/roster/absences", away, by="Li Wei")) == "rosters.far_day"
    back = away | {"first_day": "2026-11-25", "last_day": "2026-11-24"}
    assert refused(await plant.posts("/roster/absences", back, by="Li Wei")) == "rosters.backwards"


@on_any_database
async def test_public_holidays_and_the_weekends_that_make_up_for_them_stand_over_the_days(plant):
    page = (await plant.sees("/roster?week=2026-10-07", by="Li Wei")).text

    assert page.count("<small>National Day</small>") == 3
    assert page.count("<small>working day</small>") == 1


@on_any_database
async def test_a_red_phone_stands_in_the_roster_in_words(plant):
    from app.rosters.models import CheckIn

    await plant.changes(lambda session: factories.duty(session, "Li Wei", "early", MONDAY))
    silent = {"person_id": id_of("person", "Li Wei"), "shift_id": id_of("shift", "early"), "day": MONDAY}
    await plant.changes(lambda session: session.add(CheckIn(**silent, rung_at=plant.now, silent_at=plant.now)))

    assert "does not answer" in (await plant.sees("/roster", by="Wang Lei")).text


@on_any_database
async def test_squads_are_made_and_filled_by_leads(plant):
    done(await plant.posts("/squads", {"name": "抢修组"}, by="Wang Lei"))
    page = await plant.sees("/squads", by="Wang Lei")
    squad = page.text.partition('action="/squads/')[2].partition("/")[0]
    done(await plant.posts(f"/squads/{squad}/members", {"person_id": id_of("person", "Chen Jing")}, by="Wang Lei"))
    done(await plant.posts(f"/squads/{squad}/members", {"person_id": id_of("person", "Chen Jing")}, by="Wang Lei"))

    shown = (await plant.sees("/squads", by="Li Wei")).text
    assert "抢修组" in shown
    assert "Chen Jing" in shown

    gone = f"/squads/{squad}/members/{id_of('person', 'Chen Jing')}/removal"
    assert refused(await plant.posts(gone, {}, by="Li Wei")) == "pullcord.not_allowed"
    done(await plant.posts(gone, {}, by="Wang Lei"))
    assert "Nobody is in it" in (await plant.sees("/squads", by="Li Wei")).text
    assert refused(await plant.posts("/squads", {"name": " "}, by="Wang Lei")) == "rosters.squad_name"


async def test_a_lead_names_a_deputy(plant):
    path = f"/roster/people/{plant.id_of('Li Wei')}/deputy"

    done(await plant.posts(path, {"deputy_id": id_of("person", "Sun Hao")}, by="Wang Lei"))

    assert (
        refused(await plant.posts(path, {"deputy_id": id_of("person", "Li Wei")}, by="Wang Lei"))
        == "rosters.own_deputy"
    )
    assert refused(await plant.posts(path, {"deputy_id": ""}, by="Ma Jun")) == "pullcord.not_allowed"
    page = (await plant.sees(f"/roster/people/{plant.id_of('Li Wei')}", by="Wang Lei")).text
    assert f'value="{id_of("person", "Sun Hao")}" selected' in page


@on_any_database
async def test_a_shift_is_made_and_changed_unless_somebody_would_work_twice(plant):
    long = {"name": "Long day", "sign": "L", "starts": "05:00", "ends": "17:00"}
    done(await plant.posts("/shifts", long, by="Wang Lei"))
    assert "05:00–17:00" in (await plant.sees("/shifts", by="Li Wei")).text

    for shift, day in (("early", MONDAY), ("late", MONDAY)):
        await plant.changes(lambda session, one=(shift, day): factories.duty(session, "Li Wei", *one))
    path = f"/shifts/{id_of('shift', 'early')}"
    early = {"name": "early", "sign": "E", "starts": "06:00", "ends": "14:00"}
    assert refused(await plant.posts(path, early | {"ends": "14:30"}, by="Wang Lei")) == "rosters.overlap"
    done(await plant.posts(path, early | {"starts": "05:30"}, by="Wang Lei"))

    for wrong in ({"sign": "L"}, {"sign": ""}, {"sign": "12345"}, {"name": " "}, {"name": "x" * 31}):
        assert refused(await plant.posts(path, early | wrong, by="Wang Lei")) == "rosters.shift_name"
    assert refused(await plant.posts(path, early | {"starts": "25:00"}, by="Wang Lei")) == "pullcord.bad_input"
    assert refused(await plant.posts(path, early, by="Li Wei")) == "pullcord.not_allowed"


async def publishes(plant, *cells, by="Wang Lei"):
    """Send a week as the page does: person, day, what stood there, what should."""
    form = [
        f"{id_of('person', name).hex}|{day.isoformat()}|{_hex(before)}|{_hex(after)}"
        for name, day, before, after in cells
    ]
    return await sends(plant, "/roster/plan", {"cell": form}, by=by)


async def sends(plant, path, form, *, by="Wang Lei"):
    answer = await plant.http.post(path, data=form, headers=plant._as(by) | {"accept": "application/json"})
    await plant.settles()
    return answer


async def days(plant, name):
    """Four weeks of somebody as a line of signs."""
    signs = {id_of("shift", "early"): "E", id_of("shift", "late"): "L", id_of("shift", "night"): "N"}
    mine = {duty.day: signs[duty.shift_id] for duty in await plant.all(Duty) if duty.person_id == id_of("person", name)}
    return "".join(mine.get(MONDAY + timedelta(n), ".") for n in range(28))


def long_day(session):
    from datetime import time

    from app.rosters.models import Shift

    hours = {"starts": time(5), "ends": time(17)}
    factories.add(
        session, Shift(id=id_of("shift", "long"), site_id=id_of("site", "Suzhou"), names={"en": "long"}, **hours)
    )


def _hex(shift):
    return id_of("shift", shift).hex if shift else ""
