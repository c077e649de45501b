"""Asking a machine while a person waits: what it has, how values are now, and nothing left behind."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asyncua import ua

from app.capture.sources import opcua_browse
from app.capture.sources.asker import OpcUaAsker
from app.kit.ids import new_id
from app.machines import faults
from app.machines.asking import Discovery, Health, Level
from app.machines.plan import LinkPlan, LinkSettings
from app.machines.security import Mode, Policy, Security
from app.machines.source_actions import proposed
from tests.machines.ear import until
from tests.machines.vault import URI, Vault, vault

MANY = 230


async def fill(server: Any, number: int) -> None:
    """A hall with more in it than one page shows, and an oven that tells its range."""
    hall = await server.nodes.objects.add_object(number, "Hall")
    for n in range(MANY):
        await hall.add_variable(ua.NodeId(f"Hall.{n}", number), ua.QualifiedName(f"Value {n}", number), float(n))
    oven = await server.nodes.objects.add_object(ua.NodeId("Oven", number), ua.QualifiedName("Oven", number))
    zone = await oven.add_variable(ua.NodeId("a;b=c|d", number), ua.QualifiedName("Zone 1", number), 182.5)
    await zone.add_property(0, "EURange", ua.Range(Low=0.0, High=300.0))
    unit = ua.EUInformation(NamespaceUri="", UnitId=4408652, DisplayName=ua.LocalizedText("°C"))
    await zone.add_property(0, "EngineeringUnits", unit)
    await oven.add_variable(ua.NodeId("Recipe", number), ua.QualifiedName("Recipe", number), ["a", "b" * 300])
    dead = await oven.add_variable(ua.NodeId("Dead", number), ua.QualifiedName("Dead", number), 1.0)
    bad = ua.StatusCode(ua.StatusCodes.BadSensorFailure)
    await server.write_attribute_value(dead.nodeid, ua.DataValue(ua.Variant(1.0), bad))


@pytest.fixture(scope="module")
def machine() -> Iterator[Vault]:
    with vault(fill) as running:
        yield running


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> OpcUaAsker:
    return OpcUaAsker(tmp_path_factory.mktemp("installation"))


def plan(url: str, **security: Any) -> LinkPlan:
    return LinkPlan(new_id(), "vault", url, LinkSettings(), (), Security(**security))


async def level(asker: OpcUaAsker, machine: Vault, node: str = "", skip: int = 0) -> Level:
    found = await asker.browse(plan(machine.url), node, skip)
    assert isinstance(found, Level), found
    return found


async def test_it_is_asked_who_it_is(asker, machine):
    found = await asker.meet(machine.url)

    assert isinstance(found, Discovery)
    assert found.uri == URI
    assert found.offers[0].policy is not Policy.NONE


async def test_the_test_button_says_how_it_is(asker, machine):
    secure = plan(machine.url, policy=Policy.BASIC256_SHA256, mode=Mode.SIGN_AND_ENCRYPT, trusted=machine.papers.der)
    for how in (plan(machine.url), secure):
        health = await asker.test(how)

        assert isinstance(health, Health), health
        assert health.running
        assert health.behind_s is not None
        assert abs(health.behind_s) < 60


async def test_children_come_page_by_page_with_their_values(asker, machine):
    top = await level(asker, machine)
    hall = next(child for child in top.children if child.name == "Hall")
    assert hall.opens

    seen, skip = [], 0
    while True:
        one = await level(asker, machine, hall.node, skip)
        seen += one.children
        skip += len(one.children)
        if not one.more:
            break

    assert [child.name for child in seen] == [f"Value {n}" for n in range(MANY)]
    assert seen[17].value == "17"
    assert seen[17].node == f"nsu={URI};s=Hall.17"
    assert all(child.is_value for child in seen)


async def test_odd_values_do_not_hide_the_others(asker, machine):
    oven = await level(asker, machine, f"nsu={URI};s=Oven")
    values = {child.name: child for child in oven.children}

    assert values["Zone 1"].value == "182.5"
    assert len(values["Recipe"].value) <= opcua_browse.SHORT
    assert (values["Recipe"].is_value, values["Recipe"].opens) == (False, True)
    assert (values["Dead"].good, values["Dead"].status) == (False, "BadSensorFailure")
    assert "EURange" not in values


async def test_unit_and_range_come_from_the_machine(asker, machine):
    seen = await asker.look(plan(machine.url), [f"nsu={URI};s=a;b=c|d", machine.node("Temp")])

    assert isinstance(seen, tuple)
    zone, temp = seen
    assert (zone.value, zone.unit, zone.low, zone.high, zone.numeric) == ("182.5", "°C", 0.0, 300.0, True)
    assert (temp.low, temp.unit) == (None, "")
    assert [(rule.kind, rule.setpoint, rule.deadband, rule.enabled) for rule in proposed(new_id(), zone)] == [
        ("low", 30.0, 3.0, False),
        ("high", 270.0, 3.0, False),
    ]
    assert proposed(new_id(), temp) == []


@pytest.mark.parametrize("node", ["nsu=urn:nobody;s=x", "ns=2;s=Nothing", "nonsense", "i=", "ns=99;i=1"])
async def test_a_node_id_that_leads_nowhere_is_explained(node, asker, machine):
    found = await asker.browse(plan(machine.url), node, 0)

    assert found == faults.NO_SUCH_NODE


async def test_who_does_not_answer_is_given_up(asker, monkeypatch):
    monkeypatch.setattr(opcua_browse, "ASK_S", 0.3)
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        assert await asker.test(plan(f"opc.tcp://127.0.0.1:{port}")) == faults.NO_ANSWER
    assert await asker.test(plan(f"opc.tcp://127.0.0.1:{port}")) == faults.NOTHING_THERE


async def test_what_is_no_opc_ua_server_is_said_to_be_none(asker):
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(web, "127.0.0.1", 0) as server:
        url = f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        assert await asker.meet(url) == faults.NOT_OPC_UA


async def test_no_question_leaves_a_session_behind(asker, machine):
    for _ in range(10):
        await level(asker, machine)

    await until(lambda: machine.sessions() == 0)
