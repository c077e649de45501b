"""A machine calls: it rises, it returns to normal, it comes back; and what it says outranks what people believe."""

from datetime import timedelta

from app.anomaly.models import Anomaly
from tests.journeys.harness import done, refused


async def test_an_alarm_rings_the_right_people_with_what_the_machine_says(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")

    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}
    assert plant.phone_of("Li Wei") == ["! Line 3 · Press 7: Machine | overheating · #1001 · just now"]
    assert (await plant.card(anomaly)).origin == "machine"


async def test_a_steady_value_says_nothing_more(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")

    assert await plant.machine_reports("Press 7", "overheating") is None
    assert (await plant.card(anomaly)).occurrences == 1


async def test_back_to_normal_is_an_event_and_the_call_goes_on(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")

    assert await plant.machine_is_normal("Press 7", "overheating") == anomaly

    card = await plant.card(anomaly)
    assert (card.status, card.alarms, card.alarms_active) == ("reported", 1, 0)
    assert await plant.events(anomaly) == ["reported", "called", "return_to_normal"]


async def test_a_further_edge_is_an_occurrence_of_the_same_anomaly(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.machine_is_normal("Press 7", "overheating")
    plant.all_quiet()

    assert await plant.machine_reports("Press 7", "overheating") == anomaly

    card = await plant.card(anomaly)
    assert (card.occurrences, card.alarms, card.alarms_active) == (2, 2, 1)
    assert plant.rings() == {}


async def test_what_is_still_abnormal_cannot_be_verified_without_a_reason(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)

    assert refused(await plant.verifies("Wang Lei", anomaly)) == "resolve.still_abnormal"
    assert refused(await plant.verifies("Wang Lei", anomaly, override="   ")) == "resolve.still_abnormal"
    assert (await plant.card(anomaly)).status == "resolved"

    done(await plant.verifies("Wang Lei", anomaly, override="The sensor is broken, measured by hand"))

    (told,) = [event for event in await plant.timeline(anomaly) if event.kind == "verify"]
    assert told.details["override"] == "The sensor is broken, measured by hand"


async def test_back_to_normal_it_can_be_verified(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    await plant.machine_is_normal("Press 7", "overheating")

    done(await plant.verifies("Wang Lei", anomaly))

    assert (await plant.card(anomaly)).status == "watching"


async def test_of_two_alarms_both_must_be_back_to_normal(plant):
    await plant.worker_reports("Press 7", "machine")
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.machine_reports("Press 7", "no coolant")
    await plant.is_fixed_by("Li Wei", anomaly)

    await plant.machine_is_normal("Press 7", "overheating")
    assert refused(await plant.verifies("Wang Lei", anomaly)) == "resolve.still_abnormal"
    await plant.machine_is_normal("Press 7", "no coolant")

    done(await plant.verifies("Wang Lei", anomaly))


async def test_it_comes_back_while_it_is_watched_so_it_rings_again(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    await plant.machine_is_normal("Press 7", "overheating")
    done(await plant.verifies("Wang Lei", anomaly))
    await plant.waits(days=13)
    plant.all_quiet()

    assert await plant.machine_reports("Press 7", "overheating") == anomaly

    card = await plant.card(anomaly)
    assert (card.status, card.owner, card.occurrences) == ("reported", "", 2)
    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}
    assert (await plant.events(anomaly)).count("recur") == 1


async def test_a_worker_who_reports_it_again_reopens_it_too(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    done(await plant.verifies("Wang Lei", report.anomaly))

    again = await plant.worker_reports("Press 7")

    assert (again.anomaly, (await plant.card(report.anomaly)).status) == (report.anomaly, "reported")


async def test_a_tap_days_later_is_a_new_anomaly_that_knows_the_old_one(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    done(await plant.verifies("Wang Lei", report.anomaly))
    await plant.waits(days=2)

    again = await plant.worker_reports("Press 7")

    assert again.anomaly != report.anomaly
    assert (await plant.row(again.anomaly)).previous_id == report.anomaly
    assert (await plant.card(report.anomaly)).status == "watching"


async def test_the_watch_window_closes_by_the_clock(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    await plant.machine_is_normal("Press 7", "overheating")
    done(await plant.verifies("Wang Lei", anomaly))
    plant.all_quiet()

    await plant.waits(days=13, hours=23)
    assert (await plant.card(anomaly)).status == "watching"
    await plant.waits(hours=1)

    card = await plant.card(anomaly)
    assert (card.status, card.ended_at) == ("closed", plant.now)
    assert plant.rings() == {}


async def test_after_that_it_is_a_new_anomaly(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    await plant.machine_is_normal("Press 7", "overheating")
    done(await plant.verifies("Wang Lei", anomaly))
    await plant.waits(days=90)

    assert await plant.machine_reports("Press 7", "overheating") not in (None, anomaly)
    assert (await plant.card(anomaly)).status == "closed"


async def test_the_same_edge_told_again_after_a_crash_is_no_second_one(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.restarts()

    assert await plant.machine_reports("Press 7", "overheating") is None  # known, and still so

    assert (await plant.card(anomaly)).occurrences == 1
    assert len(await plant.all(Anomaly)) == 1


async def test_an_alarm_that_ended_while_nobody_looked_is_seen_when_looking_again(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.restarts()
    plant.clock.time += timedelta(hours=1)

    assert await plant.machine_is_normal("Press 7", "overheating") == anomaly

    assert (await plant.card(anomaly)).alarms_active == 0


async def test_an_alarm_that_was_called_off_rings_when_it_rises_again(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    done(await plant.does("Wang Lei", "cancellation", anomaly, reason="false"))
    assert await plant.machine_is_normal("Press 7", "overheating") is None
    plant.all_quiet()

    again = await plant.machine_reports("Press 7", "overheating")

    assert again not in (None, anomaly)
    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}
