"""Another severity has another ladder: also for who is already on the way, and for what two that are one become."""

from uuid import UUID

from app.anomaly.queries import handle
from tests.journeys.harness import done, leads_to


async def test_upwards_after_acceptance_the_shorter_time_counts_from_the_acceptance(plant):
    report = await plant.worker_reports("Press 7", "method")
    done(await plant.accepts("Chen Jing", report.anomaly))
    await plant.waits(minutes=3)
    done(await plant.does("Wang Lei", "severity", report.anomaly, severity=1))
    plant.all_quiet()

    await plant.waits(minutes=1, seconds=59)
    assert plant.rings() == {}
    await plant.waits(seconds=1)

    assert plant.ringing() == {"Chen Jing", "Wang Lei"}


async def test_downwards_nobody_rings_and_the_longer_time_counts(plant):
    report = await plant.worker_reports("Press 7", danger="yes")
    await plant.waits(minutes=1)
    plant.all_quiet()

    done(await plant.does("Wang Lei", "severity", report.anomaly, severity=3))
    await plant.waits(minutes=13)
    assert plant.rings() == {}
    await plant.waits(minutes=1)

    assert plant.ringing() == {"Wang Lei"}


async def test_the_worse_of_two_that_are_one_decides_also_when_somebody_has_it(plant):
    minor = await plant.worker_reports("Press 7", "method")
    done(await plant.accepts("Chen Jing", minor.anomaly))
    urgent = await plant.worker_reports("Press 7", "machine", line_stopped="yes")

    await joined(plant, urgent, minor)

    card = await plant.card(minor.anomaly)
    assert (card.severity, card.line_stopped, card.owner) == (1, True, "Chen Jing")


async def test_joining_rings_nobody_a_second_time_and_stops_no_ladder(plant):
    first = await plant.worker_reports("Press 7", "machine")
    await plant.waits(minutes=4)
    second = await plant.worker_reports("Press 7", "quality")
    plant.all_quiet()

    await joined(plant, second, first)
    assert plant.rings() == {}
    await plant.waits(minutes=1)

    assert "Chen Jing" in plant.ringing()


async def test_a_signal_that_is_split_off_again_calls_to_the_station_it_came_from(plant):
    here = await plant.worker_reports("Press 7", "machine")
    there = await plant.worker_reports("Press 8", "machine")
    await joined(plant, there, here)

    answer = await plant.does("Wang Lei", "split", here.anomaly, occurrence=handle(UUID(there.key)))

    other = await plant.card(leads_to(answer))
    assert other.station == {"en": "Press 8", "zh": "8 号冲压机"}
    assert (other.occurrences, (await plant.card(here.anomaly)).occurrences) == (1, 1)


async def test_a_number_that_no_database_takes_is_no_fault_of_ours(plant):
    report = await plant.worker_reports("Press 7")

    answer = await plant.does("Wang Lei", "merge", report.anomaly, number="9" * 30)

    assert (answer.status_code, answer.json()["code"]) == (400, "pullcord.bad_input")


async def joined(plant, one, into):
    number = (await plant.card(into.anomaly)).number
    done(await plant.does("Wang Lei", "merge", one.anomaly, number=number))
