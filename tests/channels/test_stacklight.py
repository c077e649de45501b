"""Stack lights that are a tag of a controller, against a real OPC UA server in a process of its own."""

import asyncio
from contextlib import suppress

import pytest

from app.channels import stacklight
from app.channels.base import Undeliverable
from app.channels.light import Wanted
from app.channels.mqtt import BadLight
from app.channels.stacklight import Lamp, StackLight
from tests.channels.letters import message
from tests.machines.oven import Oven

TAGS = {"Lamp": False, "Colour": 0, "Name": "a light", "Other": False}


@pytest.fixture(scope="module")
def controller():
    with Oven(TAGS) as oven:
        yield oven


def lamp(controller, tag="Lamp", **more):
    return {"url": controller.url, "node": Oven.node(tag), "confirmed": ["Gao Yan", "Gao Yan"], **more}


async def refused(controller, target):
    with pytest.raises(Undeliverable) as refusal:
        await StackLight().send(message(), target)
    return refusal.value.reason


async def test_a_call_switches_one_tag_on_and_no_other(controller):
    await StackLight().send(message(), lamp(controller))

    assert await reads(controller, "Lamp") is True
    assert await reads(controller, "Other") is False


async def test_an_integer_gets_the_values_that_were_confirmed(controller):
    await StackLight().send(message(), lamp(controller, "Colour", on="3", off="1"))

    assert await reads(controller, "Colour") == 3


@pytest.mark.parametrize("confirmed", [None, [], ["Gao Yan"], "twice"])
async def test_nothing_is_written_that_was_not_confirmed_twice(controller, confirmed):
    controller.set("Other", False)
    before = controller.sessions()

    assert await refused(controller, lamp(controller, "Other", confirmed=confirmed)) == stacklight.UNCONFIRMED
    assert controller.sessions() == before
    assert await reads(controller, "Other") is False


async def test_a_text_is_no_light(controller):
    assert await refused(controller, lamp(controller, "Name")) == stacklight.WRONG_KIND
    assert await reads(controller, "Name") == "a light"


@pytest.mark.parametrize("node", ["nsu=urn:test:oven;s=Nothing", "nsu=urn:nobody;s=Lamp", "s=", "ns=x;s=1"])
async def test_an_unknown_tag_is_a_sentence(controller, node):
    assert await refused(controller, lamp(controller, node=node)) == stacklight.NO_NODE


async def test_a_held_light_is_put_right_when_a_person_switches_it_off(controller, monkeypatch):
    monkeypatch.setattr(stacklight, "LOOK_AGAIN", 0.05)
    wanted = Wanted(True)
    holding = asyncio.create_task(StackLight().hold(lamp(controller), wanted))
    await until(controller, "Lamp", True)

    controller.set("Lamp", False)
    await until(controller, "Lamp", True)
    wanted.be(False)
    await until(controller, "Lamp", False)

    holding.cancel()
    with suppress(asyncio.CancelledError):
        await holding


async def test_a_controller_that_is_away_is_a_sentence_and_it_is_tried_again():
    with Oven({"Lamp": False}) as controller:
        holding = asyncio.create_task(StackLight().hold(lamp(controller), Wanted(True)))
        await until(controller, "Lamp", True)
        controller.kill()
        with pytest.raises(Undeliverable) as lost:
            await holding
        assert (lost.value.reason, lost.value.retry_after) == (stacklight.UNREACHABLE, 5)

        controller.start()
        await StackLight().send(message(), lamp(controller))
        assert await reads(controller, "Lamp") is True


@pytest.mark.parametrize(
    "wrong", [{"url": "http://controller"}, {"url": "opc.tcp://"}, {"node": "Lamp"}, {"on": "yes"}, {"on": 1, "off": 1}]
)
def test_what_cannot_be_a_light_is_refused_before_it_is_stored(wrong):
    with pytest.raises(BadLight):
        Lamp.of({"url": "opc.tcp://controller", "node": "ns=2;s=Lamp"} | wrong)


async def reads(controller, tag):
    from asyncua import Client

    async with Client(controller.url) as client:
        number = await client.get_namespace_index("urn:test:oven")
        return await client.get_node(f"ns={number};s={tag}").read_value()


async def until(controller, tag, value):
    async with asyncio.timeout(15):
        while await reads(controller, tag) != value:
            pass
