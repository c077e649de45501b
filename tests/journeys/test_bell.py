"""The bell test: one ring at the start of a shift; the tap puts on duty and proves the phone.

The late shift begins at 14:00. Li Wei stands in for Sun Hao.
"""

from datetime import date, timedelta

import pytest
from sqlmodel import select

from app.dispatch import bells
from app.dispatch.models import BELL, Delivery
from app.people.models import Address, Person
from app.rosters.models import Absence, CheckIn, Duty
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import done, refused

DAY = date(2026, 11, 23)
LATE = ("Sun Hao", "Li Wei", "Wang Lei")
RING = "Shift late starts: tap to go on duty"


@pytest.fixture
async def roster(plant):
    """Four hours before the late shift. Whoever stands in it is in the roster, all others are always there."""
    await plant.changes(lambda session: [factories.duty(session, name, "late", DAY) for name in LATE])
    await plant.changes(lambda session: deputy(session, "Sun Hao", "Li Wei"))
    plant.bells_ring = True
    await plant.waits(hours=3, minutes=59)
    return plant


async def test_everybody_who_begins_is_rung_once_and_nobody_else(plant, roster):
    assert plant.rings() == {}

    await plant.waits(minutes=4)

    assert plant.rings() == dict.fromkeys(LATE, 1)
    assert plant.phones["Sun Hao"].titles() == [RING]


async def test_the_tap_on_the_ring_puts_on_duty_and_proves_the_phone(plant, roster):
    await plant.waits(minutes=2)

    answer = done(await plant.accepts_in_tray("Sun Hao"))

    assert answer.json()["title"] == "You are on duty"
    await plant.waits(minutes=10)
    assert await duty_page(plant, "Sun Hao", "You are on duty")
    assert await red(plant) == {"Li Wei", "Wang Lei"}
    (address,) = [a for a in await plant.all(Address) if a.person_id == plant.id_of("Sun Hao")]
    assert address.proven_at is not None


async def test_one_button_on_the_page_does_the_same(plant, roster):
    await plant.waits(minutes=2)
    assert await duty_page(plant, "Sun Hao", "I am here")

    done(await plant.posts("/duty/presence", {}, by="Sun Hao"))

    assert await duty_page(plant, "Sun Hao", "Check out")
    await plant.waits(minutes=10)
    assert "Sun Hao" not in await red(plant)


async def test_who_comes_early_and_says_so_is_not_rung(plant, roster):
    done(await plant.posts("/duty/presence", {}, by="Sun Hao"))

    await plant.waits(minutes=10)

    assert plant.rings("Sun Hao") == {"Sun Hao": 0}
    assert "Sun Hao" not in await red(plant)


async def test_who_stays_silent_for_five_minutes_is_red_and_the_deputy_is_told(plant, roster):
    await plant.waits(minutes=1)
    done(await plant.accepts_in_tray("Li Wei"))
    plant.all_quiet()

    await plant.waits(minutes=4, seconds=59)
    assert (await red(plant), plant.rings()) == (set(), {})
    await plant.waits(seconds=1)

    assert await red(plant) == {"Sun Hao", "Wang Lei"}
    assert plant.phones["Li Wei"].titles() == ["Sun Hao's phone does not answer"]
    assert plant.rings() == {"Li Wei": 1}
    assert await duty_page(plant, "Wang Lei", "2 phones do not answer", "Deputy: Li Wei")


async def test_a_red_phone_is_left_out_while_a_green_one_covers(plant, roster):
    await plant.waits(minutes=1)
    done(await plant.accepts_in_tray("Li Wei"))
    await plant.waits(minutes=6)
    plant.all_quiet()

    await plant.worker_reports("Press 7")

    assert plant.rings("Li Wei", "Sun Hao") == {"Li Wei": 1, "Sun Hao": 0}


