"""How I am called is mine to say: on which phones, over what first, when not, and who stands in."""

import re
from datetime import time

import pytest
from pydantic import SecretStr

from app.people.models import Address, Person
from tests.journeys.harness import done, on_any_database, refused
from tests.push.phone import Phone


async def test_what_i_wish_is_kept_and_shown(plant):
    deputy = plant.id_of("Ma Jun")
    form = {"calls": "1", "quiet_from": "22:00", "quiet_until": "06:30", "deputy": deputy}

    done(await plant.posts("/me/calls", form, by="Wang Lei"))

    wang = await me(plant, "Wang Lei")
    assert (wang.calls_muted, wang.news_muted, wang.deputy_id) == (False, True, deputy)
    assert (wang.quiet_from, wang.quiet_until) == (time(22), time(6, 30))
    page = (await plant.sees("/me", by="Wang Lei")).text
    assert 'value="22:00"' in page
    assert re.search(rf'value="{deputy}" selected', page)
    assert "Severity 1 rings all the same" in page


async def test_quiet_hours_and_deputy_can_be_taken_back(plant):
    form = {"calls": "1", "news": "1", "quiet_from": "22:00", "quiet_until": "06:30", "deputy": plant.id_of("Ma Jun")}
    done(await plant.posts("/me/calls", form, by="Wang Lei"))

    done(await plant.posts("/me/calls", {"calls": "1", "news": "1"}, by="Wang Lei"))

    wang = await me(plant, "Wang Lei")
    assert (wang.quiet_from, wang.quiet_until, wang.deputy_id, wang.news_muted) == (None, None, None, False)


@on_any_database
@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"quiet_from": "22:00"}, "people.half_quiet"),
        ({"quiet_until": "22:00"}, "people.half_quiet"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "people.half_quiet"),
        ({"quiet_from": "late", "quiet_until": "early"}, "pullcord.bad_input"),
        ({"deputy": "somebody"}, "people.no_deputy"),
        ({"deputy": "00000000-0000-0000-0000-000000000000"}, "people.no_deputy"),
    ],
)
async def test_what_cannot_be_meant_changes_nothing(plant, form, code):
    assert refused(await plant.posts("/me/calls", form, by="Wang Lei")) == code

    assert not (await me(plant, "Wang Lei")).calls_muted


@on_any_database
async def test_nobody_stands_in_for_themselves(plant):
    form = {"deputy": plant.id_of("Wang Lei")}

    assert refused(await plant.posts("/me/calls", form, by="Wang Lei")) == "people.no_deputy"


async def test_my_order_of_channels_is_mine(plant):
    await plant.changes(lambda session: _has_email(session, plant.id_of("Wang Lei")))
    assert await ways(plant, "Wang Lei") == ["my phones", "e-mail"]

    done(await plant.posts("/me/ways", {"up": "email"}, by="Wang Lei"))

    assert await ways(plant, "Wang Lei") == ["e-mail", "my phones"]
    for nonsense in ("email", "pigeon", ""):
        done(await plant.posts("/me/ways", {"up": nonsense}, by="Wang Lei"))
    assert (await me(plant, "Wang Lei")).ways == ["email", "webpush"]


async def test_my_devices_say_when_they_last_displayed_something(plant):
    assert "has not displayed anything yet" in (await plant.sees("/me", by="Wang Lei")).text

    await plant.worker_reports("Press 7")
    phone = plant.phones["Wang Lei"]
    done(await plant.taps(phone.displays(phone.shown()[-1])))

    assert "last displayed 10:00" in (await plant.sees("/me", by="Wang Lei")).text


async def test_at_every_opening_the_phone_is_seen_again(plant):
    phone = Phone(plant.push)
    sent = {"kind": "webpush", "subscription": phone.subscribe(plant.vapid_key), "label": "A phone"}
    first = done(await tells(plant, "Wang Lei", sent)).json()
    await plant.waits(hours=5)

    again = done(await tells(plant, "Wang Lei", sent | {"renewal": True})).json()

    assert (again["state"], again["id"]) == ("live", first["id"])
    assert {a.seen_at for a in await plant.all(Address) if str(a.id) == first["id"]} == {plant.now}


async def test_an_address_the_push_service_let_go_is_made_anew(plant):
    phone = plant.phones["Wang Lei"]
    dead = {"kind": "webpush", "subscription": await target(plant, "Wang Lei"), "renewal": True}
    phone.unsubscribe()
    await plant.worker_reports("Press 7")

    assert done(await tells(plant, "Wang Lei", dead)).json()["state"] == "gone"
    fresh = {"kind": "webpush", "subscription": phone.subscribe(plant.vapid_key), "renewal": True}
    assert done(await tells(plant, "Wang Lei", fresh)).json()["state"] == "live"

    plant.all_quiet()
    await plant.worker_reports("Press 8")
    assert plant.rings("Wang Lei") == {"Wang Lei": 1}


