"""Somebody calls for help: who is called, and that the same call is never two."""

import asyncio

from app.anomaly.models import Anomaly, Attachment, Occurrence
from tests.factories import report_key
from tests.journeys.harness import done, refused
from tests.pictures import jpeg


async def test_a_report_rings_the_right_people_and_nobody_else(plant):
    await plant.worker_reports("Press 7", "machine")

    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}
    assert plant.rings("Li Wei", "Sun Hao", "Wang Lei") == {"Li Wei": 1, "Sun Hao": 1, "Wang Lei": 1}
    assert plant.phone_of("Wang Lei") == ["! Line 3 · Press 7: Machine | #1001 · just now"]


async def test_another_line_and_another_kind_of_problem_ring_others(plant):
    await plant.worker_reports("Oven 1", "quality")

    assert plant.ringing() == {"He Fang", "Liu Yang"}


async def test_everybody_is_called_in_their_own_language(plant):
    await plant.speaks("Wang Lei", "zh")

    await plant.worker_reports("Press 7", "machine")

    assert all(word in plant.phone_of("Wang Lei")[0] for word in ("三号线", "7 号冲压机", "设备", "#1001"))
    assert plant.phone_of("Li Wei")[0].startswith("! Line 3 · Press 7: Machine")


async def test_the_two_questions_make_it_urgent_and_ring_again(plant):
    report = await plant.worker_reports("Press 7", "method")
    assert plant.ringing() == {"Chen Jing"}

    await plant.posts(f"{report.receipt}/details", {"line_stopped": "yes"})

    assert (await plant.card(report.anomaly)).severity == 1
    assert plant.ringing() == {"Chen Jing", "Wang Lei"}
    assert "Line stopped" in plant.phone_of("Chen Jing")[0]
    assert plant.rings("Chen Jing") == {"Chen Jing": 2}


async def test_two_times_no_makes_it_ordinary_and_rings_nobody_again(plant):
    report = await plant.worker_reports("Press 7", "machine")

    await plant.posts(f"{report.receipt}/details", {"line_stopped": "no", "danger": "no"})

    assert (await plant.card(report.anomaly)).severity == 3
    assert set(plant.rings().values()) == {1}


async def test_the_same_key_twice_is_the_same_report(plant):
    key = report_key()

    first = await plant.posts_report("Press 7", key=key)
    again = await plant.posts_report("Press 7", key=key)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["anomaly"] == again.json()["anomaly"]
    assert len(await plant.all(Occurrence)) == 1
    assert set(plant.rings().values()) == {1}


async def test_the_same_key_from_two_connections_in_the_same_moment_is_one_report(plant):
    key = report_key()

    answers = await asyncio.gather(*(plant.posts_report("Press 7", key=key) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert (len(await plant.all(Anomaly)), len(await plant.all(Occurrence))) == (1, 1)
    assert set(plant.rings().values()) == {1}


async def test_the_same_key_with_another_content_is_refused_and_the_first_is_safe(plant):
    key = report_key()
    report = await plant.worker_reports("Press 7", "machine", key=key)

    clash = await plant.posts_report("Press 7", "quality", key=key)

    assert refused(clash) == "capture.key_reused"
    assert (await plant.card(report.anomaly)).category == "machine"
    assert len(await plant.all(Anomaly)) == 1


async def test_one_tap_calls_and_photo_and_words_follow(plant):
    report = await plant.worker_reports("Press 7", "machine")
    assert plant.rings("Wang Lei") == {"Wang Lei": 1}

    done(await plant.sends_photo(report, jpeg()))
    done(await plant.posts(f"{report.receipt}/details", {"symptom": "noise", "text": "It rattles"}))

    card = await plant.card(report.anomaly)
    assert (card.symptom["en"], card.message) == ("Strange noise", "It rattles")
    shown = await plant.sees(card.photo)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")


async def test_the_same_photo_twice_is_one_photo_and_the_fifth_is_refused(plant):
    report, photo = await plant.worker_reports("Press 7"), report_key()

    for _ in range(2):
        done(await plant.sends_photo(report, jpeg(), file_id=photo))
    for shade in (1, 2, 3):
        done(await plant.sends_photo(report, jpeg(shade)))

    assert refused(await plant.sends_photo(report, jpeg(9))) == "capture.enough_photos"
    assert refused(await plant.sends_photo(report, jpeg(7), file_id=photo)) == "capture.file_clash"
    assert len(await plant.all(Attachment)) == 4


async def test_a_report_that_waited_in_the_phone_keeps_its_own_time(plant):
    pressed = plant.now.replace(hour=1)

    report = await plant.worker_reports("Press 7", captured_at=pressed.isoformat())

    row = await plant.row(report.anomaly)
    assert (row.occurred_at, row.received_at) == (pressed, plant.now)


async def test_a_phone_whose_clock_is_a_year_off_is_not_believed(plant):
    report = await plant.worker_reports("Press 7", captured_at="2027-12-01T00:00:00Z")

    assert (await plant.row(report.anomaly)).occurred_at == plant.now


async def test_a_form_without_javascript_leads_to_the_receipt(plant):
    sent = {"category": "machine"}

    answer = await plant.http.post("/s/7k3q/reports", data=sent, headers={"accept": "text/html"})

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/r/")
    assert (await plant.sees(answer.headers["location"])).status_code == 200
