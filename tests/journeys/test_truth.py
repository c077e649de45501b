"""Delivery truth: what is said of a call is what the phone has shown, with its times, and who was never reached is seen."""

from datetime import timedelta

import pytest

from app.anomaly.models import Anomaly
from app.dispatch.models import TEST, Delivery
from app.dispatch.queries import latencies
from app.people.models import Address
from app.people.queries import last_proven
from tests.journeys.harness import done, on_any_database, refused
from tests.push.phone import Phone


async def test_the_page_says_how_many_phones_rang_and_how_far_that_got(plant):
    report = await plant.worker_reports("Press 7")
    assert "rang 3 phones · 0 displayed · 0 accepted" in await calls(plant, report)

    await shows(plant, "Li Wei", after=2)
    await shows(plant, "Wang Lei", after=1)
    assert "rang 3 phones · 2 displayed · 0 accepted" in await calls(plant, report)

    done(await plant.accepts_in_tray("Li Wei"))
    assert "rang 3 phones · 2 displayed · 1 accepted" in await calls(plant, report)


async def test_each_step_stands_there_with_its_time_for_each_person_and_device(plant):
    report = await plant.worker_reports("Press 7")
    await shows(plant, "Li Wei", after=2)
    await plant.waits(seconds=5)
    done(await plant.accepts_in_tray("Li Wei"))

    seen = await calls(plant, report)

    assert "planned 10:00:00 · sent +0.0 s · displayed +2.0 s · opened +7.0 s · accepted +7.0 s" in seen
    assert seen.count("not displayed yet") == 2
    assert "phone · phone" in seen, "the way, and what its owner calls the device"


async def test_a_phone_that_rings_twice_is_one_phone(plant):
    report = await plant.worker_reports("Press 7")
    await plant.waits(minutes=20)
    rang = sum(times > 0 for times in plant.rings().values())

    assert sum(plant.rings().values()) > rang
    assert f"rang {rang} phones" in await calls(plant, report)


async def test_whoever_is_asked_again_starts_from_nothing(plant):
    report = await plant.worker_reports("Press 7")
    await shows(plant, "Li Wei", after=1)
    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.waits(minutes=1)

    done(await plant.does("Li Wei", "release", report.anomaly, reason="my shift ends"))

    assert "rang 3 phones · 0 displayed · 0 accepted" in await calls(plant, report)


async def test_an_open_page_that_somebody_looks_at_has_displayed_it(plant):
    report = await plant.worker_reports("Press 7")
    await plant.waits(seconds=4)

    said = done(await looks_at(plant, "Wang Lei", report.anomaly)).json()

    [call] = [d for d in await plant.all(Delivery) if d.displayed_at]
    assert (call.channel, call.person_id, call.opened_at) == ("stream", plant.id_of("Wang Lei"), None)
    assert call.displayed_at - call.planned_at == timedelta(seconds=4)
    assert said[str(report.anomaly)]["calls"] == "rang 3 phones · 1 displayed · 0 accepted"


async def test_whoever_has_seen_it_on_a_page_keeps_the_clock_of_the_unseen_at_rest(plant):
    seen = await plant.worker_reports("Press 7", line_stopped="yes")
    await looks_at(plant, "Wang Lei", seen.anomaly)
    unseen = await plant.worker_reports("Oven 1", line_stopped="yes")

    await plant.waits(seconds=90)

    clocks = {}
    for report in (seen, unseen):
        told = [event.details for event in await plant.timeline(report.anomaly) if "clock" in event.details]
        clocks[report.anomaly] = {details["clock"] for details in told}
    assert "displayed" not in clocks[seen.anomaly]
    assert "displayed" in clocks[unseen.anomaly]


async def test_the_page_about_it_was_opened(plant):
    report = await plant.worker_reports("Press 7")

    done(await looks_at(plant, "Wang Lei", report.anomaly, opened=True))

    [call] = [d for d in await plant.all(Delivery) if d.opened_at]
    assert call.displayed_at == call.opened_at == plant.now


async def test_an_open_page_speaks_for_its_reader_only(plant):
    report = await plant.worker_reports("Press 7")

    done(await looks_at(plant, "Zhao Min", report.anomaly))
    assert refused(await looks_at(plant, "", report.anomaly)) == "people.login_needed"

    assert not any(d.displayed_at for d in await plant.all(Delivery))


