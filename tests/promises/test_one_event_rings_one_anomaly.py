"""Promise 4: one event rings one anomaly, whoever reports it and however often; joined wrongly, it comes apart again."""

import asyncio
from uuid import UUID

from sqlmodel import select

from app.anomaly.models import Anomaly, Attachment, Occurrence
from app.anomaly.queries import handle
from app.kit.ids import new_id
from tests.journeys.harness import done, leads_to, refused
from tests.pictures import jpeg


async def test_who_was_called_is_not_called_a_second_time_for_the_same_event(plant):
    report = await plant.worker_reports("Press 7")
    assert plant.rings() == {"Li Wei": 1, "Sun Hao": 1, "Wang Lei": 1}

    await plant.worker_reports("Press 7")
    await plant.machine_reports("Press 7", "overheating")
    done(await plant.says_me_too("Press 7", report.anomaly))
    await plant.worker_reports("Press 7", key=report.key)

    assert plant.rings() == {"Li Wei": 1, "Sun Hao": 1, "Wang Lei": 1}


async def test_a_report_and_an_alarm_of_one_station_are_one_anomaly_with_both_proofs(plant):
    report = await plant.worker_reports("Press 7", "machine")
    await plant.waits(minutes=9)

    alarmed = await plant.machine_reports("Press 7", "overheating")

    assert alarmed == report.anomaly
    card = await plant.card(report.anomaly)
    assert (card.occurrences, card.alarms, card.alarms_active) == (2, 1, 1)
    assert await kinds(plant, report.anomaly) == {"report", "alarm"}


async def test_the_machine_first_and_then_the_worker_are_one_anomaly_too(plant):
    alarmed = await plant.machine_reports("Press 7", "overheating")

    report = await plant.worker_reports("Press 7", "machine")

    assert report.anomaly == alarmed
    assert (await plant.card(alarmed)).occurrences == 2


async def test_outside_the_merge_window_they_are_two(plant):
    report = await plant.worker_reports("Press 7", "machine")
    await plant.waits(minutes=11)

    alarmed = await plant.machine_reports("Press 7", "overheating")

    assert alarmed != report.anomaly


async def test_another_station_is_another_event(plant):
    report = await plant.worker_reports("Press 7", "machine")

    assert await plant.machine_reports("Oven 1", "overheating") != report.anomaly


async def test_categories_that_have_nothing_to_do_with_each_other_stay_apart(plant):
    report = await plant.worker_reports("Press 7", "information")

    assert await plant.machine_reports("Press 7", "overheating") != report.anomaly


async def test_it_is_split_in_one_tap_and_nothing_is_lost(plant):
    report = await plant.worker_reports("Press 7", "machine")
    done(await plant.sends_photo(report, jpeg()))
    await plant.says_me_too("Press 7", report.anomaly)
    await plant.machine_reports("Press 7", "overheating")
    signal = next(signal for signal in await plant.all(Occurrence) if signal.kind == "alarm")
    plant.all_quiet()

    answer = done(await plant.does("Wang Lei", "split", report.anomaly, occurrence=handle(signal.id)))

    one, other = await plant.card(report.anomaly), await plant.card(leads_to(answer))
    assert (one.occurrences, one.me_too, one.alarms, one.alarms_active) == (2, 1, 0, 0)
    assert (other.occurrences, other.me_too, other.alarms, other.alarms_active) == (1, 0, 1, 1)
    assert one.photo
    assert other.photo is None
    assert other.number > one.number
    assert plant.phone_of("Li Wei") == [f"! Line 3 · Press 7: Machine | overheating · #{other.number} · just now"]


async def test_after_a_split_each_gets_its_own_news(plant):
    report = await plant.worker_reports("Press 7", "machine")
    await plant.machine_reports("Press 7", "overheating")
    signal = next(signal for signal in await plant.all(Occurrence) if signal.kind == "alarm")
    answer = await plant.does("Wang Lei", "split", report.anomaly, occurrence=handle(signal.id))
    other = leads_to(answer)

    await plant.machine_is_normal("Press 7", "overheating")
    again = await plant.worker_reports("Press 7", "machine")

    assert ((await plant.card(report.anomaly)).occurrences, again.anomaly) == (2, report.anomaly)
    assert (await plant.card(other)).alarms_active == 0


