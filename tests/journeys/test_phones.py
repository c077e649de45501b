"""Did it ring? What happens between us and a pocket, and what the phone says about it."""

from app.dispatch.models import Delivery
from app.people.models import Address
from tests.journeys.harness import done, refused
from tests.push.phone import Phone

FIRST = ("Li Wei", "Sun Hao", "Wang Lei")


async def test_turning_ringing_on_makes_a_phone_ring(plant):
    phone = await turns_on(plant, "Wang Lei")

    await plant.worker_reports("Press 7")

    assert phone.titles() == ["! Line 3 · Press 7: Machine"]


async def test_whoever_logs_in_on_a_phone_is_called_on_it_and_nobody_else(plant):
    phone = await turns_on(plant, "Wang Lei")
    done(await plant.subscribes("Ma Jun", phone))

    await plant.worker_reports("Press 7")

    assert phone.titles() == []


async def test_turned_off_it_stays_silent(plant):
    phone = Phone(plant.push)
    address = (await plant.subscribes("Wang Lei", phone)).json()["id"]

    done(await plant.posts(f"/addresses/{address}/removal", {}, by="Wang Lei"))
    await plant.worker_reports("Press 7")

    assert phone.titles() == []


async def test_nobody_turns_off_somebody_elses_phone(plant):
    phone = Phone(plant.push)
    address = (await plant.subscribes("Wang Lei", phone)).json()["id"]

    await plant.posts(f"/addresses/{address}/removal", {}, by="Ma Jun")
    await plant.worker_reports("Press 7")

    assert phone.titles() == ["! Line 3 · Press 7: Machine"]


async def test_an_address_that_is_gone_is_forgotten_and_nobody_else_waits_for_it(plant):
    plant.phones["Wang Lei"].unsubscribe()

    await plant.worker_reports("Press 7")

    assert plant.push.refusals[-1].status == 410
    assert await live_phones(plant, "Wang Lei") == 0
    assert plant.rings("Li Wei", "Sun Hao") == {"Li Wei": 1, "Sun Hao": 1}

    before = len(plant.push.refusals)
    await plant.waits(minutes=10)

    assert len(plant.push.refusals) == before


async def test_a_push_service_that_asks_us_to_wait_is_asked_again_and_rings_once(plant):
    plant.push.faults.append((429, {"Retry-After": "30"}))

    await plant.worker_reports("Press 7")
    assert sum(plant.rings(*FIRST).values()) == 2
    await plant.waits(seconds=29)
    assert sum(plant.rings(*FIRST).values()) == 2
    await plant.waits(seconds=1)

    assert plant.rings(*FIRST) == dict.fromkeys(FIRST, 1)


async def test_a_push_service_with_a_fault_is_tried_again_and_rings_once(plant):
    plant.push.faults.extend([(500, {}), (503, {}), (0, {}), (0, {})])

    await plant.worker_reports("Press 7")
    await plant.waits(minutes=1)

    assert plant.rings(*FIRST) == dict.fromkeys(FIRST, 1)


async def test_in_the_end_we_give_up_and_say_why(plant):
    plant.push.faults.extend([(500, {})] * 18)

    report = await plant.worker_reports("Press 7")
    await plant.waits(minutes=4)

    failed = [delivery for delivery in await plant.all(Delivery) if delivery.state == "failed"]
    assert (len(failed), plant.rings()) == (3, {})
    calls = await plant.sees(f"/anomalies/{report.anomaly}/calls", by="Wang Lei")
    assert "The push service has a fault." in calls.text


async def test_a_refused_signature_forgets_nobody(plant):
    plant.push.faults.append((403, {}))

    await plant.worker_reports("Press 7")

    assert [await live_phones(plant, name) for name in FIRST] == [1, 1, 1]


async def test_a_phone_without_network_rings_when_it_is_back(plant):
    plant.phones["Li Wei"].goes_offline()
    report = await plant.worker_reports("Press 7")
    await plant.waits(minutes=1)

    plant.phones["Li Wei"].comes_back()

    assert plant.rings("Li Wei") == {"Li Wei": 1}
    assert (await plant.accepts_in_tray("Li Wei")).json()["won"] is True
    assert (await plant.card(report.anomaly)).owner == "Li Wei"


async def test_shown_and_opened_are_told_by_the_phone_itself(plant):
    report = await plant.worker_reports("Press 7")
    phone = plant.phones["Wang Lei"]

    await plant.waits(seconds=2)
    done(await plant.taps(phone.displays(phone.shown()[-1])))
    await plant.waits(seconds=3)
    done(await plant.taps(phone.opens(phone.shown()[-1])))

    (call,) = [d for d in await plant.all(Delivery) if d.displayed_at and d.channel == "webpush"]
    assert [(at - call.planned_at).total_seconds() for at in (call.sent_at, call.displayed_at, call.opened_at)] == [
        0, 2, 5,
    ]  # fmt: skip
    assert (await plant.card(report.anomaly)).status == "reported"


async def test_a_stranger_cannot_say_that_a_phone_has_shown_it(plant):
    await plant.worker_reports("Press 7")
    data = plant.phones["Wang Lei"].shown()[-1]["data"]

    answers = [
        await plant.posts(f"/deliveries/{data['delivery']}/{what}", {"token": token})
        for what in ("displayed", "opened", "acceptance")
        for token in ("", "0" * 43, data["token"][:-1], "机" * 43)
    ]

    assert {refused(answer) for answer in answers} == {"dispatch.bad_token"}
    assert not any(d.displayed_at for d in await plant.all(Delivery))


async def test_the_calls_of_an_anomaly_answer_why_me(plant):
    report = await plant.worker_reports("Press 7")
    await plant.waits(minutes=5)

    calls = (await plant.sees(f"/anomalies/{report.anomaly}/calls", by="Chen Jing")).text

    assert all(name in calls for name in ("Li Wei", "Sun Hao", "Wang Lei", "Liu Yang", "Chen Jing"))
    assert "nobody came within 5 min" in calls


async def turns_on(plant, name):
    phone = Phone(plant.push)
    done(await plant.subscribes(name, phone))
    return phone


async def live_phones(plant, name):
    people = {plant.id_of(name)}
    return sum(a.person_id in people and a.gone_at is None for a in await plant.all(Address))
