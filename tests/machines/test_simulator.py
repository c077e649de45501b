"""The demonstration plant's machines: healthy, told to misbehave, and well again."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from app.kit.clock import utcnow
from app.kit.ids import new_id
from app.machines.condition_models import Act
from app.machines.conditions import Errand
from app.machines.demo import DEMO_ALARM, DEMO_TAGS, culprit
from app.machines.rules import GOOD, Kind, Rule, Sample, State, evaluate
from tests.machines.ear import listening, until
from workers import simulator


@asynccontextmanager
async def simulated(**how: float) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ready = asyncio.Event()
    task = asyncio.create_task(simulator.serve("127.0.0.1", port, ready=ready, **how))
    async with asyncio.timeout(60):
        await ready.wait()
    try:
        yield f"opc.tcp://127.0.0.1:{port}"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_healthy_misbehaving_and_well_again():
    tag = culprit(3)
    async with (
        simulated(beat=0.05, recovers_after=1.0) as url,
        listening(url, *(tag.node for tag in DEMO_TAGS)) as ear,
    ):
        await until(lambda: len(ear.last) == len(DEMO_TAGS))
        assert all(sample.quality is GOOD for sample in ear.last.values())

        await simulator.misbehave(url, tag.node, tag.abnormal)
        await until(lambda: ear.value(tag.path) > 85)
        await until(lambda: ear.value(tag.path) < 70)

        await simulator.misbehave(url, culprit(12).node, culprit(12).abnormal)
        await until(lambda: ear.value(culprit(12).path) is False)

        with pytest.raises(LookupError):
            await simulator.misbehave(url, "nsu=urn:pullcord:demo-plant;s=Nowhere", 1.0)
        with pytest.raises(LookupError):
            await simulator.misbehave(url, "nsu=urn:unknown;s=Nowhere", 1.0)


async def test_its_own_alarm_is_raised_acknowledged_and_put_right():
    async with simulated(beat=0.05, recovers_after=0.5) as url, listening(url, conditions=True) as ear:
        await until(lambda: ear.connected)
        await simulator.misbehave(url, DEMO_ALARM.node, True)
        raised = await until(lambda: [told for told in ear.told if told.active])
        assert (raised[0].source_name, raised[0].message) == (DEMO_ALARM.place, DEMO_ALARM.message)

        answer = Errand(new_id(), raised[0].node, raised[0].event_id, Act.ACKNOWLEDGE, "Li Wei #1001")
        assert await ear.link.conditions.send(answer) == "Good"

        await until(lambda: ear.told[-1].active is False)
        assert [told.acked for told in ear.told] == [False, True, True]
        assert ear.told[1].comment == "Li Wei #1001"


async def test_nobody_there_to_misbehave():
    with pytest.raises(OSError):
        await simulator.misbehave("opc.tcp://127.0.0.1:1", culprit().node, 1.0)


def _verdicts(tag, value) -> set[Kind]:
    """Which rules of the tag call this value abnormal, once their delays are over."""
    now, found = utcnow(), set()
    for made in tag.rules:
        rule = Rule(new_id(), made.kind, made.setpoint, made.deadband, active_when=made.active_when)
        _, edge = evaluate(rule, State(), Sample(value, GOOD, now), now=now)
        found |= {made.kind} if edge else set()
    return found


@pytest.mark.parametrize("tag", DEMO_TAGS, ids=lambda tag: tag.path)
def test_a_healthy_machine_raises_nothing_and_an_unhealthy_one_does(tag):
    around = [tag.normal] if isinstance(tag.normal, bool) else [tag.normal - tag.swing, tag.normal + tag.swing]

    assert [_verdicts(tag, value) for value in around] == [set()] * len(around)
    assert len(_verdicts(tag, tag.abnormal)) == 1
    bent = (
        tag.abnormal
        if isinstance(tag.abnormal, bool)
        else tag.abnormal + tag.swing * (1 if tag.abnormal < tag.normal else -1)
    )
    assert len(_verdicts(tag, bent)) == 1


def test_every_station_has_something_to_misbehave_and_names_in_both_languages():
    assert {tag.station for tag in DEMO_TAGS} == set(range(1, 13))
    assert all(culprit(number).station == number for number in range(1, 13))
    assert len({tag.node for tag in DEMO_TAGS}) == len(DEMO_TAGS)
    assert all(set(tag.names) == {"en", "zh"} and all(tag.names.values()) for tag in DEMO_TAGS)
    with pytest.raises(LookupError):
        culprit(13)
