"""I take it: one owner, whoever else tries; and only a POST accepts."""

import asyncio

from app.kit.ids import new_id
from tests.journeys.harness import done, refused


async def test_two_thumbs_at_once_make_one_owner_and_the_other_reads_who(plant):
    report = await plant.worker_reports("Press 7")

    answers = await asyncio.gather(*(plant.accepts(name, report.anomaly) for name in ("Li Wei", "Wang Lei")))

    card = await plant.card(report.anomaly)
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    (loser,) = [answer for answer in answers if answer.status_code == 409]
    assert refused(loser) == "anomaly.owned_by_other"
    assert card.owner in loser.json()["text"]


async def test_of_a_hundred_who_accept_at_once_one_is_the_owner(plant):
    report = await plant.worker_reports("Press 7")
    may = ("Li Wei", "Sun Hao", "Wang Lei", "Liu Yang", "Chen Jing", "Zhao Min", "Gao Yan")
    thumbs = [may[n % len(may)] for n in range(100)]

    answers = await asyncio.gather(*(plant.accepts(name, report.anomaly) for name in thumbs))

    won = [name for name, answer in zip(thumbs, answers, strict=True) if answer.status_code == 303]
    assert won == [(await plant.card(report.anomaly)).owner]
    assert {refused(answer) for answer in answers if answer.status_code != 303} == {"anomaly.owned_by_other"}
    assert (await plant.events(report.anomaly)).count("accept") == 1


async def test_accept_in_the_notification_needs_no_login_and_no_app(plant):
    report = await plant.worker_reports("Press 7")

    answer = await plant.accepts_in_tray("Wang Lei")

    assert (answer.status_code, answer.json()["won"]) == (200, True)
    assert "#1001" in answer.json()["body"]
    assert (await plant.card(report.anomaly)).owner == "Wang Lei"


async def test_accept_in_the_notification_too_late_says_who_was_faster(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))

    answer = await plant.accepts_in_tray("Wang Lei")

    assert (answer.status_code, answer.json()["won"]) == (409, False)
    assert "Li Wei" in answer.json()["body"]
    assert (await plant.card(report.anomaly)).owner == "Li Wei"


async def test_the_same_tap_again_is_no_second_acceptance(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts_in_tray("Wang Lei"))

    again = await plant.accepts_in_tray("Wang Lei")

    assert again.json()["won"] is True
    assert (await plant.events(report.anomaly)).count("accept") == 1


async def test_a_used_token_accepts_nothing_after_it_was_given_back(plant):
    report = await plant.worker_reports("Press 7")
    call = plant.phones["Wang Lei"].accepts(plant.phones["Wang Lei"].shown()[-1])
    done(await plant.taps(call))
    done(await plant.does("Wang Lei", "release", report.anomaly, reason="Called away"))

    again = await plant.taps(call)

    assert refused(again) == "dispatch.bad_token"
    assert (await plant.card(report.anomaly)).status == "reported"


async def test_the_token_of_one_call_does_not_accept_another(plant):
    await plant.worker_reports("Press 7")
    other = await plant.worker_reports("Oven 1", "machine")
    first, second = plant.phones["Li Wei"].rang()
    swapped = {**second["data"], "token": first["data"]["token"]}

    answer = await plant.taps(plant.phones["Li Wei"].accepts({**second, "data": swapped}))

    assert refused(answer) == "dispatch.bad_token"
    assert (await plant.card(other.anomaly)).status == "reported"


async def test_opening_accepts_nothing(plant):
    report = await plant.worker_reports("Press 7")
    data = plant.phones["Wang Lei"].shown()[-1]["data"]
    accepting = f"/deliveries/{data['delivery']}/acceptance?token={data['token']}"

    shown = await plant.sees(f"/d/{data['delivery']}?t={data['token']}")
    previewed = await plant.sees(accepting)
    opened = await plant.taps(plant.phones["Wang Lei"].opens(plant.phones["Wang Lei"].shown()[-1]))

    assert (shown.status_code, previewed.status_code, opened.status_code) == (200, 405, 204)
    assert (await plant.card(report.anomaly)).status == "reported"

    pressed = await plant.http.post(f"/deliveries/{data['delivery']}/acceptance", data={"token": data["token"]})

    assert pressed.status_code == 200
    assert (await plant.card(report.anomaly)).owner == "Wang Lei"


async def test_somebody_elses_problem_can_only_be_taken_by_who_answers_for_it(plant):
    report = await plant.worker_reports("Press 7")

    answers = {name: await plant.accepts(name, report.anomaly) for name in ("Ma Jun", "He Fang", "")}

    assert {name: refused(answer) for name, answer in answers.items()} == {
        "Ma Jun": "pullcord.not_allowed",
        "He Fang": "pullcord.not_allowed",
        "": "people.login_needed",
    }
    assert (await plant.card(report.anomaly)).status == "reported"


async def test_an_anomaly_that_does_not_exist_is_a_sentence(plant):
    assert refused(await plant.accepts("Wang Lei", new_id())) == "pullcord.not_found"


async def test_hand_over_needs_the_one_who_takes_over(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()

    done(await plant.hands_over("Li Wei", report.anomaly, to="Sun Hao"))

    assert plant.phone_of("Sun Hao") == ["Li Wei asks you to take over · Press 7:… | #1001 · just now"]
    assert plant.ringing() == {"Sun Hao"}
    assert (await plant.card(report.anomaly)).owner == "Li Wei"

    done(await plant.does("Sun Hao", "hand-over/acceptance", report.anomaly))

    assert (await plant.card(report.anomaly)).owner == "Sun Hao"
    assert refused(await plant.arrives("Li Wei", report.anomaly)) in ("pullcord.not_allowed", "anomaly.owned_by_other")


async def test_only_who_was_asked_can_take_over(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.hands_over("Li Wei", report.anomaly, to="Sun Hao"))

    taken = {name: await plant.does(name, "hand-over/acceptance", report.anomaly) for name in ("Ma Jun", "Wang Lei")}

    assert {refused(answer) for answer in taken.values()} == {"pullcord.not_allowed"}
    assert (await plant.card(report.anomaly)).owner == "Li Wei"


async def test_given_back_it_rings_again_from_the_first_rung(plant):
    report = await plant.worker_reports("Press 7")
    await plant.waits(minutes=6)
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()

    done(await plant.does("Li Wei", "release", report.anomaly, reason="Shift ends"))

    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}
    assert (await plant.card(report.anomaly)).owner == ""

    plant.all_quiet()
    await plant.waits(minutes=5)

    assert plant.ringing() == {"Wang Lei", "Liu Yang", "Chen Jing"}


async def test_a_lead_can_give_back_what_somebody_forgot(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))

    assert refused(await plant.does("Sun Hao", "release", report.anomaly)) == "pullcord.not_allowed"
    done(await plant.does("Wang Lei", "release", report.anomaly))

    assert (await plant.card(report.anomaly)).status == "reported"
