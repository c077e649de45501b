"""One link to a real OPC UA server: what is told of values, whatever the server does to them."""

from datetime import timedelta
from math import isnan, nan

import pytest

from app.capture.sources import opcua
from app.capture.sources.opcua import node_id
from app.kit.clock import utcnow
from app.machines.rules import BAD, GOOD
from tests.machines.ear import listening, until
from tests.machines.oven import URI


async def test_a_change_is_told_with_the_moment_it_happened(oven):
    async with listening(oven.url, oven.node("Temp"), oven.node("Door")) as ear:
        await until(lambda: ear.connected)
        assert (ear.value("Temp"), ear.value("Door")) == (20.0, False)

        oven.set("Temp", 91.5, age=3)
        await until(lambda: ear.value("Temp") == 91.5)

        sample = ear.last["Temp"]
        assert sample.quality is GOOD
        assert timedelta(seconds=2.5) < utcnow() - sample.at < timedelta(seconds=10)
        oven.set("Temp", 20.0)


async def test_a_pulse_shorter_than_the_publishing_interval_is_seen(oven):
    async with listening(oven.url, oven.node("Door"), publishing_ms=500) as ear:
        await until(lambda: ear.connected)
        for value in (True, False, True, False):
            oven.set("Door", value)

        await until(lambda: [s.value for _, s in ear.samples][-4:] == [True, False, True, False])


async def test_the_first_values_are_marked_as_found_not_as_seen_happening(oven):
    async with listening(oven.url, oven.node("Temp")) as ear:
        await until(lambda: ear.connected and ear.samples)
        assert ear.samples[0][1].after_gap

        oven.set("Temp", 33.0)
        await until(lambda: ear.value("Temp") == 33.0)
        assert not ear.last["Temp"].after_gap


@pytest.mark.parametrize(
    ("status", "quality"),
    [
        ("BadSensorFailure", BAD),
        ("BadNoCommunication", BAD),
        ("UncertainLastUsableValue", BAD),
        ("UncertainSensorNotAccurate", GOOD),
        ("GoodClamped", GOOD),
    ],
)
async def test_the_servers_word_for_a_value_is_kept(oven, status, quality):
    async with listening(oven.url, oven.node("Temp")) as ear:
        await until(lambda: ear.connected)
        oven.set("Temp", 44.0, status=status)

        await until(lambda: "Temp" in ear.last and ear.last["Temp"].status == status)

        assert ear.quality("Temp") is quality
        oven.set("Temp", 20.0)


async def test_odd_values_pass_through_unharmed(oven):
    async with listening(oven.url, oven.node("Temp"), oven.node("Count")) as ear:
        await until(lambda: ear.connected)

        oven.set("Temp", nan)
        await until(lambda: isinstance(v := ear.value("Temp"), float) and isnan(v))
        oven.set("Temp", "hot", kind="String")
        await until(lambda: ear.value("Temp") == "hot")
        oven.set("Temp", [1.0, 2.0], kind="Double")
        await until(lambda: ear.value("Temp") == [1.0, 2.0])
        oven.set("Temp", 20.0)
        await until(lambda: ear.value("Temp") == 20.0)

        assert ear.faults == []


async def test_tags_that_are_not_there_are_bad_and_the_others_live(oven):
    nodes = [oven.node("Temp"), oven.node("Nowhere"), "nsu=urn:not:here;s=Elsewhere", "no node id", ""]
    async with listening(oven.url, *nodes) as ear:
        await until(lambda: ear.connected and len(ear.last) == 5)

        assert ear.quality("Temp") is GOOD
        assert {s.status for tag, s in ear.last.items() if tag != "Temp"} == {"BadNodeIdUnknown"}
        oven.set("Temp", 55.0)
        await until(lambda: ear.value("Temp") == 55.0)


async def test_a_tag_that_goes_and_comes_back_is_watched_again(oven):
    oven.add("Visitor", 1.0)
    async with listening(oven.url, oven.node("Visitor"), reread_s=0.3) as ear:
        await until(lambda: ear.value("Visitor") == 1.0)

        oven.remove("Visitor")
        await until(lambda: ear.quality("Visitor") is BAD)
        oven.add("Visitor", 2.0)
        await until(lambda: ear.value("Visitor") == 2.0)

        oven.set("Visitor", 3.0)
        await until(lambda: ear.value("Visitor") == 3.0)
    oven.remove("Visitor")


async def test_reading_again_tells_every_value_though_nothing_changed(oven):
    async with listening(oven.url, oven.node("Temp"), oven.node("Door")) as ear:
        await until(lambda: ear.connected)
        told = len(ear.samples)

        ear.link.reread.set()

        await until(lambda: len(ear.samples) >= told + 2)


async def test_who_cannot_keep_up_slows_the_link_down_and_loses_nothing_of_the_end(oven, monkeypatch):
    monkeypatch.setattr(opcua, "MOST_WAITING", 10)
    async with listening(oven.url, oven.node("Count")) as ear:
        await until(lambda: ear.connected)
        ear.open.clear()
        for number in range(200):
            oven.set("Count", number)
        ear.open.set()

        await until(lambda: ear.value("Count") == 199)

        numbers = [s.value for _, s in ear.samples if isinstance(s.value, int)]
        assert numbers[-10:] == sorted(numbers[-10:])
        assert ear.faults == []


async def test_many_tags_are_asked_for_in_portions(oven, monkeypatch):
    monkeypatch.setattr(opcua, "CHUNK", 2)
    nodes = [oven.node("Temp"), oven.node("Door"), oven.node("Count"), "i=2258", "i=2259"]
    async with listening(oven.url, *nodes) as ear:
        await until(lambda: ear.connected and len(ear.last) == 5)

        assert all(sample.quality is GOOD for sample in ear.last.values())


async def test_when_we_leave_the_server_is_free_again(oven):
    async with listening(oven.url, oven.node("Temp")) as ear:
        await until(lambda: ear.connected)
        during = oven.sessions()

    await until(lambda: oven.sessions() < during)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"nsu={URI};s=Zone1.Temp", "ns=3;s=Zone1.Temp"),
        (f"nsu={URI};s=a;b=c;d", "ns=3;s=a;b=c;d"),
        (f"nsu={URI};i=42", "ns=3;i=42"),
        ("nsu=urn:has%3Bsemicolon;s=x", "ns=4;s=x"),
        ("ns=2;s=x", "ns=2;s=x"),
        ("i=2258", "i=2258"),
        ("nsu=urn:unknown;s=x", None),
        ("rubbish", None),
        ("ns=x;s=y", None),
        ("s", None),
        ("", None),
        ("nsu=", None),
        ("ns=2;i=notanumber", None),
    ],
)
def test_node_ids_keep_their_namespace_by_name(text, expected):
    found = node_id(text, {URI: 3, "urn:has;semicolon": 4})

    assert (found.to_string() if found else None) == expected
