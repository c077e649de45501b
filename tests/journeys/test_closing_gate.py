"""What came from a machine is in order when the machine says so, or when somebody says why it does not."""

from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from app.machines.models import AlarmRule, AlarmState, LinkState, Source, Tag
from app.machines.rules import Kind
from app.resolve import actions as resolve
from tests.factories import id_of
from tests.journeys.harness import done, refused

REASON = "The sensor is broken, measured by hand"


async def fixed(plant) -> UUID:
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.is_fixed_by("Li Wei", anomaly)
    return anomaly


def _turns(state: LinkState, **values):
    def turn(session: Session) -> None:
        source = session.get_one(Source, id_of("source", "PLC"))
        source.state = state
        for name, value in values.items():
            setattr(source, name, value)
        session.add(source)

    return turn


def _signal_is_lost(session: Session) -> None:
    rule = AlarmRule(tag_id=id_of("tag", "Press 7 overheating"), kind=Kind.STALE, on_delay_s=30)
    session.add(rule)
    session.flush()
    session.add(AlarmState(rule_id=rule.id, active=True, changes=1))


def _gets_a_unit(session: Session) -> None:
    tag = session.get_one(Tag, id_of("tag", "Press 7 overheating"))
    tag.unit, tag.names = "°C", {"en": "Spindle temperature", "zh": "主轴温度"}
    session.add(tag)


async def test_the_refusal_names_the_tag_its_value_and_its_limit(plant):
    await plant.changes(_gets_a_unit)
    anomaly = await fixed(plant)

    answer = await plant.verifies("Wang Lei", anomaly)

    assert answer.status_code == 409
    assert refused(answer) == "resolve.still_abnormal"
    assert answer.json()["text"].startswith("Spindle temperature is still abnormal: 99 °C (limit 80 °C). ")
    assert (await plant.card(anomaly)).status == "resolved"


async def test_the_button_is_grey_and_says_why_until_it_is_normal(plant):
    await plant.changes(_gets_a_unit)
    anomaly = await fixed(plant)

    page = (await plant.sees(f"/anomalies/{anomaly}", by="Wang Lei")).text
    assert "Spindle temperature: 99 °C (limit 80 °C)" in page
    assert " disabled>" in page
    assert "It works, whatever the machine says" in page

    await plant.machine_is_normal("Press 7", "overheating")
    page = (await plant.sees(f"/anomalies/{anomaly}", by="Wang Lei")).text
    assert " disabled>" not in page
    assert "whatever the machine says" not in page
    done(await plant.verifies("Wang Lei", anomaly))


async def test_an_override_needs_a_reason_is_written_down_and_counted(plant):
    anomaly = await fixed(plant)
    assert refused(await plant.verifies("Wang Lei", anomaly, override="  ")) == "resolve.still_abnormal"

    done(await plant.verifies("Wang Lei", anomaly, override=REASON))

    told = {event.kind: event for event in await plant.timeline(anomaly)}
    assert told["verify"].details["override"] == REASON
    assert told["override"].by == "Wang Lei"
    assert told["override"].details["abnormal"] == [
        {"tag": {"en": "overheating", "zh": "overheating"}, "value": "99", "limit": "80", "stale": False}
    ]
    page = (await plant.sees(f"/anomalies/{anomaly}", by="Chen Jing")).text
    assert "Said to work although the machine says otherwise" in page
    assert "overheating: 99 (limit 80)" in page
    since = plant.now - timedelta(days=30)
    assert await plant.db.read(resolve.overrides, id_of("station", "Press 7"), since=since) == 1
    shown = (await plant.sees(f"/anomalies/{anomaly}/resolution/latest", by="Chen Jing")).text
    assert "1 time" in shown


async def test_a_reason_where_none_is_needed_is_no_override(plant):
    anomaly = await fixed(plant)
    await plant.machine_is_normal("Press 7", "overheating")

    done(await plant.verifies("Wang Lei", anomaly, override=REASON))

    assert "override" not in await plant.events(anomaly)


async def test_of_a_lost_signal_nobody_can_say_that_it_is_normal(plant):
    anomaly = await fixed(plant)
    await plant.machine_is_normal("Press 7", "overheating")
    await plant.changes(_signal_is_lost)

    answer = await plant.verifies("Wang Lei", anomaly)

    assert (answer.status_code, refused(answer)) == (409, "resolve.signal_lost")
    assert answer.json()["text"].startswith("Nothing fresh is known of overheating; its last value was ")
    done(await plant.verifies("Wang Lei", anomaly, override=REASON))


async def test_a_source_that_is_away_or_watched_by_nobody_counts_as_lost(plant):
    anomaly = await fixed(plant)
    await plant.machine_is_normal("Press 7", "overheating")

    await plant.changes(_turns(LinkState.RETRYING))
    assert refused(await plant.verifies("Wang Lei", anomaly)) == "resolve.signal_lost"
    await plant.changes(_turns(LinkState.CONNECTED, lease_until=plant.now - timedelta(minutes=6)))
    assert refused(await plant.verifies("Wang Lei", anomaly)) == "resolve.signal_lost"
    await plant.changes(_turns(LinkState.CONNECTED, lease_until=plant.now + timedelta(seconds=5)))
    done(await plant.verifies("Wang Lei", anomaly))


async def test_another_alarm_of_the_same_tag_keeps_it_closed_too(plant):
    anomaly = await fixed(plant)
    await plant.machine_is_normal("Press 7", "overheating")

    def too_cold(session: Session) -> None:
        rule = AlarmRule(tag_id=id_of("tag", "Press 7 overheating"), kind=Kind.LOW, setpoint=25.0)
        session.add(rule)
        session.flush()
        session.add(AlarmState(rule_id=rule.id, active=True, value="20", changes=1))

    await plant.changes(too_cold)

    answer = await plant.verifies("Wang Lei", anomaly)
    assert answer.json()["text"].startswith("overheating is still abnormal: 20 (limit 25). ")


async def test_the_reporter_cannot_confirm_it_either(plant):
    report = await plant.worker_reports("Press 7")
    anomaly = await plant.machine_reports("Press 7", "overheating")
    assert anomaly == report.anomaly
    await plant.is_fixed_by("Li Wei", anomaly)

    assert refused(await plant.posts(f"{report.receipt}/confirmation", {"works": "yes"})) == "resolve.still_abnormal"


async def test_the_refusal_speaks_the_readers_language(plant):
    await plant.changes(_gets_a_unit)
    await plant.speaks("Wang Lei", "zh")
    anomaly = await fixed(plant)

    assert "主轴温度" in (await plant.verifies("Wang Lei", anomaly)).json()["text"]