async def test_whoever_answers_later_is_green_at_once(plant, roster):
    await plant.waits(minutes=20)
    assert "Sun Hao" in await red(plant)
    ring = plant.phones["Sun Hao"].shown()[-1]

    done(await plant.taps(plant.phones["Sun Hao"].accepts(ring)))

    assert "Sun Hao" not in await red(plant)
    plant.all_quiet()
    await plant.worker_reports("Press 7")
    assert plant.rings("Sun Hao") == {"Sun Hao": 1}


async def test_who_has_no_phone_is_not_red(plant, roster):
    await plant.changes(lambda session: no_phone(session, "Sun Hao", now=plant.now))

    await plant.waits(minutes=20)

    assert "Sun Hao" not in await red(plant)
    assert await duty_page(plant, "Wang Lei", "no phone")


async def test_who_gave_the_shift_away_meanwhile_is_not_red_and_who_took_it_is_rung(plant, roster):
    await plant.waits(minutes=2)

    await plant.changes(lambda session: swap(session, "Sun Hao", "Chen Jing"))
    await plant.waits(minutes=4)

    assert await red(plant) == {"Li Wei", "Wang Lei"}
    assert plant.rings("Chen Jing", "Li Wei") == {"Chen Jing": 1, "Li Wei": 1}


async def test_who_is_away_is_left_in_peace(plant, roster):
    def leave(session):
        session.add(Absence(person_id=id_of("person", "Sun Hao"), first_day=DAY, last_day=DAY))

    await plant.changes(leave)

    await plant.waits(minutes=20)

    assert plant.rings("Sun Hao") == {"Sun Hao": 0}
    assert "Sun Hao" not in await red(plant)


async def test_two_workers_and_restarts_ring_once(plant, roster):
    await plant.stands_still(minutes=1)

    channels = plant.channels
    await plant.db.write(bells.ring_bells, now=plant.now, channels=channels)
    await plant.db.write(bells.ring_bells, now=plant.now, channels=channels)
    await plant.restarts()
    await plant.waits(minutes=3)

    assert plant.rings() == dict.fromkeys(LATE, 1)
    assert len(await plant.all(CheckIn)) == 3


async def test_after_an_outage_of_minutes_it_still_rings(plant, roster):
    await plant.stands_still(minutes=29)

    await plant.settles()

    assert plant.rings() == dict.fromkeys(LATE, 1)


async def test_after_an_outage_of_hours_nobody_is_rung_for_a_shift_that_runs(plant, roster):
    await plant.stands_still(hours=2)

    await plant.settles()

    assert (plant.rings(), await red(plant)) == ({}, set())


async def test_what_was_not_listened_to_makes_nobody_red(plant, roster):
    await plant.waits(minutes=2)
    await plant.stands_still(hours=1)

    await plant.settles()

    assert await red(plant) == set()


async def test_the_five_minutes_count_from_when_it_was_sent(plant, roster):
    plant.loops_run = False
    await plant.stands_still(minutes=1)
    await plant.db.write(bells.ring_bells, now=plant.now, channels=plant.channels)
    await plant.stands_still(minutes=6)
    plant.loops_run = True

    await plant.settles()
    assert await red(plant) == set()
    await plant.waits(minutes=5)

    assert await red(plant) == set(LATE)


async def test_a_bell_nobody_could_send_for_half_an_hour_is_dropped(plant, roster):
    await plant.stands_still(minutes=1)
    await plant.db.write(bells.ring_bells, now=plant.now, channels=plant.channels)
    await plant.stands_still(minutes=31)

    await plant.settles()

    assert plant.rings() == {}
    assert {d.state for d in await plant.all(Delivery) if d.purpose == BELL} == {"dropped"}


async def test_a_stranger_puts_nobody_on_duty(plant, roster):
    await plant.waits(minutes=2)
    post = plant.phones["Sun Hao"].accepts(plant.phones["Sun Hao"].shown()[-1])

    answer = await plant.posts(post.path, {"token": "0" * 43})

    assert refused(answer) == "dispatch.bad_token"
    assert not any(one.answered_at for one in await plant.all(CheckIn))


