"""Changing who is called: without code, tried before it is published, never over somebody else's change."""

import re

from app.flows import queries as flows
from app.flows.models import FlowVersion
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused

MACHINE_2 = "/ladders/machine/2"


async def form_of(plant, path: str, by: str = "Zhao Min") -> dict[str, object]:
    """What a browser would send of the editor as it stands."""
    page = await plant.sees(path, by=by)
    assert page.status_code == 200, page.text
    return fields(page.text)


def fields(page: str) -> dict[str, list[str]]:
    form = page.split('<form id="ladder"')[1].split("</form>")[0]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        box = 'type="checkbox"' in tag or 'type="radio"' in tag
        if name and (not box or " checked" in tag):
            found.setdefault(name[1], []).append(value[1] if value else "")
    for name, body in re.findall(r'<select name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found.setdefault(name, []).append(chosen[1] if chosen else "")
    return found


async def presses(plant, path: str, form: dict, do: str, by: str = "Zhao Min"):
    headers = plant._as(by) | {"accept": "text/html"}
    return await plant.http.post(path, data=form | {"do": do}, headers=headers)


def step_after(form: dict, minutes: int, clock: str = "accepted") -> str:
    """The number of the step of a clock that is called after so long."""
    return next(
        name.partition(".")[2]
        for name, value in form.items()
        if name.startswith("after.") and value == [str(minutes)] and form[f"clock.{name.partition('.')[2]}"] == [clock]
    )


async def called(plant, anomaly) -> list[int]:
    """Which steps for not accepting it were called."""
    events = [event for event in await plant.timeline(anomaly) if event.kind in ("called", "nobody")]
    return [event.details["rung"] for event in events if event.details["clock"] == "accepted"]


async def test_a_step_is_moved_in_time_and_new_anomalies_follow_it_while_running_ones_do_not(plant):
    running = await plant.worker_reports("Press 7")
    form = await form_of(plant, MACHINE_2)
    form[f"after.{step_after(form, 5)}"] = ["3"]

    page = await presses(plant, MACHINE_2, form, "check")
    assert "What it would change" in page.text
    assert 'value="publish"' in page.text
    done(await presses(plant, MACHINE_2, fields(page.text), "publish"))

    await plant.waits(seconds=2)  # for so long intake may go by what it knew
    new = await plant.worker_reports("Oven 1")
    await plant.waits(minutes=3)
    assert await called(plant, new.anomaly) == [0, 1]
    assert await called(plant, running.anomaly) == [0]


@on_any_database
async def test_steps_are_added_and_taken_away_and_people_are_named(plant):
    form = await form_of(plant, MACHINE_2)
    before = len([name for name in form if name.startswith("clock.")])

    form = fields((await presses(plant, MACHINE_2, form, "add:accepted")).text)
    assert len([name for name in form if name.startswith("clock.")]) == before + 1
    (new,) = (name[6:] for name in form if name.startswith("clock.") and f"who.{name[6:]}" not in form)
    form |= {f"after.{new}": ["45"], f"unit.{new}": ["min"]}
    form[f"name.{new}"] = ["Zhao Min"]
    form[f"channels.{new}"] = ["sms"]
    form = fields((await presses(plant, MACHINE_2, form, "check")).text)
    new = step_after(form, 45)
    assert form[f"who.{new}"] == [f"person={id_of('person', 'Zhao Min')}"]

    form = fields((await presses(plant, MACHINE_2, form, f"up:{new}")).text)
    assert form[f"who.{int(new) - 1}"] == [f"person={id_of('person', 'Zhao Min')}"], "what it calls changes places"
    assert form[f"after.{new}"] == ["45"], "the times do not"

    form = fields((await presses(plant, MACHINE_2, form, f"remove:{new}")).text)
    assert len([name for name in form if name.startswith("clock.")]) == before
    assert len(await plant.db.read(flows.versions, "machine")) == 1, "nothing was stored"


@on_any_database
async def test_what_cannot_be_published_is_a_sentence_that_names_the_step(plant):
    form = await form_of(plant, MACHINE_2)
    first = step_after(form, 0)

    for wrong, code in (
        ({f"after.{first}": ["soon"]}, "ladder.bad_time"),
        ({f"name.{first}": ["Nobody Here"]}, "ladder.nobody_by_that_name"),
        ({f"who.{first}": []}, "ladder.empty_step"),
        ({f"who.{first}": ["root=yes"]}, "pullcord.bad_input"),
        ({f"clock.{first}": ["lunch"]}, "pullcord.bad_input"),
    ):
        answer = await plant.http.post(
            MACHINE_2,
            data=form | wrong | {"do": "publish"},
            headers=plant._as("Zhao Min") | {"accept": "application/json"},
        )
        assert refused(answer) == code
    assert len(await plant.db.read(flows.versions, "machine")) == 1


@on_any_database
async def test_leads_try_and_managers_publish(plant):
    form = await form_of(plant, MACHINE_2, by="Wang Lei")

    tried = await presses(plant, MACHINE_2, form, "check", by="Wang Lei")
    assert tried.status_code == 200
    assert 'value="publish"' not in tried.text
    answer = await plant.http.post(
        MACHINE_2, data=form | {"do": "publish"}, headers=plant._as("Wang Lei") | {"accept": "application/json"}
    )

    assert refused(answer) == "pullcord.not_allowed"


@on_any_database
async def test_two_managers_do_not_overwrite_each_other(plant):
    form = await form_of(plant, MACHINE_2)
    done(await presses(plant, MACHINE_2, form, "publish", by="Gao Yan"))

    answer = await plant.http.post(
        MACHINE_2, data=form | {"do": "publish"}, headers=plant._as("Zhao Min") | {"accept": "application/json"}
    )

    assert refused(answer) == "ladder.changed_meanwhile"
    assert "Gao Yan" in answer.json()["text"]


@on_any_database
async def test_versions_are_compared_and_an_older_one_is_taken_again(plant):
    form = await form_of(plant, MACHINE_2)
    form[f"after.{step_after(form, 5)}"] = ["3"]
    done(await presses(plant, MACHINE_2, form | {"also": ["quality"]}, "publish"))

    page = await plant.sees("/ladders/machine/versions", by="Zhao Min")
    assert "2 · Nobody accepts · after 3 min" in page.text
    assert "2 · Nobody accepts · after 5 min" in page.text
    assert "Zhao Min" in page.text
    assert len(await plant.db.read(flows.versions, "quality")) == 2, "for other kinds of problems too"

    done(await plant.posts("/ladders/machine/versions/1", {}, by="Zhao Min"))

    versions = await plant.db.read(flows.versions, "machine")
    assert [one.number for one in versions] == [3, 2, 1]
    assert versions[0].document["ladders"] == versions[2].document["ladders"]
    assert len(await plant.all(FlowVersion)) == 9 + 3


@on_any_database
async def test_a_route_sends_a_stations_trouble_to_somebody_else(plant):
    form = fields((await presses(plant, "/routes", await form_of(plant, "/routes"), "add")).text)
    form |= {
        "name.1": ["Press 7 has its own crew"],
        "place.1": [f"station={id_of('station', 'Press 7')}"],
        "category.1": ["machine"],
        "person.1": ["Ma Jun"],
    }
    tried = await presses(plant, "/routes", form, "check")
    assert "What it would change" in tried.text
    done(await presses(plant, "/routes", fields(tried.text), "publish"))

    await plant.worker_reports("Press 7")
    assert plant.ringing() == {"Ma Jun", "Wang Lei"}
    plant.all_quiet()
    await plant.worker_reports("Oven 1")
    assert plant.ringing() == {"Li Wei", "Sun Hao", "Liu Yang"}

    page = await plant.sees("/routes/versions", by="Wang Lei")
    assert "Press 7 has its own crew · Press 7 · Machine → Ma Jun" in page.text
