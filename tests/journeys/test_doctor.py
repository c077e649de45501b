"""The phone check: runs for anybody, keeps names and figures only, and is opened by an administrator with its code."""

import pytest
from sqlmodel import Session

from app.people.checks import KEPT, forget_old_checks
from app.people.models import PhoneCheck
from app.people.phonecheck import ROWS
from tests.journeys.harness import done, on_any_database, refused

ALL_RIGHT = {key: {"said": "ok"} for key in ROWS}


async def test_anybody_may_run_it(plant):
    for name in ("", "Ma Jun"):
        shown = await plant.sees("/doctor", by=name)

        assert shown.status_code == 200
        assert "Does this phone ring?" in shown.text
        assert all(f'data-check="{key}"' in shown.text for key in ROWS)


async def test_the_administrator_opens_it_by_the_code_that_was_read_out(plant):
    code = await finds(plant, "Wang Lei", push={"said": "ok", "value": 1.8}, camera={"said": "denied"})

    opened = await plant.sees(f"/doctor/open?code=+{code[:3].lower()}+{code[3:]}", by="Gao Yan")
    shown = (await plant.sees(opened.headers["location"], by="Gao Yan")).text

    assert "Wang Lei" in shown
    assert "1.8 s from Pullcord to this screen" in shown
    assert "allow the camera" in shown
    assert "Runs" in shown
    assert "Does not start" not in shown


async def test_who_is_not_signed_in_gets_a_code_too(plant):
    code = await finds(plant, "", push={"said": "login"})

    assert "Nobody was signed in" in (await plant.sees(f"/doctor/{code}", by="Gao Yan")).text


async def test_only_administrators_open_results(plant):
    code = await finds(plant, "Ma Jun")

    answers = [await plant.sees(f"/doctor/{code}", by=name) for name in ("Ma Jun", "Wang Lei", "Zhao Min")]

    assert {answer.status_code for answer in answers} == {403}
    assert (await plant.sees(f"/doctor/{code}")).headers["location"].startswith("/login")


async def test_a_code_nobody_has_says_so(plant):
    answer = await plant.sees("/doctor/ZZZZZZ", by="Gao Yan", accept="application/json")

    assert refused(answer) == "people.unknown_check"


async def test_chat_is_bound_or_not_or_unknown(plant):
    assert 'data-chat="login"' in (await plant.sees("/doctor")).text
    assert 'data-chat="unbound"' in (await plant.sees("/doctor", by="Ma Jun")).text


async def test_results_are_forgotten_after_a_month(plant):
    await finds(plant, "Ma Jun")

    def later(session: Session) -> int:
        return forget_old_checks(session, now=plant.now + KEPT)

    assert await plant.changes(later) == 1
    assert await plant.all(PhoneCheck) == []


@on_any_database
@pytest.mark.parametrize(
    "found",
    [
        {},
        {"push": {"said": "ok"}},
        ALL_RIGHT | {"tea": {"said": "ok"}},
        ALL_RIGHT | {"push": {"said": "<b>Call 110</b>"}},
        ALL_RIGHT | {"push": {"said": "ok", "value": 1e99}},
        ALL_RIGHT | {"push": {"said": "ok", "value": "soon"}},
        ALL_RIGHT | {"push": "ok"},
    ],
)
async def test_a_stranger_cannot_write_to_the_administrator(plant, found):
    answer = await sends(plant, "", found)

    assert refused(answer) in ("people.bad_check", "pullcord.bad_input")
    assert await plant.all(PhoneCheck) == []


@on_any_database
async def test_nobody_fills_the_house_with_results(plant):
    answers = [await sends(plant, "", ALL_RIGHT) for _ in range(25)]

    assert refused(answers[-1]) == "pullcord.too_many"
    assert len(await plant.all(PhoneCheck)) == 20


async def finds(plant, name, **found):
    return done(await sends(plant, name, ALL_RIGHT | found)).json()["code"]


async def sends(plant, name, found):
    headers = plant._as(name) | {"accept": "application/json"}
    return await plant.http.post("/doctor/checks", json={"found": found}, headers=headers)