async def test_a_phone_taken_off_the_list_stays_silent_until_somebody_turns_it_on(plant):
    phone = Phone(plant.push)
    sent = {"kind": "webpush", "subscription": phone.subscribe(plant.vapid_key), "label": "Old phone"}
    address = done(await tells(plant, "Wang Lei", sent)).json()["id"]
    done(await plant.posts(f"/addresses/{address}/removal", {}, by="Wang Lei"))

    for name in ("Wang Lei", "Ma Jun"):
        assert done(await tells(plant, name, sent | {"renewal": True})).json()["state"] == "removed"
    await plant.worker_reports("Press 7")
    assert phone.rang() == []

    assert done(await tells(plant, "Wang Lei", sent)).json()["state"] == "live"
    await plant.worker_reports("Press 8")
    assert len(phone.rang()) == 1


@pytest.mark.parametrize("named_by", ["id", "endpoint"])
async def test_a_new_address_takes_the_place_of_the_old_one(plant, named_by):
    phone = Phone(plant.push)
    sent = {"kind": "webpush", "subscription": phone.subscribe(plant.vapid_key), "label": "My phone"}
    old = done(await tells(plant, "Wang Lei", sent)).json()["id"]
    replaces = old if named_by == "id" else sent["subscription"]["endpoint"]

    fresh = {"kind": "webpush", "subscription": phone.subscribe(plant.vapid_key), "replaces": replaces}
    done(await tells(plant, "Wang Lei", fresh))

    page = (await plant.sees("/me", by="Wang Lei")).text
    assert page.count("My phone") == 1
    assert [a.gone_at for a in await plant.all(Address) if str(a.id) == old] == [plant.now]


@on_any_database
async def test_nobody_replaces_somebody_elses_phone(plant):
    [theirs] = [a for a in await plant.all(Address) if a.person_id == plant.id_of("Li Wei")]
    fresh = {"subscription": Phone(plant.push).subscribe(plant.vapid_key), "replaces": str(theirs.id)}

    done(await tells(plant, "Ma Jun", {"kind": "webpush"} | fresh))
    await plant.worker_reports("Press 7")

    assert plant.rings("Li Wei") == {"Li Wei": 1}


async def test_my_number_is_called_over_both_and_only_the_last_one(plant, monkeypatch):
    for name in ("sms_url", "voice_url", "ntfy_url"):
        monkeypatch.setattr(plant.settings, name, SecretStr("set"))

    for number in ("138 1234 5678", "+49 171 1234567"):
        done(await plant.posts("/me/numbers", {"number": number, "topic": "wang-lei-7"}, by="Wang Lei"))
    done(await plant.posts("/me/numbers", {"number": "+49 171 1234567"}, by="Ma Jun"))

    assert await typed(plant, "Wang Lei") == {
        "sms": {"number": "+491711234567"}, "voice": {"number": "+491711234567"}, "ntfy": {"topic": "wang-lei-7"},
    }  # fmt: skip
    assert (await typed(plant, "Ma Jun")).keys() == {"sms", "voice"}, "what is typed takes nothing from anybody"
    assert await ways(plant, "Wang Lei") == ["my phones", "ntfy", "text message", "phone call"]

    done(await plant.posts("/me/numbers", {"number": "", "topic": ""}, by="Wang Lei"))
    assert await typed(plant, "Wang Lei") == {}


async def test_a_number_that_cannot_be_called_changes_nothing(plant, monkeypatch):
    monkeypatch.setattr(plant.settings, "sms_url", SecretStr("set"))
    done(await plant.posts("/me/numbers", {"number": "13812345678"}, by="Wang Lei"))

    refused(await plant.posts("/me/numbers", {"number": "call me"}, by="Wang Lei"))

    assert await typed(plant, "Wang Lei") == {"sms": {"number": "+8613812345678"}}


@on_any_database
async def test_what_the_plant_cannot_call_is_not_asked_for(plant):
    assert 'name="number"' not in (await plant.sees("/me", by="Wang Lei")).text


async def typed(plant, name):
    mine = [a for a in await plant.all(Address) if a.person_id == plant.id_of(name) and not a.gone_at]
    return {a.channel: a.target for a in mine if a.channel != "webpush"}


async def tells(plant, name, sent):
    return await plant.http.post("/addresses", json=sent, headers=plant._as(name) | {"accept": "application/json"})


async def target(plant, name):
    [address] = [a for a in await plant.all(Address) if a.person_id == plant.id_of(name)]
    return address.target


async def ways(plant, name):
    page = (await plant.sees("/me", by=name)).text
    return re.findall(r"<strong>\d</strong> ([\w -]+)</span>", page)


async def me(plant, name):
    return await plant.db.read(lambda session: session.get_one(Person, plant.id_of(name)))


def _has_email(session, person_id):
    person = session.get_one(Person, person_id)
    person.email = "wang.lei@plant.example"
    session.add(person)
