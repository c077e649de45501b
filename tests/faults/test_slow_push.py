"""A push service that does not answer holds up nobody else's phone."""

import asyncio

from sqlmodel import select

from app.channels.hosts import PushHosts
from app.channels.registry import build_channels
from app.channels.subscription import check_subscription
from app.people.models import Address
from tests.journeys.harness import done
from tests.processes import until_true
from tests.push.phone import Phone
from tests.push.service import PushService


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


async def rings_through(service: PushService, plant, name: str) -> Phone:
    """Give somebody a phone that is called through another push service."""
    hosts, phone = [plant.push.place, service.place], Phone(service)
    target = check_subscription(phone.subscribe(plant.vapid_key), PushHosts(hosts))

    def moves(session) -> None:
        address = session.exec(select(Address).where(Address.person_id == plant.id_of(name))).one()
        address.target = target
        session.add(address)

    await plant.changes(moves)
    await plant.calls_through(build_channels(plant.settings.model_copy(update={"push_hosts": hosts})))
    return phone
