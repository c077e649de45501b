"""A push service that does not answer holds up nobody else's phone."""

import asyncio

from app.channels import build_channels
from tests.factories import id_of
from tests.journeys.harness import done
from tests.processes import until_true
from tests.push.phone import Phone
from tests.push.service import PushService
from app.people.models import Address
from sqlmodel import select


async def test_everybody_else_rings_at_once(plant):
    with PushService(tls=False) as silent:
        hosts = [plant.push.place, silent.place]
        plant.use(build_channels(plant.settings.model_copy(update={"push_hosts": hosts})))
        slow = await _rings_through(plant, silent, "Li Wei", hosts)
        silent.silent = True
        plant.loops_run = False

        report = await plant.worker_reports("Press 7")
        await plant.dispatches()
        await plant.deliverer.step()

        await until_true(lambda: plant.rings("Sun Hao", "Wang Lei") == {"Sun Hao": 1, "Wang Lei": 1})
        assert len(plant.deliverer.sending) >= 1
        assert slow.rang() == []
        done(await plant.accepts("Sun Hao", report.anomaly))
        silent.stop()
        await asyncio.gather(*plant.deliverer.sending)
