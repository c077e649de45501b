"""Small servers, and what they do not allow: they are served in full, and nothing of ours is left behind on them."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.capture.sources import opcua
from app.machines.rules import GOOD
from tests.machines.ear import listening, until
from tests.machines.limited import Limited
from tests.machines.wire import Wire

TAGS = {f"T{n}": float(n) for n in range(250)}
DROPS = 100


@pytest.fixture
def machine() -> Iterator[Any]:
    with ExitStack() as stack:
        yield lambda tags=TAGS, **limits: stack.enter_context(Limited(tags, **limits))


@pytest.mark.parametrize("named", [100, 0])
async def test_a_hundred_items_a_call_are_enough_named_or_not(machine, named):
    small = machine(items=100, named=named)
    async with listening(small.url, *map(small.node, TAGS)) as ear:
        await until(lambda: ear.connected)

        assert {tag: ear.value(tag) for tag in TAGS} == TAGS
        for tag in ("T0", "T249"):
            small.set(tag, 777.0)
        await until(lambda: (ear.value("T0"), ear.value("T249")) == (777.0, 777.0))
        assert ear.faults == []


@pytest.mark.parametrize("publishes", [1, 2])
async def test_few_publish_requests_are_enough(machine, publishes):
    small = machine(publishes=publishes)
    async with listening(small.url, *map(small.node, TAGS)) as ear:
        await until(lambda: ear.connected)
        for tag in TAGS:
            small.set(tag, TAGS[tag] + 1000)
        await until(lambda: {tag: ear.value(tag) for tag in TAGS} == {tag: value + 1000 for tag, value in TAGS.items()})

        assert ear.faults == []


async def test_one_session_is_enough_and_the_second_client_is_told_why_it_waits(machine):
    small = machine(sessions=1)
    async with listening(small.url, small.node("T1")) as first:
        await until(lambda: first.connected)
        async with listening(small.url, small.node("T1")) as second:
            await until(lambda: second.faults)
            assert set(second.faults) == {"source.full"}

    async with listening(small.url, small.node("T1")) as next_one:
        await until(lambda: next_one.connected)


@pytest.mark.slow
async def test_a_hundred_unclean_drops_leave_no_session_behind(machine, monkeypatch):
    monkeypatch.setattr(opcua, "SESSION_TIMEOUT", 1000)
    small = machine({"Temp": 20.0})
    async with Wire(small.port) as wire:
        async with listening(wire.url, small.node("Temp")) as ear:
            for drop in range(DROPS):
                await until(lambda drop=drop: ear.connected and len(ear.faults) >= drop)
                wire.tear()
                await until(lambda drop=drop: len(ear.faults) > drop)
                ear.link.kick.set()
            await until(lambda: ear.connected)
            await until(lambda: small.held() == 1)

            small.set("Temp", 21.0)
            await until(lambda: ear.value("Temp") == 21.0)

        await until(lambda: small.held() == 0)


def test_what_we_leave_behind_in_a_crash_is_gone_within_half_a_minute():
    assert opcua.SESSION_TIMEOUT <= 30_000


async def test_a_full_queue_is_counted_and_said_and_the_values_are_read_again(machine):
    small = machine(queue=3)
    with capture_logs() as logs:
        async with listening(small.url, small.node("T1"), small.node("T2"), publishing_ms=500) as ear:
            await until(lambda: ear.connected)
            for number in range(100):
                small.set("T1", 1000.0 + number)

            await until(lambda: ear.link.overflows)
            told = len([1 for tag, _ in ear.samples if tag == "T2"])
            await until(lambda: len([1 for tag, _ in ear.samples if tag == "T2"]) > told or told > 1)
            await until(lambda: ear.value("T1") == 1099.0)

            assert ear.quality("T1") is GOOD
            assert ear.faults == []
    assert any(entry["event"] == "source.changes_lost" and entry["times"] > 0 for entry in logs)
