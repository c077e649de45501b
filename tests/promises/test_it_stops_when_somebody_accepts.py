"""Promise 1: it stops when somebody accepts. For everybody, at once, wherever the call was on its way."""

import asyncio

from app.dispatch import deliveries
from app.dispatch.models import Delivery
from app.kit.db import Database
from app.people.models import Person
from app.resolve import actions as resolve
from tests.journeys.harness import done, refused

FIRST = {"Li Wei", "Sun Hao", "Wang Lei"}


async def test_one_accepts_and_nobody_else_is_called_any_more(plant):
    report = await plant.worker_reports("Press 7")
    assert plant.ringing() == FIRST
    plant.all_quiet()

    done(await plant.accepts("Sun Hao", report.anomaly))
    done(await plant.arrives("Sun Hao", report.anomaly))
    await plant.waits(hours=1, minutes=59)

    assert plant.rings() == {}


async def test_the_thumb_on_the_notification_is_enough(plant):
    report = await plant.worker_reports("Press 7")
    plant_all = plant.ringing()

    done(await plant.accepts_in_tray("Li Wei"))
    plant.all_quiet()
    await plant.waits(minutes=9, seconds=59)

    assert plant_all == FIRST
    assert plant.rings() == {}
    assert (await plant.card(report.anomaly)).owner == "Li Wei"


async def test_also_when_everybody_was_called_at_once(plant):
    report = await plant.worker_reports("Press 7", line_stopped="yes")
    await plant.waits(minutes=1)
    plant.all_quiet()

    done(await plant.accepts("Wang Lei", report.anomaly))
    await plant.waits(minutes=4, seconds=59)

    assert plant.rings() == {}


async def test_what_was_planned_before_is_dropped_when_it_is_claimed(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()
    plant.loops_run = False
    await plant.waits(minutes=5)
    await plant.dispatches()

    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.delivers()

    assert plant.rings() == {}
    assert {row.state for row in await plant.all(Delivery) if row.rung == 1} == {"dropped"}


async def test_what_a_push_service_could_not_take_is_not_sent_again(plant):
    plant.push.faults.extend([(503, {})] * 3)
    report = await plant.worker_reports("Press 7")
    assert plant.rings() == {}

    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.waits(minutes=9)

    assert plant.rings() == {}


async def test_what_a_dead_worker_had_in_its_hands_is_not_sent_by_the_next_one(plant):
    plant.loops_run = False
    report = await plant.worker_reports("Press 7")
    await plant.dispatches()
    await plant.db.write(deliveries.claim_next, now=plant.now, limit=100)  # and then it died

    done(await plant.accepts("Li Wei", report.anomaly))
    plant.loops_run = True
    await plant.restarts()
    await plant.waits(minutes=9)

    assert plant.rings() == {}


async def test_also_when_it_was_accepted_through_another_process(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()
    other = Database(plant.url)

    def accepts(session) -> None:
        resolve.accept(session, report.anomaly, by=session.get_one(Person, plant.id_of("Sun Hao")), now=plant.now)

    await other.write(accepts)
    other.close()
    await plant.waits(minutes=9)

    assert plant.rings() == {}


async def test_of_all_who_accept_at_once_one_is_the_owner_and_the_others_read_who(plant):
    report = await plant.worker_reports("Press 7")

    answers = await asyncio.gather(*(plant.accepts(name, report.anomaly) for name in FIRST))

    (winner,) = [answer for answer in answers if answer.status_code < 400]
    owner = (await plant.card(report.anomaly)).owner
    late = [answer for answer in answers if answer is not winner]
    assert {refused(answer) for answer in late} == {"anomaly.owned_by_other"}
    assert all(owner in answer.json()["text"] for answer in late)


async def test_it_stops_too_when_the_call_is_taken_back(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()

    done(await plant.posts(f"{report.receipt}/recall", {}))
    await plant.waits(hours=3)

    assert plant.rings() == {}
