"""Stack lights and sirens over MQTT, against a real broker."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
import trustme

from app.channels.base import Undeliverable
from app.channels.light import Wanted
from app.channels.mqtt import REFUSED, UNREACHABLE, UNTRUSTED, BadLight, Lamp, Mqtt
from tests.channels.broker import PASSWORD, USER, MqttBroker
from tests.channels.letters import message

TOPIC = "plant/line3/red"
SECRET = "s3cret%2Fwith%3Asigns"


@pytest.fixture
async def broker(tmp_path):
    async with MqttBroker(tmp_path) as broker:
        yield broker


def lamp(broker, scheme="mqtt", **more):
    return {"url": f"{scheme}://{USER}:{SECRET}@127.0.0.1:{broker.port}", "topic": TOPIC, **more}


@asynccontextmanager
async def held(target, wanted):
    holding = asyncio.create_task(Mqtt().hold(target, wanted))
    yield holding
    holding.cancel()
    with suppress(asyncio.CancelledError, Undeliverable):
        await holding


async def test_a_call_switches_it_on_and_whoever_comes_later_sees_it(broker):
    await Mqtt().send(message(), lamp(broker))

    async with broker.ear(TOPIC) as ear:
        await ear.hears("ON")


async def test_a_held_light_follows_what_is_wanted(broker):
    wanted = Wanted(True)
    async with broker.ear(TOPIC) as ear, held(lamp(broker, on="1", off="0"), wanted):
        await ear.hears("1")
        wanted.be(False)
        await ear.hears("0")


async def test_a_held_light_is_put_right_when_somebody_else_switches_it(broker):
    async with broker.ear(TOPIC) as ear, held(lamp(broker), Wanted(False)):
        await ear.hears("OFF")
        await ear.client.publish(TOPIC, "ON", qos=1, retain=True)
        await ear.hears("ON")
        await ear.hears("OFF")


async def test_the_plant_can_tell_that_pullcord_is_gone(broker):
    async with broker.ear(f"{TOPIC}/alive") as ear:
        async with held(lamp(broker), Wanted(False)):
            await ear.hears("1")
            await ear.client.publish(f"{TOPIC}/alive", "0", qos=1, retain=True)  # another one's last will
            await ear.hears("0")
            await ear.hears("1")
        await ear.hears("0")


async def test_a_lost_connection_ends_the_holding_and_the_next_one_writes_the_state_again(broker):
    wanted = Wanted(True)
    async with held(lamp(broker), wanted) as holding:
        async with broker.ear(TOPIC) as ear:
            await ear.hears("ON")
        await broker.stop()
        with pytest.raises(Undeliverable) as lost:
            await holding
    assert lost.value.retry_after

    await broker.start()
    async with broker.ear(TOPIC) as ear, held(lamp(broker), wanted):
        await ear.hears("ON")


async def test_a_wrong_password_is_a_sentence(broker):
    target = lamp(broker) | {"url": f"mqtt://{USER}:wrong@127.0.0.1:{broker.port}"}

    with pytest.raises(Undeliverable) as refusal:
        await Mqtt().send(message(), target)

    assert refusal.value.reason == REFUSED
    assert PASSWORD not in str(refusal.value)


async def test_nobody_there_is_a_sentence_and_it_is_tried_again(broker):
    await broker.stop()

    with pytest.raises(Undeliverable) as refusal:
        await Mqtt().send(message(), lamp(broker))

    assert (refusal.value.reason, refusal.value.retry_after) == (UNREACHABLE, 5)
    await broker.start()


async def test_over_tls_only_the_plants_own_authority_is_believed(tmp_path):
    authority = trustme.CA()
    pem = authority.cert_pem.bytes().decode()
    async with MqttBroker(tmp_path, tls=authority) as broker:
        await Mqtt().send(message(), lamp(broker, "mqtts", authority=pem))
        with pytest.raises(Undeliverable) as refusal:
            await Mqtt().send(message(), lamp(broker, "mqtts"))

    assert refusal.value.reason == UNTRUSTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://broker"},
        {"url": "mqtt://"},
        {"url": "mqtt://broker:port"},
        {"topic": ""},
        {"topic": "plant/+/red"},
        {"topic": "plant/#"},
    ],
)
def test_what_cannot_be_a_light_is_refused_before_it_is_stored(wrong):
    with pytest.raises(BadLight):
        Lamp.of({"url": "mqtt://broker", "topic": TOPIC} | wrong)