async def test_what_was_settled_long_ago_is_not_displayed_by_looking_it_up(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.waits(minutes=2)

    done(await looks_at(plant, "Wang Lei", report.anomaly, opened=True))

    called_first = [d for d in await plant.all(Delivery) if d.rung == 0 and d.person_id == plant.id_of("Wang Lei")]
    assert not any(d.displayed_at for d in called_first if d.round == min(c.round for c in called_first))


async def test_whoever_was_called_reads_why_and_nobody_else(plant):
    report = await plant.worker_reports("Press 7")
    await plant.waits(minutes=5)

    said = done(await looks_at(plant, "Chen Jing", report.anomaly)).json()[str(report.anomaly)]

    assert said["why"] == "engineer on duty, nobody came within 5 min"
    assert "Why you: engineer on duty" in await calls(plant, report, by="Chen Jing")
    assert "Why you" not in await calls(plant, report, by="Gao Yan")


async def test_a_phone_is_proven_by_what_it_shows_and_by_nothing_else(plant):
    people = [plant.id_of(name) for name in ("Li Wei", "Wang Lei")]
    report = await plant.worker_reports("Press 7")
    done(await looks_at(plant, "Wang Lei", report.anomaly))
    assert await plant.db.read(last_proven, people) == {}

    await shows(plant, "Li Wei", after=3)

    assert await plant.db.read(last_proven, people) == {plant.id_of("Li Wei"): plant.now}


async def test_a_phone_that_somebody_else_logs_in_on_proves_nothing_for_them(plant):
    await plant.worker_reports("Press 7")
    await shows(plant, "Li Wei", after=1)
    [phone] = [a for a in await plant.all(Address) if a.proven_at]

    target = {"kind": "webpush", "subscription": phone.target, "label": "", "renewal": True}
    answer = await plant.http.post("/addresses", json=target, headers=plant._as("Ma Jun"))

    assert (answer.status_code, answer.json()["state"]) == (201, "live")
    assert await plant.db.read(last_proven, [plant.id_of("Ma Jun")]) == {}


async def test_how_fast_each_channel_is_counts_what_was_displayed(plant):
    await plant.worker_reports("Press 7")
    for name, seconds in (("Li Wei", 1), ("Sun Hao", 1), ("Wang Lei", 8)):
        await shows(plant, name, after=seconds)

    [push] = await plant.db.read(latencies, since=plant.now - timedelta(days=1))

    assert (push.channel, push.displayed, push.p50) == ("webpush", 3, 2.0)
    assert 2.0 < push.p95 <= 10.0
    assert await plant.db.read(latencies, since=plant.now + timedelta(seconds=1)) == []
    assert 'pullcord_displayed_seconds_bucket{channel="webpush"' in (await plant.sees("/metrics")).text


async def test_i_ring_my_own_phones_and_read_how_long_it_took(plant):
    second = Phone(plant.push)
    done(await plant.subscribes("Wang Lei", second))

    test = done(await plant.posts("/me/test", {}, by="Wang Lei")).json()
    assert (len(plant.phones["Wang Lei"].rang()), len(second.rang())) == (1, 1)
    await plant.waits(seconds=1.5)
    done(await plant.taps(second.displays(second.shown()[-1])))

    path = f"/me/test?of={','.join(test['of'])}"
    lines = (await plant.sees(path, by="Wang Lei", accept="application/json")).json()["lines"]
    assert sorted(str(line["seconds"]) for line in lines) == ["1.5", "None"]
    assert "displayed after 1.5 s" in (await plant.sees(path, by="Wang Lei", **{"hx-request": "true"})).text
    assert (await plant.sees(path, by="Ma Jun", accept="application/json")).json()["lines"] == []
    assert {d.purpose for d in await plant.all(Delivery)} == {TEST}
    assert await plant.all(Anomaly) == []


async def test_without_javascript_the_test_is_a_page_of_its_own(plant):
    headers = plant._as("Wang Lei") | {"accept": "text/html"}

    page = await plant.http.post("/me/test", data={}, headers=headers)

    assert "<html" in page.text
    assert "on its way" in page.text
    assert "/me/test?of=" in page.text


async def test_one_phone_alone_can_be_tested(plant):
    second = Phone(plant.push)
    address = done(await plant.subscribes("Wang Lei", second)).json()["id"]

    done(await plant.posts("/me/test", {"address": address}, by="Wang Lei"))

    assert (plant.rings(), len(second.rang())) == ({}, 1)


async def test_nobody_rings_themselves_all_day(plant):
    answers = [await plant.posts("/me/test", {}, by="Wang Lei") for _ in range(8)]

    assert refused(answers[-1]) == "pullcord.too_many"


@on_any_database
async def test_nobody_tests_somebody_elses_phone(plant):
    [theirs] = [a for a in await plant.all(Address) if a.person_id == plant.id_of("Li Wei")]

    answer = done(await plant.posts("/me/test", {"address": str(theirs.id)}, by="Ma Jun"))

    assert (answer.json()["of"], plant.rings()) == ([], {})


@on_any_database
@pytest.mark.parametrize("sent", [{"shown": ["x"]}, {"shown": 1}, {}, {"shown": [str(n) for n in range(200)]}])
async def test_what_no_page_sends_is_refused(plant, sent):
    headers = plant._as("Wang Lei") | {"accept": "application/json"}

    assert refused(await plant.http.post("/deliveries/shown", json=sent, headers=headers)) == "pullcord.bad_input"


async def calls(plant, report, *, by="Zhao Min"):
    return (await plant.sees(f"/anomalies/{report.anomaly}/calls", by=by)).text


async def shows(plant, name, *, after):
    await plant.waits(seconds=after)
    phone = plant.phones[name]
    done(await plant.taps(phone.displays(phone.shown()[-1])))


async def looks_at(plant, name, anomaly, *, opened=False):
    sent = {"shown": [] if opened else [str(anomaly)], "opened": [str(anomaly)] if opened else []}
    headers = plant._as(name) | {"accept": "application/json"}
    return await plant.http.post("/deliveries/shown", json=sent, headers=headers)
