"""Where one can listen, who answers, and what the demonstration says about it."""

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from app import demo as plant
from app.settings import Settings
from workers import demo, health, ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((ports.LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_passed_over(taken: int) -> None:
    assert not ports.is_free(ports.LOOPBACK, taken)
    assert not ports.is_free("0.0.0.0", taken)
    assert ports.first_free(ports.LOOPBACK, taken) > taken


def test_no_port_left_is_an_error(taken: int) -> None:
    with pytest.raises(OSError, match=str(taken)):
        ports.first_free(ports.LOOPBACK, taken, tries=1)


def test_the_address_in_the_network_is_an_address() -> None:
    assert not ip_address(ports.lan_address()).is_unspecified


@pytest.mark.parametrize(("said", "well"), [(b"HTTP/1.1 200 OK", True), (b"HTTP/1.1 503 No", False), (b"", False)])
async def test_only_a_yes_is_an_answer(
    said: bytes, well: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said + b"\r\ncontent-length: 0\r\n\r\n" if said else b"")
        writer.close()

    server = await asyncio.start_server(answer, ports.LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("PULLCORD_PORT", str(port))
    monkeypatch.setattr(health, "COMMAND_OF_CONTAINER", _command(tmp_path, "python\0pullcord\0up\0"))
    async with server:
        assert await ports.answers(ports.LOOPBACK, port, "/readyz", tls=False) is well
        assert await asyncio.to_thread(health.main) is well


def test_loops_alone_are_well_without_a_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, taken: int) -> None:
    monkeypatch.setenv("PULLCORD_PORT", "1")
    monkeypatch.setattr(health, "COMMAND_OF_CONTAINER", _command(tmp_path, "python\0pullcord\0work\0dispatch\0"))

    assert health.main()


def test_phones_in_the_network_get_an_address_they_can_reach(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ports, "lan_address", lambda: "192.168.1.20")
    settings = demo.prepare(Settings(_env_file=None, data_dir=tmp_path, host="0.0.0.0", port=_free()))
    demo.welcome(settings)

    said = capsys.readouterr().out
    assert f"HTTP://192.168.1.20:{settings.port}/S/{plant.PRESS_7}" in said
    assert all(part.name in said for part in plant.LEADING)
    assert plant.PIN in said
    assert "█" in said


def test_an_address_somebody_chose_is_kept(tmp_path: Path, taken: int) -> None:
    chosen = Settings(_env_file=None, data_dir=tmp_path, public_url="https://andon.plant.example", port=taken)
    settings = demo.prepare(chosen)

    assert settings.public_url == "https://andon.plant.example"
    assert settings.port != taken


def _free() -> int:
    with socket.create_server((ports.LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


def _command(folder: Path, line: str) -> Path:
    file = folder / "cmdline"
    file.write_bytes(line.encode())
    return file