async def test_a_photo_moves_with_its_report(plant):
    alarmed = await plant.machine_reports("Press 7", "overheating")
    report = await plant.worker_reports("Press 7", "machine")
    done(await plant.sends_photo(report, jpeg()))

    answer = await plant.does("Wang Lei", "split", alarmed, occurrence=handle(UUID(report.key)))

    other = await plant.card(leads_to(answer))
    assert (other.photo is not None, (await plant.card(alarmed)).photo) == (True, None)
    assert [file.anomaly_id for file in await plant.all(Attachment)] == [other.id]
    receipt = await plant.sees(report.receipt)
    assert f"#{other.number}" in receipt.text


async def test_what_is_alone_cannot_be_split(plant):
    report = await plant.worker_reports("Press 7", "machine")

    answer = await plant.does("Wang Lei", "split", report.anomaly, occurrence=handle(UUID(report.key)))

    assert refused(answer) == "triage.only_signal"
    assert len(await plant.all(Anomaly)) == 1


async def test_two_are_joined_and_nothing_is_lost(plant):
    first = await plant.worker_reports("Press 7", "machine")
    second = await plant.worker_reports("Press 7", "quality")
    done(await plant.sends_photo(second, jpeg()))
    number = (await plant.card(first.anomaly)).number

    done(await plant.does("Wang Lei", "merge", second.anomaly, number=number))

    one, other = await plant.card(first.anomaly), await plant.card(second.anomaly)
    assert (one.occurrences, one.photo is not None) == (2, True)
    assert (other.status, other.end_reason) == ("cancelled", "duplicate")
    assert "#1001" in (await plant.sees(second.receipt)).text


async def test_nothing_can_be_joined_with_itself_or_with_what_has_ended(plant):
    report = await plant.worker_reports("Press 7")
    ended = await plant.worker_reports("Oven 1")
    done(await plant.does("Wang Lei", "cancellation", ended.anomaly, reason="false"))

    answers = [await plant.does("Wang Lei", "merge", report.anomaly, number=n) for n in (1001, 1002, 4711)]

    assert [refused(answer) for answer in answers] == [
        "triage.same_anomaly",
        "anomaly.not_allowed_now",
        "pullcord.not_found",
    ]


async def test_me_too_counts_and_rings_nobody_again(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()

    answers = await asyncio.gather(*(plant.says_me_too("Press 7", report.anomaly) for _ in range(5)))

    card = await plant.card(report.anomaly)
    assert {answer.status_code for answer in answers} == {201}
    assert (card.me_too, card.occurrences) == (5, 6)
    assert plant.rings() == {}


async def test_me_too_after_it_has_ended_says_so(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.does("Wang Lei", "cancellation", report.anomaly, reason="false"))

    assert refused(await plant.says_me_too("Press 7", report.anomaly)) == "capture.unknown_anomaly"
    assert refused(await plant.says_me_too("Press 7", new_id())) == "capture.unknown_anomaly"
    assert len(await plant.all(Occurrence)) == 1


async def test_the_same_problem_tapped_again_is_one_more_occurrence(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()

    again = await plant.worker_reports("Press 7")

    assert again.anomaly == report.anomaly
    assert (await plant.card(report.anomaly)).occurrences == 2
    assert plant.rings() == {}


async def test_a_flood_of_alarms_of_one_station_becomes_one_anomaly_with_a_list(plant):
    sensors = [f"sensor {n}" for n in range(1, 16)]

    await plant.machine_reports("Press 7", *sensors)

    anomalies = sorted(await plant.all(Anomaly), key=lambda a: a.occurrences)
    assert [a.occurrences for a in anomalies] == [1] * 9 + [6]
    assert sum(a.alarms_active for a in anomalies) == 15


async def test_a_repeat_that_is_worse_rings_again(plant):
    report = await plant.worker_reports("Press 7", "method")
    plant.all_quiet()

    await plant.worker_reports("Press 7", "method", danger="yes")

    assert (await plant.card(report.anomaly)).severity == 1
    assert plant.ringing() == {"Chen Jing", "Wang Lei"}


async def kinds(plant, anomaly):
    which = select(Occurrence.kind).where(Occurrence.anomaly_id == anomaly)
    return set(await plant.db.read(lambda session: session.exec(which).all()))