async def test_the_deputys_message_answers_for_nobody(plant, roster):
    await plant.waits(minutes=10)
    told = next(n for n in plant.phones["Li Wei"].shown() if n["title"].startswith("Sun Hao"))

    answer = await plant.posts(f"/deliveries/{told['data']['delivery']}/presence", {"token": told["data"]["token"]})

    assert refused(answer) == "dispatch.bad_token"


async def test_a_tap_when_the_shift_is_over_says_so(plant, roster):
    await plant.waits(minutes=2)
    post = plant.phones["Sun Hao"].accepts(plant.phones["Sun Hao"].shown()[-1])
    await plant.waits(hours=8)

    assert refused(await plant.taps(post)) == "rosters.shift_over"


async def test_whoever_checks_out_is_not_called_any_more_and_may_come_back(plant, roster):
    await plant.waits(minutes=2)
    for name in ("Sun Hao", "Li Wei"):
        done(await plant.accepts_in_tray(name))

    done(await plant.posts("/duty/presence/end", {}, by="Sun Hao"))
    assert await duty_page(plant, "Sun Hao", "You have checked out", "Hand over shift")
    plant.all_quiet()
    await plant.worker_reports("Press 7")
    assert plant.rings("Li Wei", "Sun Hao") == {"Li Wei": 1, "Sun Hao": 0}

    done(await plant.posts("/duty/presence", {}, by="Sun Hao"))
    await plant.worker_reports("Press 8")
    assert plant.rings("Sun Hao") == {"Sun Hao": 1}


async def test_who_stands_in_no_shift_cannot_check_in(plant, roster):
    answer = await plant.posts("/duty/presence", {}, by="Chen Jing")

    assert refused(answer) == "rosters.no_shift"


async def test_a_night_shift_is_rung_at_its_own_beginning(plant):
    await plant.changes(lambda session: factories.duty(session, "Sun Hao", "night", DAY))
    plant.bells_ring = True

    await plant.waits(hours=11, minutes=59)
    assert plant.rings("Sun Hao") == {"Sun Hao": 0}
    await plant.waits(hours=4)  # over midnight

    assert plant.rings("Sun Hao") == {"Sun Hao": 1}
    assert [(c.day, c.silent_at - c.rung_at) for c in await plant.all(CheckIn)] == [(DAY, timedelta(minutes=5))]


async def test_the_page_names_gaps_and_who_is_next(plant, roster):
    def nobody_in_quality(session):
        factories.duty(session, "He Fang", "night", DAY)

    await plant.changes(nobody_in_quality)

    assert await duty_page(plant, "Wang Lei", "Nobody on duty", "Who is next", "late")


async def test_a_plant_without_a_roster_is_told_so_and_rings_nobody(plant):
    plant.bells_ring = True

    await plant.waits(hours=30)

    assert plant.rings() == {}
    assert await duty_page(plant, "Wang Lei", "There is no roster yet", "You are in no shift now")


def deputy(session, name, other):
    person = session.get_one(Person, id_of("person", name))
    person.deputy_id = id_of("person", other)
    session.add(person)


def swap(session, name, other):
    duty = session.exec(select(Duty).where(Duty.person_id == id_of("person", name))).one()
    duty.person_id = id_of("person", other)
    session.add(duty)


def no_phone(session, name, *, now):
    for address in session.exec(select(Address).where(Address.person_id == id_of("person", name))):
        address.gone_at = now
        session.add(address)


async def red(plant):
    """Whose phone is red, as dispatch sees it."""
    from app.rosters.queries import roster

    snapshot = await plant.db.read(roster, id_of("site", "Suzhou"), since=plant.now)
    return {snapshot.members[one].name for one in snapshot.red(plant.now)}


async def duty_page(plant, name, *words):
    page = (await plant.sees("/duty", by=name)).text
    assert [word for word in words if word not in page] == []
    return page
