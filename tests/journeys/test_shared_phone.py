"""One phone, several people: it rings for whoever is logged in on it, and for nobody else."""

import pytest
from sqlmodel import select

from app.dispatch.models import Delivery
from app.people.models import Address
from tests.factories import id_of


@pytest.mark.parametrize("what", ["taken over", "given up"])
async def test_what_was_planned_for_a_phone_that_is_no_longer_theirs_is_dropped(plant, what):
    plant.loops_run = False
    await plant.worker_reports("Press 7")
    await plant.dispatches()

    def changes(session):
        address = session.exec(select(Address).where(Address.person_id == id_of("person", "Li Wei"))).one()
        if what == "taken over":
            address.person_id = id_of("person", "Ma Jun")
        else:
            address.gone_at = plant.now
        session.add(address)

    await plant.changes(changes)
    plant.loops_run = True
    await plant.settles()

    assert "Wang Lei" in plant.ringing()
    assert "Li Wei" not in plant.ringing()
    (planned,) = [d for d in await plant.all(Delivery) if d.person_id == plant.id_of("Li Wei") and d.address_id]
    assert planned.state == "dropped"
