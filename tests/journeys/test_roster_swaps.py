"""A colleague takes a shift over because they say yes to it, on their phone."""

from datetime import date

from app.dispatch import swap_news
from app.rosters.models import Duty, Swap
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


async def test_who_agreed_is_called_instead(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", MONDAY))
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", TUESDAY))
    done(await asks(plant, "Li Wei", "Sun Hao"))
    assert "Li Wei asks you" in (await plant.sees("/roster/mine", by="Sun Hao")).text

    done(await answers(plant, "Sun Hao", "agreement"))
    await plant.waits(hours=5)  # three in the afternoon
    await plant.worker_reports("Press 7")

    assert "Sun Hao" in plant.ringing()
    assert "Li Wei" not in plant.ringing()


async def test_a_swap_is_told_to_the_phones_once(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", MONDAY))
    done(await asks(plant, "Li Wei", "Sun Hao"))

    await tells(plant)
    await tells(plant)
    assert plant.phone_of("Sun Hao") == ["Li Wei asks you to take a shift | late on 11-23. Say yes or no."]

    done(await answers(plant, "Sun Hao", "agreement"))
    await tells(plant)
    await tells(plant)
    assert plant.phone_of("Li Wei") == ["Sun Hao takes your shift | late on 11-23. You are off."]
    assert plant.rings() == {"Sun Hao": 1, "Li Wei": 1}


@on_any_database
async def test_nobody_hears_of_a_swap_hours_later(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", TUESDAY))
    done(await asks(plant, "Li Wei", "Sun Hao"))

    await plant.stands_still(hours=2)
    await tells(plant)

    assert plant.rings() == {}


@on_any_database
async def test_who_says_no_changes_nothing(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", MONDAY))
    done(await asks(plant, "Li Wei", "Sun Hao"))

    done(await answers(plant, "Sun Hao", "refusal"))

    [duty] = await plant.all(Duty)
    assert duty.person_id == id_of("person", "Li Wei")
    assert refused(await answers(plant, "Sun Hao", "agreement")) == "rosters.answered"


@on_any_database
async def test_what_was_withdrawn_cannot_be_agreed_to(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", MONDAY))
    done(await asks(plant, "Li Wei", "Sun Hao"))
    done(await answers(plant, "Li Wei", "withdrawal"))

    assert refused(await answers(plant, "Sun Hao", "agreement")) == "rosters.answered"
    done(await asks(plant, "Li Wei", "Ma Jun"))


@on_any_database
async def test_only_who_is_asked_answers_and_only_who_asked_withdraws(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", MONDAY))
    assert refused(await asks(plant, "Sun Hao", "Ma Jun")) == "rosters.not_yours"
    done(await asks(plant, "Li Wei", "Sun Hao"))

    for name, word in (
        ("Li Wei", "agreement"),
        ("Ma Jun", "agreement"),
        ("Wang Lei", "refusal"),
        ("Sun Hao", "withdrawal"),
    ):
        assert refused(await answers(plant, name, word)) == "rosters.not_yours"
    assert refused(await asks(plant, "Li Wei", "Ma Jun")) == "rosters.already_asked"


@on_any_database
async def test_nobody_is_asked_who_cannot(plant):
    for name, shift, day in (("Li Wei", "late", MONDAY), ("Sun Hao", "late", MONDAY), ("Ma Jun", "night", MONDAY)):
        await plant.changes(lambda session, one=(name, shift, day): factories.duty(session, *one))
    away = {"person_id": id_of("person", "He Fang"), "first_day": "2026-11-20", "last_day": "2026-11-23"}
    done(await plant.posts("/roster/absences", away, by="He Fang"))

    assert refused(await asks(plant, "Li Wei", "Li Wei")) == "rosters.asked_yourself"
    assert refused(await asks(plant, "Li Wei", "Sun Hao")) == "rosters.works_already"
    assert refused(await asks(plant, "Li Wei", "He Fang")) == "rosters.is_away"
    done(await asks(plant, "Li Wei", "Ma Jun"))  # from two till six in the morning, but not at once


async def test_who_was_put_into_another_shift_meanwhile_cannot_agree(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", MONDAY))
    done(await asks(plant, "Li Wei", "Sun Hao"))
    await plant.changes(lambda session: factories.duty(session, "Sun Hao", "late", MONDAY))

    assert refused(await answers(plant, "Sun Hao", "agreement")) == "rosters.works_already"


@on_any_database
async def test_what_has_begun_stays(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "early", MONDAY))
    assert refused(await asks(plant, "Li Wei", "Sun Hao")) == "rosters.begun"

    await plant.changes(lambda session: factories.duty(session, "Sun Hao", "late", MONDAY))
    done(await asks(plant, "Sun Hao", "Ma Jun"))
    await plant.waits(hours=4)
    assert refused(await answers(plant, "Ma Jun", "agreement")) == "rosters.begun"


@on_any_database
async def test_a_duty_that_is_planned_away_takes_its_request_along(plant):
    await plant.changes(lambda session: factories.duty(session, "Li Wei", "late", MONDAY))
    done(await asks(plant, "Li Wei", "Sun Hao"))
    sheet = {"text": "Name\t11/23\nLi Wei\t\n", "publish": "yes"}

    done(await plant.posts("/roster/import", sheet, by="Wang Lei"))

    assert await plant.all(Swap) == []


async def tells(plant):
    """What the dispatch loop does once a second."""
    given = {"now": plant.now, "channels": plant.channels}
    if await plant.db.read(swap_news.swaps_untold, **given):
        await plant.db.write(swap_news.tell_swaps, **given)
    await plant.settles()


async def asks(plant, name, colleague):
    """Ask about the first duty of somebody, or of Li Wei where they have none."""
    duties = await plant.all(Duty)
    own = [duty for duty in duties if duty.person_id == id_of("person", name)] or duties
    form = {"duty_id": own[0].id, "to_id": id_of("person", colleague)}
    return await plant.posts("/roster/swaps", form, by=name)


async def answers(plant, name, word):
    swap = max(await plant.all(Swap), key=lambda one: one.asked_at)
    return await plant.posts(f"/roster/swaps/{swap.id}/{word}", {}, by=name)
