"""From a value in a machine to an anomaly in the queue, with everything real in between.

Long because all these promises share one machine, which is slow to start.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.capture.sources import alarms
from app.kit.clock import utcnow
from app.kit.db import Database
from app.machines import actions
from app.machines.models import AlarmRule, LinkState, Source, Tag
from app.plant.models import Station
from tests.machines.oven import Oven
from tests.machines.plant import Plant, lay_out
from workers import machines, outbox
from workers.machines import Keeper

HOT = {"setpoint": 80.0, "deadband": 5.0}


@pytest.fixture(scope="module")
def mortal() -> Iterator[Oven]:
    with Oven({"Temp": 20.0, "Door": False}) as started:
        yield started


@pytest.fixture
def oven(mortal: Oven) -> Oven:
    """The machine, alive and well."""
    if not mortal.alive:
        mortal.tags = {"Temp": 20.0, "Door": False}
        mortal.start()
    mortal.set("Temp", 20.0)
    mortal.set("Door", False)
    return mortal


@pytest.fixture
async def plant(db: Database, oven: Oven) -> Plant:
    return await lay_out(db, oven.url)


@asynccontextmanager
async def keeping(db: Database, holder: str | None = None) -> AsyncIterator[Keeper]:
    """A worker at its work."""
    keeper, stop = Keeper(db, holder), asyncio.Event()
    task = asyncio.create_task(machines.keep(keeper, db, stop=stop))
    try:
        yield keeper
    finally:
        stop.set()
        await task


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "RENEW_EVERY", timedelta(seconds=0.1))
    monkeypatch.setattr(machines, "LOOK_EVERY", timedelta(seconds=0.1))
    monkeypatch.setattr(machines, "REST_S", 0.05)


async def eventually(look: Any, expected: Any, *, within: float = 15) -> None:
    """Poll until what is asked for is so; show both when it never is."""
    found = None
    try:
        async with asyncio.timeout(within):
            while (found := await look()) != expected:
                await asyncio.sleep(0.02)
    except TimeoutError:
        assert found == expected


async def connected(plant: Plant) -> None:
    async def state() -> LinkState:
        return (await plant.source()).state

    await eventually(state, LinkState.CONNECTED)


async def test_a_limit_left_is_an_anomaly_and_its_return_is_told(plant, oven):
    rule_id = await plant.watch("Temp", "high", **HOT, severity=2, component="spindle")
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Temp", 92.5)
        await eventually(plant.signals, [("alarm", "Temp too high: 92.5 °C (limit 80)")])
        oven.set("Temp", 78.0)
        oven.set("Temp", 93.0)
        oven.set("Temp", 60.0)
        await eventually(
            plant.signals,
            [
                ("alarm", "Temp too high: 92.5 °C (limit 80)"),
                ("return_to_normal", "Temp is back to normal: 60 °C"),
            ],
        )

    (anomaly,) = await plant.anomalies()
    assert (anomaly.severity, anomaly.origin, anomaly.station_id) == (2, "machine", plant.station_id)
    rise, back = await plant.occurrences()
    assert rise.details["message"] == {"en": "Temp too high: 92.5 °C (limit 80)", "zh": "Temp过高：92.5 °C（限值 80）"}
    assert (rise.details["value"], rise.details["unit"], rise.details["limit"]) == ("92.5", "°C", 80.0)
    assert (rise.rule_id, back.rule_id) == (rule_id, rule_id)
    state = await plant.state(rule_id)
    assert (state.active, state.changes, state.value, state.status) == (False, 2, "60", "Good")


async def test_a_further_rise_is_one_more_occurrence_of_the_same_anomaly(plant, oven):
    await plant.watch("Door", "discrete", message={"en": "Door open"})
    async with keeping(plant.db):
        await connected(plant)
        for value in (True, False, True):
            oven.set("Door", value)

        await eventually(
            plant.signals,
            [("alarm", "Door open"), ("return_to_normal", "Door is back to normal: False °C"), ("alarm", "Door open")],
        )

    (anomaly,) = await plant.anomalies()
    assert anomaly.occurrences == 2


async def test_a_steady_value_rises_when_its_delay_is_over(plant, oven):
    await plant.watch("Temp", "high", **HOT, on_delay_s=0.4)
    async with keeping(plant.db):
        await connected(plant)
        before = utcnow()
        oven.set("Temp", 92.0)
        await eventually(plant.signals, [("alarm", "Temp too high: 92 °C (limit 80)")])

    (rise,) = await plant.occurrences()
    assert rise.received_at - before >= timedelta(seconds=0.4)
    assert rise.occurred_at - before < timedelta(seconds=0.3)


async def test_what_rose_and_cleared_while_the_machine_was_away_is_known_when_it_is_back(plant, oven):
    temp = await plant.watch("Temp", "high", **HOT)
    door = await plant.watch("Door", "discrete", message={"en": "Door open"})
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Temp", 92.0)
        await eventually(plant.signals, [("alarm", "Temp too high: 92 °C (limit 80)")])

        oven.kill()
        oven.tags |= {"Temp": 20.0, "Door": True}
        oven.start()

        async def active() -> tuple[bool, bool]:
            return (await plant.state(temp)).active, (await plant.state(door)).active

        async def connected_again() -> bool:
            return (await plant.source()).reconnects >= 2

        await eventually(active, (False, True))
        await eventually(connected_again, True)  # written down with the next look at how the link is

    _, *found = await plant.occurrences()
    assert {(row.kind, row.details.get("after_gap")) for row in found} == {("return_to_normal", True), ("alarm", True)}


async def test_what_cleared_while_no_worker_was_there_is_known_and_nothing_is_told_twice(plant, oven):
    await plant.watch("Temp", "high", **HOT)
    await plant.watch("Door", "discrete", message={"en": "Door open"})
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Temp", 92.0)
        oven.set("Door", True)
        await eventually(lambda: _count(plant), 2)
    assert (await plant.source()).lease_by is None

    oven.set("Temp", 20.0)
    async with keeping(plant.db):
        await eventually(lambda: _count(plant), 3)
        await connected(plant)

    assert sorted(kind for kind, _ in await plant.signals()) == ["alarm", "alarm", "return_to_normal"]


async def test_a_lost_signal_is_an_anomaly_and_its_return_is_told(plant, oven):
    await plant.watch("Temp", "high", **HOT)
    await plant.watch("Temp", "stale", on_delay_s=0.3)
    async with keeping(plant.db):
        await connected(plant)
        oven.kill()
        await eventually(plant.signals, [("alarm", "No signal from Temp")])
        assert (await plant.source()).fault in ("source.nothing_there", "source.lost", "source.shut_down")
        oven.start()
        await eventually(
            plant.signals, [("alarm", "No signal from Temp"), ("return_to_normal", "The signal of Temp is back")]
        )
        await connected(plant)
        assert (await plant.source()).fault == ""


async def test_all_lost_signals_of_a_station_are_one_anomaly(plant, oven):
    for tag in ("Temp", "Door", "Missing"):
        await plant.watch(tag, "stale", on_delay_s=0.2)
    async with keeping(plant.db):
        await connected(plant)
        oven.kill()
        await eventually(lambda: _count(plant), 3)

    (anomaly,) = await plant.anomalies()
    assert anomaly.occurrences == 3


async def test_a_tag_that_does_not_exist_says_so_and_hides_no_other(plant, oven):
    await plant.watch("Missing", "bad_status", on_delay_s=0.1)
    await plant.watch("Temp", "high", **HOT)
    async with keeping(plant.db):
        await eventually(plant.signals, [("alarm", "Missing gives no valid value (BadNodeIdUnknown)")])
        oven.set("Temp", 92.0)
        await eventually(lambda: _count(plant), 2)


@pytest.mark.parametrize(
    ("value", "kind"), [("hot", "String"), (float("nan"), "Double"), (True, "Boolean"), ([20.0], "Double")]
)
async def test_a_value_that_is_none_clears_nothing_and_is_told_as_bad(plant, oven, value, kind):
    temp = await plant.watch("Temp", "high", **HOT)
    await plant.watch("Temp", "bad_status")
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Temp", 92.0)
        await eventually(lambda: _count(plant), 1)
        oven.set("Temp", value, kind=kind)
        await eventually(lambda: _count(plant), 2)

    assert (await plant.signals())[1] == ("alarm", "Temp gives no valid value (BadTypeMismatch)")
    assert (await plant.state(temp)).active


async def test_every_watched_tag_gets_an_alarm_for_its_signal_unless_somebody_decided(plant, oven):
    await plant.watch("Temp", "high", **HOT)
    await plant.watch("Door", "discrete")
    await plant.watch("Door", "bad_status", enabled=False)
    await plant.watch("Unwatched", "high", **HOT, enabled=False)
    async with keeping(plant.db):
        await connected(plant)

    def signal_alarms(session: Any) -> list[tuple[str, float]]:
        from sqlmodel import col, select

        found = select(Tag.names, AlarmRule.on_delay_s).join(AlarmRule, col(AlarmRule.tag_id) == col(Tag.id))
        return [(n["en"], s) for n, s in session.exec(found.where(AlarmRule.kind == "stale"))]

    assert await plant.db.read(signal_alarms) == [("Temp", actions.SIGNAL_LOST_AFTER)]


async def test_changed_settings_count_without_a_restart(plant, oven):
    hot = await plant.watch("Temp", "high", **HOT)
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Temp", 70.0)

        await plant.change(AlarmRule, hot, setpoint=65.0)
        await eventually(lambda: _count(plant), 1)
        await plant.change(AlarmRule, hot, enabled=False)
        await eventually(lambda: _count(plant), 2)
        assert (await plant.signals())[1] == ("return_to_normal", "Temp is not watched any more")

        await plant.watch("Door", "discrete")
        oven.set("Door", True)
        await eventually(lambda: _count(plant), 3)


async def test_a_source_switched_off_is_left_alone_and_watched_again_when_switched_on(plant, oven):
    await plant.watch("Temp", "high", **HOT)
    async with keeping(plant.db) as keeper:
        await connected(plant)
        await plant.change(Source, plant.source_id, enabled=False)
        await eventually(lambda: _watchers(keeper), 0)
        source = await plant.source()
        assert (source.state, source.lease_by) == (LinkState.IDLE, None)

        await plant.change(Source, plant.source_id, enabled=True)
        await connected(plant)


async def test_settings_that_cannot_be_read_need_a_person(plant, oven):
    good = (await plant.source()).settings
    await plant.change(Source, plant.source_id, settings={"publishing": "fast"})
    async with keeping(plant.db):

        async def how() -> tuple[LinkState, str]:
            source = await plant.source()
            return source.state, source.fault

        await eventually(how, (LinkState.NEEDS_PERSON, "source.bad_settings"))
        await plant.change(Source, plant.source_id, settings=good)
        await eventually(how, (LinkState.CONNECTED, ""))


async def test_a_person_can_have_it_tried_now(plant, oven):
    await plant.change(Source, plant.source_id, url="opc.tcp://nowhere", settings={})
    async with keeping(plant.db) as keeper:

        async def fault() -> str:
            return (await plant.source()).fault

        await eventually(fault, "source.bad_address")
        link = keeper.watchers[plant.source_id]._link
        tries: list[object] = []
        link._until_lost, before = lambda session: tries.append(session) or before(session), link._until_lost
        await plant.db.write(actions.try_now, plant.source_id, now=utcnow())

        async def tried() -> int:
            return len(tries)

        await eventually(tried, 1)


async def test_a_rule_that_cannot_work_blinds_no_other(plant, oven):
    await plant.watch("Temp", "high", setpoint=None)
    await plant.watch("Temp", "high", **HOT)
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Temp", 92.0)
        await eventually(lambda: _count(plant), 1)


async def test_one_source_has_one_worker_and_the_other_takes_over_when_it_dies(plant, oven, monkeypatch):
    monkeypatch.setattr(actions, "LEASE", timedelta(seconds=1))
    await plant.watch("Door", "discrete", message={"en": "Door open"})
    dying = Keeper(plant.db, "first")
    await dying.step()
    await connected_by(plant, dying)
    oven.set("Door", True)
    await eventually(lambda: _count(plant), 1)

    async with keeping(plant.db, "second") as second:
        assert await _watchers(second) == 0
        dying.watchers[plant.source_id]._task.cancel()  # no farewell: the process is gone
        oven.set("Door", False)
        await eventually(lambda: _count(plant), 2)
        assert (await plant.source()).lease_by == "second"

    assert [kind for kind, _ in await plant.signals()] == ["alarm", "return_to_normal"]


async def test_who_has_lost_the_lease_stores_nothing(plant, oven):
    await plant.watch("Door", "discrete")
    frozen = Keeper(plant.db, "frozen")
    await frozen.step()
    await connected_by(plant, frozen)
    await plant.change(Source, plant.source_id, lease_by="other", lease_until=datetime(2100, 1, 1, tzinfo=UTC))

    oven.set("Door", True)

    async def ended() -> bool:
        return frozen.watchers[plant.source_id].ended

    await eventually(ended, True)
    assert await plant.signals() == []
    await frozen.step()
    assert frozen.watchers == {} or frozen.watchers[plant.source_id].ended


async def test_an_edge_and_what_is_known_of_it_are_stored_together_or_not_at_all(plant, oven, monkeypatch):
    rule_id = await plant.watch("Door", "discrete")
    failed: list[object] = []
    receive = alarms.receive

    def fail_at_first(*args: Any, **kwargs: Any) -> Any:
        answers = receive(*args, **kwargs)
        if len(failed) < 6:
            failed.append((args, kwargs))
            raise OperationalError("disk full", {}, Exception())
        return answers

    monkeypatch.setattr(alarms, "receive", fail_at_first)
    monkeypatch.setattr(outbox, "RETRY_S", 0.01)
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Door", True)
        await eventually(lambda: _count(plant), 1)

    assert len(failed) == 6
    assert (await plant.state(rule_id)).changes == 1


async def test_an_edge_that_can_never_be_stored_stops_no_other(plant, oven, monkeypatch):
    poison = await plant.watch("Temp", "high", **HOT)
    await plant.watch("Door", "discrete")
    record = alarms.record

    def choke(session: Any, source_id: Any, holder: str, edges: Any, *, now: datetime) -> None:
        if any(edge.alarm.rule.id == poison for edge in edges):
            raise ValueError("cannot be stored")
        record(session, source_id, holder, edges, now=now)

    monkeypatch.setattr(alarms, "record", choke)
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Temp", 92.0)
        oven.set("Door", True)
        await eventually(lambda: _count(plant), 1)


async def test_a_station_that_is_gone_stops_no_other(plant, oven):
    rule_id = await plant.watch("Door", "discrete")
    await plant.change(Station, plant.station_id, retired_at=utcnow())
    async with keeping(plant.db):
        await connected(plant)
        oven.set("Door", True)

        async def known() -> bool:
            return (await plant.state(rule_id)).active

        await eventually(known, True)
    assert await plant.signals() == []


async def connected_by(plant: Plant, keeper: Keeper) -> None:
    async def state() -> LinkState:
        await keeper.step()
        return (await plant.source()).state

    await eventually(state, LinkState.CONNECTED)


async def _count(plant: Plant) -> int:
    return len(await plant.occurrences())


async def _watchers(keeper: Keeper) -> int:
    return len(keeper.watchers)
