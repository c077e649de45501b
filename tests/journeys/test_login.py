"""Who am I: badge, or name and PIN; five wrong ones and the name is locked for a while."""

import asyncio

import pytest

from app.people.login import STAYS
from app.people.models import Login, Person
from app.people.routes import COOKIE
from tests import factories
from tests.factories import PIN
from tests.journeys.harness import done, on_any_database, refused


async def test_name_and_pin_open_the_queue(plant):
    answer = await logs_in(plant, "wang lei ", PIN)

    assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in (COOKIE, "HttpOnly", "SameSite=lax", "Path=/"))
    assert "Wang Lei" in (await plant.sees("/me", cookie=cookie.partition(";")[0])).text


@on_any_database
@pytest.mark.parametrize(
    ("name", "pin"), [("Wang Lei", "0000"), ("Wang Lei", ""), ("Nobody", PIN), ("", ""), ("王", "机")]
)
async def test_a_wrong_pin_and_an_unknown_name_are_answered_the_same(plant, name, pin):
    answer = await logs_in(plant, name, pin)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_after_five_wrong_pins_the_right_one_is_refused_for_ten_minutes_but_the_badge_works(plant):
    badge = await plant.changes(lambda session: factories.badge(session, "Wang Lei"))
    for _ in range(5):
        await logs_in(plant, "Wang Lei", "1111")

    assert refused(await logs_in(plant, "Wang Lei", PIN)) == "people.locked_out"
    done(await plant.posts(f"/b/{badge}", {}))
    await plant.waits(minutes=9, seconds=59)
    assert refused(await logs_in(plant, "Wang Lei", PIN)) == "people.locked_out"
    await plant.waits(seconds=1)

    assert (await logs_in(plant, "Wang Lei", PIN)).status_code == 303


async def test_a_right_pin_in_between_forgives_the_wrong_ones(plant):
    for pin in ("1", "2", "3", "4", PIN, "5", "6", "7", "8"):
        await logs_in(plant, "Wang Lei", pin)

    assert (await logs_in(plant, "Wang Lei", PIN)).status_code == 303


async def test_wrong_pins_count_also_when_they_come_all_at_once(plant):
    await asyncio.gather(*(logs_in(plant, "Wang Lei", "1111") for _ in range(10)))

    assert refused(await logs_in(plant, "Wang Lei", PIN)) == "people.locked_out"


async def test_opening_a_badges_address_logs_nobody_in(plant):
    badge = await plant.changes(lambda session: factories.badge(session, "Wang Lei"))
    before = len(await plant.all(Login))

    shown = await plant.sees(f"/b/{badge}")

    assert (shown.status_code, "set-cookie" in shown.headers) == (200, False)
    assert "Wang Lei" in shown.text
    assert len(await plant.all(Login)) == before


async def test_a_new_badge_makes_the_old_one_worthless(plant):
    lost = await plant.changes(lambda session: factories.badge(session, "Wang Lei"))
    await plant.changes(lambda session: factories.badge(session, "Wang Lei"))

    assert refused(await plant.posts(f"/b/{lost}", {})) == "people.unknown_badge"
    assert refused(await plant.posts("/b/none", {})) == "people.unknown_badge"


async def test_logged_out_the_cookie_is_worth_nothing(plant):
    cookie = (await logs_in(plant, "Wang Lei", PIN)).headers["set-cookie"].partition(";")[0]

    done(await plant.posts("/logout", {}, cookie=cookie))

    assert (await plant.sees("/me", cookie=cookie)).status_code in (303, 401)


async def test_a_session_ends_by_itself(plant):
    assert (await plant.sees("/me", by="Wang Lei")).status_code == 200

    await plant.waits(days=STAYS.days)

    assert (await plant.sees("/me", by="Wang Lei")).status_code in (303, 401)


async def test_who_has_left_is_out_at_once_and_is_called_no_more(plant):
    def leaves(session):
        person = session.get_one(Person, plant.id_of("Wang Lei"))
        person.left_at = plant.now
        session.add(person)

    await plant.changes(leaves)
    await plant.worker_reports("Press 7")

    assert (await plant.sees("/me", by="Wang Lei")).status_code in (303, 401)
    assert (await logs_in(plant, "Wang Lei", PIN)).status_code == 403
    assert plant.ringing() == {"Li Wei", "Sun Hao"}


async def test_a_manager_may_have_a_password_and_an_operator_may_not(plant):
    form = {"current": PIN, "password": "a long sentence"}

    done(await plant.posts("/me/password", form, by="Zhao Min"))

    assert (await logs_in(plant, "Zhao Min", "a long sentence")).status_code == 303
    assert (await logs_in(plant, "Zhao Min", PIN)).status_code == 303
    assert refused(await plant.posts("/me/password", form, by="Li Wei")) == "pullcord.not_allowed"
    assert refused(await plant.posts("/me/password", form | {"current": "x"}, by="Zhao Min")) == "people.wrong_login"
    assert refused(await plant.posts("/me/password", form | {"password": "x"}, by="Zhao Min")) == "people.weak_password"


@on_any_database
@pytest.mark.parametrize(
    "evil", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\n/x"]
)
async def test_after_the_login_nobody_is_sent_to_another_site(plant, evil):
    answer = await plant.posts("/login", {"name": "Wang Lei", "pin": PIN, "next": evil})

    assert (answer.status_code, answer.headers["location"]) == (303, "/queue")


async def logs_in(plant, name, pin):
    return await plant.posts("/login", {"name": name, "pin": pin})
