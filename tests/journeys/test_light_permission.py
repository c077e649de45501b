"""Writing into the plant: one tag, two values, and only after an administrator has typed the tag twice."""

import pytest

from app.dispatch.models import Outlet
from app.kit.secret import SECRET_FILE, keep, seal, unseal
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused

pytestmark = on_any_database
TAG = "nsu=urn:plant:line3;s=RedLamp"


@pytest.fixture
async def light(plant):
    secret = keep(plant.settings.data_dir / SECRET_FILE)

    def hang(session):
        target = seal(secret, {"url": "opc.tcp://user:word@10.0.0.9:4840", "node": TAG})
        place = {"site_id": id_of("site", "Suzhou"), "name": "Red light", "created_at": plant.now}
        made = Outlet(channel="stacklight", target=target, **place)
        session.add(made)
        return made.id

    return await plant.changes(hang)


async def test_it_takes_two_confirmations_of_the_very_tag(plant, light):
    page = f"/channels/{light}/permission"
    assert "Type the tag" in (await plant.sees(page, by="Gao Yan")).text

    assert refused(await plant.posts(page, {"node": "ns=2;s=Motor"}, by="Gao Yan")) == "dispatch.other_tag"
    done(await plant.posts(page, {"node": TAG}, by="Gao Yan"))
    seen = (await plant.sees(page, by="Gao Yan")).text
    assert "once more" in seen
    assert "word" not in seen.replace("password", ""), "what signs in is shown to nobody"
    done(await plant.posts(page, {"node": f" {TAG} "}, by="Gao Yan"))

    assert "Allowed." in (await plant.sees(page, by="Gao Yan")).text
    assert len(await confirmed(plant)) == 2


async def test_nobody_but_an_administrator_may(plant, light):
    page = f"/channels/{light}/permission"
    for name in ("Li Wei", "Wang Lei", "Zhao Min"):
        assert refused(await plant.posts(page, {"node": TAG}, by=name)) == "pullcord.not_allowed"
        assert (await plant.sees(page, by=name)).status_code == 403

    assert await confirmed(plant) == []


async def confirmed(plant):
    secret = keep(plant.settings.data_dir / SECRET_FILE)
    [light] = await plant.all(Outlet)
    return unseal(secret, light.target).get("confirmed", [])
