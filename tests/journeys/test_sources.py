"""An administrator connects a machine: who is there, is it really that machine, what has it, what shall be watched."""

import re
from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlmodel import Session

from app.kit.secret import SECRET_FILE, keep, unseal
from app.machines import source_actions
from app.machines.asking import Seen
from app.machines.certificates import read
from app.machines.models import AlarmRule, LinkState, ServerCertificate, Source, Tag
from app.machines.source_actions import Pick
from app.people.models import Person
from tests.factories import id_of
from tests.journeys.harness import Plant, done, on_any_database, refused
from tests.machines.vault import PASSWORD, Vault, vault

BOSS = "Gao Yan"
WAY = "Basic256Sha256/SignAndEncrypt"
PLC = id_of("source", "PLC")


@pytest.fixture(scope="module")
def only_vault() -> Iterator[Vault]:
    with vault() as running:
        yield running


@pytest.fixture
def machine(only_vault: Vault, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """A machine, in a plant where machines may be on this computer."""
    only_vault.forget()
    monkeypatch.setattr(plant.settings, "machine_hosts", ["127.0.0.0/8"])
    return only_vault


async def connects(plant: Plant, machine: Vault, **form: str) -> UUID:
    """Save what the form asks for; return the source."""
    asked = {"name": "Vault", "url": machine.url, "way": WAY, "login": "anonymous", **form}
    answer = done(await plant.posts("/machines", asked, by=BOSS))
    return UUID(answer.headers["location"].split("/")[2])


async def trusts(plant: Plant, machine: Vault, source: UUID) -> None:
    sha256 = read(machine.papers.der).sha256
    done(await plant.posts(f"/machines/{source}/certificate", {"sha256": sha256}, by=BOSS))


async def test_a_machine_is_connected_from_its_address_to_its_tags(plant, machine):
    offered = done(await plant.posts("/machines/discovery", {"url": machine.url}, by=BOSS)).text
    assert "Aes256_Sha256_RsaPss" in offered
    assert offered.index("signed and encrypted") < offered.index("not secured")

    source = await connects(plant, machine, login="name", user="pullcord", password=PASSWORD)
    compare = (await plant.sees(f"/machines/{source}/certificate", by=BOSS)).text
    assert read(machine.papers.der).sha1 in compare
    assert read(machine.papers.der).sha256 in compare
    assert "Vault of the press shop" in compare
    assert machine.heard == []
    await trusts(plant, machine, source)

    tested = done(await plant.posts(f"/machines/{source}/test", {}, by="Chen Jing")).text
    assert "It answered after" in tested
    assert machine.heard == [("pullcord", PASSWORD)]

    shown = (await plant.sees(f"/machines/{source}/browse", by="Chen Jing")).text
    node = machine.node("Temp")
    assert node in shown
    assert ">20<" in shown
    assert "Temp" in (await plant.sees(f"/machines/{source}/tags?node={quote(node)}", by="Chen Jing")).text
    form = {"station": id_of("station", "Press 7"), "node": node, "name": "Oil", "unit": "°C", "propose": node}
    done(await plant.posts(f"/machines/{source}/tags", form, by="Chen Jing"))

    [tag] = [tag for tag in await plant.all(Tag) if tag.source_id == source]
    assert (tag.names["en"], tag.unit, tag.node) == ("Oil", "°C", node)
    assert "Oil" in (await plant.sees(f"/machines/{source}", by="Zhao Min")).text
    assert [rule for rule in await plant.all(AlarmRule) if rule.tag_id == tag.id] == []


@on_any_database
async def test_what_was_not_compared_is_not_trusted(plant, machine):
    source = await connects(plant, machine)
    form = {"sha256": read(machine.papers.der).sha256.replace("A", "B")}

    assert refused(await plant.posts(f"/machines/{source}/certificate", form, by=BOSS)) == (
        "machines.another_certificate"
    )
    assert await plant.all(ServerCertificate) == []
    tested = done(await plant.posts(f"/machines/{source}/test", {}, by=BOSS)).text
    assert "Nobody has accepted" in tested


@on_any_database
async def test_the_password_is_sealed_and_never_shown(plant, machine):
    source = await connects(plant, machine, login="name", user="pullcord", password=PASSWORD)

    [stored] = [one for one in await plant.all(Source) if one.id == source]
    assert PASSWORD not in stored.sealed
    secret = keep(plant.settings.data_dir / SECRET_FILE)
    assert unseal(secret, stored.sealed) == {"user": "pullcord", "password": PASSWORD}
    for path in ("", "/settings", "/certificate"):
        assert PASSWORD not in (await plant.sees(f"/machines/{source}{path}", by=BOSS)).text


@on_any_database
async def test_a_password_needs_encryption_or_a_network_nobody_listens_on(plant, machine):
    form = {"name": "Vault", "url": machine.url, "way": "None/None", "login": "name", "user": "a", "password": "b"}

    assert refused(await plant.posts("/machines", form, by=BOSS)) == "machines.password_would_be_heard"
    done(await plant.posts("/machines", {**form, "isolated": "yes"}, by=BOSS))


@on_any_database
async def test_a_stored_password_does_not_follow_to_another_address(plant, machine):
    source = await connects(plant, machine, login="name", user="pullcord", password=PASSWORD)
    same = {"name": "Vault", "url": machine.url, "way": WAY, "login": "name"}
    done(await plant.posts(f"/machines/{source}/settings", {**same, "name": "Renamed"}, by=BOSS))

    moved = {**same, "url": "opc.tcp://127.0.0.2:4840"}
    assert refused(await plant.posts(f"/machines/{source}/settings", moved, by=BOSS)) == "machines.login_missing"
    assert {one.name: one.url for one in await plant.all(Source)}["Renamed"] == machine.url


@on_any_database
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("8.8.8.8", "machines.not_there"),
        ("169.254.169.254:80", "machines.not_there"),
        ("127.0.0.1", "machines.not_there"),
        ("[::1]:4840", "machines.not_there"),
        ("[::ffff:127.0.0.1]", "machines.not_there"),
        ("localhost:5432", "machines.not_there"),
        ("opc.tcp://0x7f.1", "machines.not_there"),
        ("nobody.invalid", "machines.name_unknown"),
        ("http://10.0.0.1", "machines.no_address"),
        ("opc.tcp://me:secret@10.0.0.1", "machines.no_address"),
        ("10.0.0.1:99999", "machines.no_address"),
        ("10.0.0.1 10.0.0.2", "machines.no_address"),
        ("", "machines.no_address"),
    ],
)
async def test_no_address_leads_out_of_the_machines_networks(typed, code, plant):
    assert refused(await plant.posts("/machines/discovery", {"url": typed}, by=BOSS)) == code
    form = {"name": "x", "url": typed, "way": "None/None"}
    assert refused(await plant.posts("/machines", form, by=BOSS)) == code


