"""Lights follow what is open, from what is on disk alone: written again after every loss of anybody."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from app.dispatch.models import Outlet
from app.kit.secret import keep, seal
from tests.channels.broker import USER, MqttBroker
from tests.factories import id_of
from tests.journeys.harness import on_any_database
from workers import lights

pytestmark = on_any_database
TOPIC = "plant/line3/red"


@pytest.fixture
async def broker(tmp_path):
    async with MqttBroker(tmp_path) as broker:
        yield broker


@pytest.fixture
async def lamp(plant, broker):
    """A red light for the whole plant."""
    return await plant.changes(lambda session: hang_lamp(session, plant, broker))


def hang_lamp(session, plant, broker):
    target = {"url": f"mqtt://{USER}:s3cret%2Fwith%3Asigns@127.0.0.1:{broker.port}", "topic": TOPIC}
    made = Outlet(
        site_id=id_of("site", "Suzhou"),
        channel="mqtt",
        name="Red light",
        target=seal(secret_of(plant), target),
        from_rung=False,
        created_at=plant.now,
    )
    session.add(made)
    return made.id


def secret_of(plant):
    return keep(plant.settings.data_dir / "secret.key")


@asynccontextmanager
async def kept(plant):
    """The loop, as a worker process runs it."""
    stop = asyncio.Event()
    running = asyncio.create_task(lights.main(plant.db, secret_of(plant), stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def test_it_is_on_while_somebody_is_called_and_off_when_somebody_has_accepted(plant, broker, lamp):
    async with broker.ear(TOPIC) as ear, kept(plant):
        await ear.hears("OFF")
        report = await plant.worker_reports("Press 7")
        await ear.hears("ON")

        await plant.accepts("Li Wei", report.anomaly)
        await ear.hears("OFF")


async def test_it_stays_on_until_the_last_of_two_is_taken(plant, broker, lamp):
    first, second = await plant.worker_reports("Press 7"), await plant.worker_reports("Press 8")
    async with broker.ear(TOPIC) as ear, kept(plant):
        await ear.hears("ON")
        await plant.accepts("Li Wei", first.anomaly)
        assert [light.on for light in await plant.db.read(lights.lights.lights)] == [True]

        await plant.accepts("Li Wei", second.anomaly)
        await ear.hears("OFF")


async def test_accepted_while_everything_was_down_it_goes_off_at_the_next_start(plant, broker, lamp):
    report = await plant.worker_reports("Press 7")
    async with broker.ear(TOPIC) as ear:
        async with kept(plant):
            await ear.hears("ON")
        await plant.accepts("Li Wei", report.anomaly)

        async with kept(plant):
            await ear.hears("OFF")


async def test_a_broker_that_comes_back_is_told_again(plant, broker, lamp, monkeypatch):
    monkeypatch.setattr(lights, "FIRST_REST", 0.05)
    await plant.worker_reports("Press 7")
    async with kept(plant):
        async with broker.ear(TOPIC) as ear:
            await ear.hears("ON")
        await broker.stop()
        await broker.start()

        async with broker.ear(TOPIC) as ear:
            await ear.hears("ON")


async def test_a_siren_sounds_when_the_ladder_names_it_and_not_before(plant, broker, lamp):
    def is_a_siren(session):
        session.get_one(Outlet, lamp).from_rung = True

    await plant.changes(is_a_siren)
    async with broker.ear(TOPIC) as ear, kept(plant):
        await plant.worker_reports("Press 7")
        await ear.hears("OFF")
        assert [light.on for light in await plant.db.read(lights.lights.lights)] == [False]

        await plant.waits(minutes=5)
        await ear.hears("ON")


async def test_a_light_that_was_taken_down_is_left_alone(plant, broker, lamp):
    async with broker.ear(f"{TOPIC}/alive") as ear, kept(plant):
        await ear.hears("1")

        def take_down(session):
            session.get_one(Outlet, lamp).gone_at = plant.now

        await plant.changes(take_down)
        await ear.hears("0")
