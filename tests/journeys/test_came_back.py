"""Somebody says that it is fixed, and it is not: who said so hears of it at once, whoever saw it."""

from datetime import timedelta

from tests.journeys.harness import done


async def test_reported_again_before_anybody_has_checked_it_goes_back_to_who_fixed_it(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    await plant.waits(minutes=10)
    plant.all_quiet()

    again = await plant.worker_reports("Press 7")

    card = await plant.card(report.anomaly)
    assert (again.anomaly, card.status, card.owner) == (report.anomaly, "accepted", "Li Wei")
    assert plant.ringing() == {"Li Wei"}
    assert plant.phone_of("Li Wei")[0].startswith("Not fixed yet · Press 7: Machine")


async def test_the_alarm_rises_again_before_anybody_has_checked(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    await plant.machine_is_normal("Press 7", "overheating")
    await plant.waits(minutes=1)
    plant.all_quiet()

    await plant.machine_reports("Press 7", "overheating")

    assert (await plant.card(anomaly)).status == "accepted"
    assert plant.ringing() == {"Li Wei"}


async def test_back_to_normal_sends_nothing_back(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)

    await plant.machine_is_normal("Press 7", "overheating")

    assert (await plant.card(anomaly)).status == "resolved"


async def test_what_waited_in_an_outbox_from_before_the_repair_says_nothing_about_it(plant):
    report = await plant.worker_reports("Press 7")
    seen_at = plant.now
    await plant.waits(minutes=10)
    await plant.is_fixed_by("Li Wei", report.anomaly)
    await plant.waits(minutes=10)

    await plant.worker_reports("Press 7", captured_at=seen_at.isoformat())

    card = await plant.card(report.anomaly)
    assert (card.status, card.occurrences) == ("resolved", 2)


async def test_me_too_belongs_to_the_station_it_was_said_at(plant):
    report = await plant.worker_reports("Press 7")

    answer = await plant.says_me_too("Oven 1", report.anomaly)

    assert answer.status_code == 409
    assert (await plant.card(report.anomaly)).me_too == 0


async def test_what_has_ended_takes_no_more_words(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.does("Wang Lei", "cancellation", report.anomaly, reason="false"))
    await plant.waits(seconds=timedelta(minutes=1).total_seconds())

    answer = await plant.posts(f"{report.receipt}/details", {"text": "Still smoking"})

    assert answer.json()["code"] == "capture.ended"


async def test_what_was_closed_not_long_ago_is_opened_again(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.machine_is_normal("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    done(await plant.does("Wang Lei", "verification", anomaly))
    await plant.waits(days=15)
    assert (await plant.card(anomaly)).status == "closed"
    plant.all_quiet()

    again = await plant.machine_reports("Press 7", "overheating")

    card = await plant.card(anomaly)
    assert (again, card.status, card.ended_at) == (anomaly, "reported", None)
    assert "Li Wei" in plant.ringing()


async def test_what_was_closed_long_ago_is_a_new_anomaly_that_knows_the_old_one(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.machine_is_normal("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    done(await plant.does("Wang Lei", "verification", anomaly))
    await plant.waits(days=15)
    await plant.waits(days=31)

    again = await plant.machine_reports("Press 7", "overheating")
    await plant.machine_is_normal("Press 7", "overheating")
    once_more = await plant.machine_reports("Press 7", "overheating")

    assert again != anomaly
    assert once_more == again
    assert (await plant.card(anomaly)).status == "closed"
    assert (await plant.row(again)).previous_id == anomaly
