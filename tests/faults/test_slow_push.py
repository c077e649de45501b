"""A push service that does not answer holds up nobody else's phone."""

import asyncio

import aiohttp
from sqlmodel import select

from app.channels.hosts import PushHosts
from app.channels.registry import build_channels
from app.channels.subscription import check_subscription
from app.dispatch import plans
from app.dispatch.models import Delivery
from app.people.addresses import keep_address
from app.people.models import Address, Person
from tests.factories import id_of
from tests.journeys.harness import done
from tests.processes import until_true
from tests.push.phone import Phone
from tests.push.service import PushService
from workers import deliver

MANY = deliver.HANDS + 36


async def test_everybody_else_rings_at_once(plant):
    with PushService(tls=False) as silent:
        silent.silent = True
        slow = await rings_through(silent, plant, "Li Wei")
        plant.loops_run = False
        report = await plant.worker_reports("Press 7")

        await plant.dispatches()
        await plant.deliverer.step()
        await until_true(lambda: plant.rings("Sun Hao", "Wang Lei") == {"Sun Hao": 1, "Wang Lei": 1})

        assert slow.rang() == []
        assert plant.deliverer.sending
        done(await plant.accepts("Sun Hao", report.anomaly))
        silent.stop()
        await asyncio.gather(*plant.deliverer.sending)


async def test_a_dead_service_with_many_phones_holds_up_nobody_either(plant):
    with PushService(tls=False) as silent:
        silent.silent = True
        await has_phones(plant, silent, "Zhao Min", MANY)
        plant.loops_run = False
        await plant.deliverer.step()
        await until_true(lambda: len(silent.callers) == deliver.HANDS)

        await plant.worker_reports("Press 7")
        await plant.dispatches()
        await plant.deliverer.step()
        await until_true(lambda: plant.rings("Sun Hao", "Wang Lei") == {"Sun Hao": 1, "Wang Lei": 1})

        assert len(plant.deliverer.sending) >= MANY
        silent.stop()
        await asyncio.gather(*plant.deliverer.sending)


async def test_a_dead_service_is_left_alone_and_everything_goes_out_when_it_is_back(plant, monkeypatch):
    monkeypatch.setattr(deliver, "SLOW", 0.1)
    with PushService(tls=False) as service:
        service.silent = True
        phones = await has_phones(plant, service, "Zhao Min", MANY)
        plant.deliverer.channels["webpush"]._patience = aiohttp.ClientTimeout(total=0.2)
        plant.loops_run = False

        await plant.delivers()

        assert (
            len(service.callers) <= deliver.HANDS + deliver.STRIKES
        )  # the others were not even tried: it was plain by then
        waiting = [d for d in await plant.all(Delivery) if d.error == deliver.RESTING]
        assert len(waiting) >= MANY - deliver.HANDS - deliver.STRIKES
        assert {d.attempts for d in waiting} == {0}

        service.silent = False
        plant.deliverer.lanes.clear()  # its rest is over
        plant.loops_run = True
        await plant.waits(minutes=2)

        assert [len(phone.rang()) for phone in phones] == [1] * MANY


async def has_phones(plant, service: PushService, name: str, many: int) -> list[Phone]:
    """Give somebody many phones that are called through another push service, and let each be tested."""
    await calls_through(plant, service)
    phones = [Phone(service) for _ in range(many)]
    targets = [check_subscription(phone.subscribe(plant.vapid_key), hosts(plant, service)) for phone in phones]

    def add(session) -> None:
        person = session.get_one(Person, id_of("person", name))
        for target in targets:
            unique = str(target["endpoint"])
            address = keep_address(session, person, "webpush", target, unique=unique, label="", now=plant.now)
            plans.plan_test(session, person, now=plant.now, address_id=address.id)

    await plant.changes(add)
    return phones


async def rings_through(service: PushService, plant, name: str) -> Phone:
    """Give somebody a phone that is called through another push service."""
    phone = Phone(service)
    target = check_subscription(phone.subscribe(plant.vapid_key), hosts(plant, service))

    def moves(session) -> None:
        address = session.exec(select(Address).where(Address.person_id == plant.id_of(name))).one()
        address.target = target
        session.add(address)

    await plant.changes(moves)
    await calls_through(plant, service)
    return phone


async def calls_through(plant, service: PushService) -> None:
    places = [plant.push.place, service.place]
    await plant.calls_through(build_channels(plant.settings.model_copy(update={"push_hosts": places})))


def hosts(plant, service: PushService) -> PushHosts:
    return PushHosts([plant.push.place, service.place])