@on_any_database
async def test_who_does_not_answer_is_explained_on_the_spot(plant, machine):
    told = done(await plant.posts("/machines/discovery", {"url": "127.0.0.1:9"}, by=BOSS)).text

    assert "Nothing answers at this address" in told


@on_any_database
async def test_the_list_says_why_a_machine_is_not_heard_and_what_helps(plant):
    await plant.changes(lambda session: loses(session, "source.login_refused"))

    listed = (await plant.sees("/machines", by="Chen Jing")).text
    assert "refused the user name or password" in listed
    shown = (await plant.sees(f"/machines/{PLC}", by=BOSS)).text
    assert f"/machines/{PLC}/settings" in shown
    assert re.search(r"3\s+of\s+\d+ tags", shown)

    done(await plant.posts(f"/machines/{PLC}/try", {}, by="Chen Jing"))
    assert [source.try_at for source in await plant.all(Source)] == [plant.now]


@on_any_database
async def test_only_those_who_may_see_and_change_machines(plant):
    for path in ("/machines", f"/machines/{PLC}"):
        assert (await plant.sees(path, by="Li Wei")).status_code == 403
        assert (await plant.sees(path, by="Wang Lei")).status_code == 403
        assert (await plant.sees(path, by="Zhao Min")).status_code == 200
    for name in ("Chen Jing", "Zhao Min"):
        for path in ("discovery", "", f"{PLC}/settings", f"{PLC}/certificate", f"{PLC}/switch"):
            answer = await plant.posts(f"/machines/{path}".rstrip("/"), {"url": "10.0.0.1"}, by=name)
            assert answer.status_code == 403, path
    form = {"station": id_of("station", "Press 7"), "node": "i=1", "name": "x", "unit": ""}
    assert (await plant.posts(f"/machines/{PLC}/tags", form, by="Zhao Min")).status_code == 403


@on_any_database
async def test_a_machine_can_be_switched_off_and_on(plant):
    done(await plant.posts(f"/machines/{PLC}/switch", {"on": "0"}, by=BOSS))
    assert "Nobody watches it" in (await plant.sees(f"/machines/{PLC}", by=BOSS)).text

    done(await plant.posts(f"/machines/{PLC}/switch", {"on": "1"}, by=BOSS))
    assert [source.enabled for source in await plant.all(Source)] == [True]


@on_any_database
async def test_limits_that_are_proposed_watch_nothing_until_somebody_switches_them_on(plant):
    seen = Seen("nsu=urn:x;s=Oil", "Oil", "60", True, "", plant.now, True, "°C", 0.0, 100.0)
    boss, station = plant.id_of(BOSS), id_of("station", "Press 7")
    picks = [Pick(seen, "Oil", "°C", propose=True)]
    await plant.changes(lambda s: source_actions.add_tags(s, PLC, station, picks, by=s.get_one(Person, boss)))

    [tag] = [tag for tag in await plant.all(Tag) if tag.unit == "°C" and tag.eu_high == 100.0]
    rules = [rule for rule in await plant.all(AlarmRule) if rule.tag_id == tag.id]
    assert sorted(rule.setpoint for rule in rules) == [10.0, 90.0]
    assert not any(rule.enabled for rule in rules)
    assert "Oil" in (await plant.sees(f"/machines/rules?source={PLC}", by="Chen Jing")).text
    for rule in rules:
        assert (await plant.sees(f"/machines/rules/{rule.id}", by="Chen Jing")).status_code == 200


@on_any_database
async def test_our_certificate_can_be_downloaded(plant):
    given = await plant.sees("/machines/certificate", by=BOSS)

    assert read(given.content).uris[0].startswith("urn:pullcord:")
    assert b"PRIVATE" not in given.content


def loses(session: Session, fault: str) -> None:
    source = session.get_one(Source, PLC)
    source.state, source.fault, source.bad_values = LinkState.NEEDS_PERSON, fault, 3
    session.add(source)
