"""An alarm that chatters is seen, calmed with one tap, and given back with another; nothing real is lost."""

import random
import re
from datetime import timedelta

import pytest

from app.capture.sources import alarms
from app.machines import history
from app.machines.models import AlarmRule, AlarmState
from app.machines.packing import pack_samples
from app.machines.replay import replay, spans
from app.machines.rules import GOOD, Sample
from app.machines.watch import Edge
from app.measure import queries
from app.measure.models import Tuning
from tests.factories import id_of
from tests.journeys.harness import HOLDER, done, on_any_database, refused

RULE, TAG = id_of("rule", "Press 7 overheating"), id_of("tag", "Press 7 overheating")


def text(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", done(answer).text).split())


async def has_chattered(plant) -> list[Sample]:
    """Two hours of a level a little under its limit, and one real event; all of it is kept."""
    chance = random.Random(4)
    begin = plant.now - timedelta(hours=2)
    values = [78.0 + chance.gauss(0, 1.0) for _ in range(7200)]
    values[4000:4300] = [86.0 + chance.gauss(0, 1.0) for _ in range(300)]
    samples = [Sample(value, GOOD, begin + timedelta(seconds=n)) for n, value in enumerate(values)]
    await plant.changes(lambda session: history.write(session, [pack_samples(TAG, samples)], now=plant.now))
    return samples


async def blinks(plant, times: int) -> None:
    for _ in range(times):
        await plant.machine_reports("Press 7", "overheating")
        plant.clock.time += timedelta(seconds=3)
        await plant.machine_is_normal("Press 7", "overheating")
        plant.clock.time += timedelta(seconds=4)


async def numbers(plant) -> tuple[float, float, float]:
    rule = await plant.db.read(lambda session: session.get_one(AlarmRule, RULE))
    return rule.deadband, rule.on_delay_s, rule.off_delay_s


async def record(plant, edges: list[Edge]) -> None:
    if edges:
        await plant.db.write(alarms.record, id_of("source", "PLC"), HOLDER, edges, now=plant.now)


def form(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(\w+)" value="([^"]+)"', page))


async def test_the_ten_worst_of_the_week_with_their_figures(plant):
    await blinks(plant, 6)
    await plant.machine_reports("Oven 1", "no coolant")

    page = await plant.sees("/alarms", by="Chen Jing")

    told = text(page)
    assert "7 alarms" in told
    assert "6 alarms this week, 86 % of all." in told
    assert "It chatters: three or more within a minute. 100 % of them were gone within 10 seconds." in told
    assert told.index("Overheating above 80") < told.index("No coolant below 10")
    assert "Alarms that chatter good: none 1 too many" in told
    assert "Li Wei" in told[told.index("Whose phone was called") :]
    assert page.text.count("<rect") >= 2


async def test_one_tap_calms_it_and_one_tap_takes_it_back(plant):
    samples = await has_chattered(plant)
    offered = await plant.sees(f"/alarms/{RULE}", by="Chen Jing", **{"hx-request": "true"})
    said = text(offered)
    found = re.search(r"would have removed (\d+) of (\d+) alarms", said)
    assert found
    assert int(found[1]) >= 0.9 * (int(found[2]) - 1)
    assert "The 1 real event would still be told" in said

    done(await plant.posts(f"/alarms/{RULE}/tuning", form(offered.text), by="Chen Jing", accept="text/html"))

    now_set = await numbers(plant)
    assert now_set != (0, 0, 0)
    rule = await plant.db.read(lambda session: queries.pure(session, session.get_one(AlarmRule, RULE)))
    assert len(spans(replay(rule, samples))) == int(found[2]) - int(found[1])
    after = text(await plant.sees(f"/alarms/{RULE}", by="Zhao Min"))
    assert "by Chen Jing" in after
    assert "Take it back" not in after, "a manager may look"

    done(await plant.posts(f"/alarms/{RULE}/tuning/end", {}, by="Gao Yan"))

    assert await numbers(plant) == (0, 0, 0)
    (tuning,) = await plant.all(Tuning)
    assert (tuning.by, tuning.ended_by) == ("Chen Jing", "Gao Yan")
    assert refused(await plant.posts(f"/alarms/{RULE}/tuning/end", {}, by="Gao Yan")) == "measure.nothing_to_take_back"


async def test_what_the_live_watch_says_afterwards_is_what_was_replayed(plant):
    samples = await has_chattered(plant)
    offered = form((await plant.sees(f"/alarms/{RULE}", by="Chen Jing")).text)
    done(await plant.posts(f"/alarms/{RULE}/tuning", offered, by="Chen Jing"))
    rule = await plant.db.read(lambda session: queries.pure(session, session.get_one(AlarmRule, RULE)))
    await plant.machine_shows("Press 7", "overheating", 20.0)  # the watch begins with the new numbers
    shift = timedelta(hours=3)

    for sample in samples[3900:4400]:
        plant.clock.time = sample.at + shift
        watch = plant._watch
        while watch.due is not None and watch.due <= plant.now:
            await record(plant, watch.tick(now=watch.due))
        await plant.machine_shows("Press 7", "overheating", sample.value)

    told = replay(rule, samples[3900:4400], until=samples[4399].at)
    state = await plant.db.read(lambda session: session.get_one(AlarmState, RULE))
    assert state.changes == len(told)
    assert state.changed_at == told[-1].at + shift


@on_any_database
async def test_who_may(plant):
    wanted = {"deadband": 1, "on_delay": 5, "off_delay": 0, "was_deadband": 0, "was_on_delay": 0, "was_off_delay": 0}

    assert refused(await plant.posts(f"/alarms/{RULE}/tuning", wanted, by="Zhao Min")) == "pullcord.not_allowed"
    assert (await plant.sees("/alarms", by="Wang Lei")).status_code == 403
    assert await numbers(plant) == (0, 0, 0)


@on_any_database
async def test_two_thumbs_and_somebody_else(plant):
    wanted = {"deadband": 1, "on_delay": 5, "off_delay": 0, "was_deadband": 0, "was_on_delay": 0, "was_off_delay": 0}

    done(await plant.posts(f"/alarms/{RULE}/tuning", wanted, by="Chen Jing"))
    done(await plant.posts(f"/alarms/{RULE}/tuning", wanted, by="Chen Jing"))

    assert len(await plant.all(Tuning)) == 1
    other = wanted | {"on_delay": 9}
    assert refused(await plant.posts(f"/alarms/{RULE}/tuning", other, by="Gao Yan")) == "measure.rule_changed"


@on_any_database
@pytest.mark.parametrize("wrong", ["nan", "-1", "inf", "1e300", "many"])
async def test_what_is_no_number_for_a_rule(plant, wrong):
    sent = {"deadband": 0, "on_delay": wrong, "off_delay": 0, "was_deadband": 0, "was_on_delay": 0, "was_off_delay": 0}

    refused(await plant.posts(f"/alarms/{RULE}/tuning", sent, by="Chen Jing"))

    assert await numbers(plant) == (0, 0, 0)


@on_any_database
async def test_a_week_without_alarms_says_so(plant):
    assert "No machine has raised an alarm this week." in text(await plant.sees("/alarms", by="Chen Jing"))


@on_any_database
async def test_without_kept_values_there_is_nothing_to_try_it_on(plant):
    said = text(await plant.sees(f"/alarms/{RULE}", by="Chen Jing"))

    assert "no values of this tag are kept" in said


async def test_an_alarm_that_stands_for_days_is_stale(plant):
    await plant.machine_reports("Press 7", "no coolant")
    await plant.waits(hours=25)

    told = text(await plant.sees("/alarms", by="Chen Jing"))

    assert "Standing for more than a day" in told
    assert "Alarms standing for more than a day good below 5 1 good" in told


async def test_a_rule_that_is_being_written_is_tried_on_the_past(plant):
    await has_chattered(plant)

    strict = text(await plant.sees(f"/alarms/back-test?tag={TAG}&kind=high&setpoint=80", by="Chen Jing"))
    loose = text(await plant.sees(f"/alarms/back-test?tag={TAG}&kind=high&setpoint=85&on_delay_s=10", by="Chen Jing"))

    assert re.search(
        r"Would have fired \d\d+ times in the last 2 hours, \d+ of them within a minute of another\.", strict
    )
    assert re.fullmatch(r"Would have fired \d times? in the last 2 hours.*\.", loose)


@on_any_database
async def test_one_source_alone(plant):
    await blinks(plant, 1)

    here = text(await plant.sees(f"/alarms?source={id_of('source', 'PLC')}", by="Chen Jing"))
    nowhere = text(await plant.sees("/alarms?source=none", by="Chen Jing"))

    assert "1 alarm this week" in here
    assert "1 alarm this week" not in nowhere


async def test_a_page_in_chinese(plant):
    await plant.speaks("Chen Jing", "zh")
    await blinks(plant, 3)

    assert "报警健康" in text(await plant.sees("/alarms", by="Chen Jing"))
