"""The server dies, freezes, is somebody else, or was never there: what people are told, and that we come back."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from app.machines.models import LinkState
from app.machines.rules import GOOD
from tests.machines.ear import listening, until
from tests.machines.oven import Oven


@pytest.fixture
def mortal() -> Iterator[Oven]:
    with Oven({"Temp": 20.0, "Door": False}) as started:
        yield started


async def test_killed_and_started_again_all_values_are_read_anew(mortal):
    async with listening(mortal.url, mortal.node("Temp"), mortal.node("Door")) as ear:
        await until(lambda: ear.connected)

        mortal.kill()
        await until(lambda: ear.faults)
        mortal.tags |= {"Temp": 95.0, "Door": True}
        mortal.start(filler_namespaces=3)
        await until(lambda: ear.connected)

        await until(lambda: (ear.value("Temp"), ear.value("Door")) == (95.0, True))
        assert set(ear.faults) <= {"source.lost", "source.nothing_there", "source.shut_down", "source.no_answer"}
        mortal.set("Temp", 96.0)  # under its new namespace number
        await until(lambda: ear.value("Temp") == 96.0)


async def test_a_frozen_server_is_noticed_and_forgiven(mortal):
    async with listening(mortal.url, mortal.node("Temp"), patience_s=0.5, probe_s=0.3) as ear:
        await until(lambda: ear.connected)

        mortal.freeze()
        await until(lambda: ear.faults)
        assert ear.faults[0] in ("source.no_answer", "source.fell_silent")
        mortal.thaw()
        await until(lambda: ear.connected)

        mortal.set("Temp", 77.0)
        await until(lambda: ear.value("Temp") == 77.0)


async def test_one_that_dies_takes_no_other_with_it(mortal):
    with Oven({"Temp": 1.0}) as other:
        async with listening(mortal.url, mortal.node("Temp")) as lost, listening(other.url, other.node("Temp")) as ear:
            await until(lambda: lost.connected and ear.connected)

            mortal.kill()
            await until(lambda: lost.faults)
            other.set("Temp", 2.0)

            await until(lambda: ear.value("Temp") == 2.0)
            assert ear.faults == []


async def test_nobody_there():
    with Oven({}) as gone:
        gone.kill()
        async with listening(gone.url) as ear:
            await until(lambda: len(ear.faults) >= 2)

            assert set(ear.faults) == {"source.nothing_there"}


async def test_there_after_all(mortal):
    mortal.kill()
    async with listening(mortal.url, mortal.node("Temp")) as ear:
        await until(lambda: ear.faults)
        mortal.start()
        await until(lambda: ear.connected)
        await until(lambda: ear.quality("Temp") is GOOD)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4840", "opc.tcp://127.0.0.1", "opc.tcp://:4840", "opc.tcp://h:99999", "rubbish", ""]
)
async def test_no_address_needs_a_person_and_is_not_hammered(url):
    async with listening(url) as ear:
        await until(lambda: ear.faults)

        assert ear.states[-1] == (LinkState.NEEDS_PERSON, "source.bad_address")


async def test_a_name_nobody_knows():
    async with listening("opc.tcp://no-such-machine.invalid:4840") as ear:
        await until(lambda: ear.faults)

        assert ear.faults[0] == "source.unknown_host"


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\0" * 64])
async def test_somebody_else_lives_there(greeting):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(16)
            writer.write(greeting)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, listening(f"opc.tcp://127.0.0.1:{port}", patience_s=1) as ear:
        await until(lambda: ear.faults)

        assert ear.faults[0] == "source.not_opc_ua"


async def test_somebody_who_never_answers():
    async def keep_quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(keep_quiet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, listening(f"opc.tcp://127.0.0.1:{port}", patience_s=0.3) as ear:
        await until(lambda: ear.faults)

        assert ear.faults[0] == "source.no_answer"


async def test_a_link_that_waits_for_a_person_can_be_told_to_try_now():
    async with listening("opc.tcp://nowhere") as ear:
        await until(lambda: len(ear.faults) == 1)

        ear.link.kick.set()

        await until(lambda: len(ear.faults) == 2)
