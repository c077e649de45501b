"""I am coming too: whoever can help joins the one who has it, and takes nothing from them."""

import asyncio

from tests.journeys.harness import done, on_any_database, refused


async def helped(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()
    done(await plant.does("Ma Jun", "assistance", report.anomaly))
    return report.anomaly


async def test_who_comes_too_stands_on_the_card_and_owns_nothing(plant):
    anomaly = await helped(plant)

    card = await plant.card(anomaly)
    assert (card.owner, list(card.helpers.values())) == ("Li Wei", ["Ma Jun"])
    page = (await plant.sees(f"/anomalies/{anomaly}", by="Sun Hao")).text
    assert "Comes too" in page
    assert "Ma Jun" in page
    assert refused(await plant.arrives("Ma Jun", anomaly)) == "pullcord.not_allowed"


async def test_the_owner_hears_of_it_and_nobody_else(plant):
    await helped(plant)

    assert plant.ringing() == {"Li Wei"}
    assert plant.phone_of("Li Wei")[-1].startswith("Ma Jun is coming too")


async def test_twice_said_is_said_once_also_at_the_same_moment(plant):
    anomaly = await helped(plant)

    for answer in await asyncio.gather(*(plant.does("Ma Jun", "assistance", anomaly) for _ in range(5))):
        done(answer)

    assert (await plant.events(anomaly)).count("assist") == 1


async def test_who_accepts_a_moment_too_late_is_offered_to_come_too(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))

    answer = await plant.http.post(
        f"/anomalies/{report.anomaly}/acceptance", headers=plant._as("Wang Lei") | {"accept": "text/html"}
    )

    assert answer.status_code == 409
    assert f'action="/anomalies/{report.anomaly}/assistance"' in answer.text
    assert "I am coming too" in answer.text


@on_any_database
async def test_nobody_joins_what_nobody_has_or_what_is_their_own(plant):
    report = await plant.worker_reports("Press 7")
    assert refused(await plant.does("Ma Jun", "assistance", report.anomaly)) == "anomaly.not_allowed_now"
    done(await plant.accepts("Li Wei", report.anomaly))

    assert refused(await plant.does("Li Wei", "assistance", report.anomaly)) == "anomaly.not_allowed_now"


@on_any_database
async def test_given_back_nobody_comes_any_more_and_taken_over_one_comes_as_the_owner(plant):
    anomaly = await helped(plant)
    done(await plant.does("Chen Jing", "assistance", anomaly))
    done(await plant.hands_over("Li Wei", anomaly, to="Ma Jun"))
    done(await plant.does("Ma Jun", "hand-over/acceptance", anomaly))
    card = await plant.card(anomaly)
    assert (card.owner, list(card.helpers.values())) == ("Ma Jun", ["Chen Jing"])

    done(await plant.does("Ma Jun", "release", anomaly, reason="Called away"))

    assert not (await plant.card(anomaly)).helpers
