"""Codes as people type them, addresses as labels carry them."""

import pytest
import zxingcpp

from app.plant.codes import (
    ALPHABET,
    BadCode,
    code_in_address,
    label_address,
    new_code,
    normalise,
    qr,
    qr_for_terminal,
)


def test_a_new_code_uses_only_letters_nobody_mistakes():
    made = {new_code() for _ in range(2000)}

    assert {len(code) for code in made} == {4}
    assert set("".join(made)) == set(ALPHABET)
    assert len(made) > 1990
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    [
        "7K30",
        "7k30",
        " 7k 30 ",
        "7K-30",
        "7k3o",
        "7K3O",
        "７Ｋ３０",
        "HTTPS://PLANT.EXAMPLE/S/7K30",
        "https://plant.example:8443/s/7k3o",
        "http://10.0.0.7:8000/s/7K30?from=label#top",
        "http://[fe80::1]:8000/s/7K30/",
        "plant.example/s/7K30",
        "/s/7K30",
        "HTTPS://PLANT.EXAMPLE/S/7K30\n",
    ],
)
def test_whatever_people_make_of_a_code_is_the_code(typed):
    assert normalise(typed) == "7K30"


def test_the_letters_that_look_like_digits_are_the_digits():
    assert normalise("iLoO") == "1100"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "7K3",
        "7K3U",
        "7K3Q7K3Q7K3Q7",
        "7K3_",
        "7号压机",
        "https://plant.example/",
        "https://plant.example/s/",
        "https://plant.example/stations/7K3Q",
        "https://plant.example/s/../../etc",
        "7K3Q\0",
        "\ud800\ud800\ud800\ud800",
        "7" * 50_000,
    ],
)
def test_what_is_no_code_is_refused(typed):
    with pytest.raises(BadCode):
        normalise(typed)


@pytest.mark.parametrize("text", ["7K3Q", "4006381333931", "https://shop.example/bearing/7K3Q", "s/7K3Q", ""])
def test_a_scanned_text_that_is_no_address_of_a_label_is_none(text):
    assert code_in_address(text) is None


def test_the_label_address_is_upper_case_so_that_its_qr_code_stays_small():
    address = label_address("https://plant.example", "7K3Q")

    assert address == "HTTPS://PLANT.EXAMPLE/S/7K3Q"
    assert qr(address).mode == "alphanumeric"
    assert len(qr(address).matrix) == 25
    assert qr(address).error in ("Q", "H")
    assert len(qr(address.lower()).matrix) > 25


def test_the_label_address_keeps_the_port_and_drops_the_rest():
    assert label_address("http://10.0.0.7:8000/queue?mine", "7K3Q") == "HTTP://10.0.0.7:8000/S/7K3Q"


@pytest.mark.parametrize("base", ["https://plant.example", "http://10.0.0.7:8000", "http://[fe80::1]:8000"])
def test_what_a_label_says_leads_back_to_its_code(base):
    assert code_in_address(label_address(base, "7K3Q")) == "7K3Q"


def test_the_code_in_the_terminal_can_be_scanned_from_it():
    address = label_address("http://127.0.0.1:8000", "7K3Q")

    assert scanned(qr_for_terminal(address)) == [address]


def scanned(shown: str) -> list[str]:
    """Look at a terminal's characters as a camera does: each is two points high, ink is white on black."""
    rows: list[bytes] = []
    for line in shown.splitlines():
        assert line.startswith("\033[97;40m")
        assert line.endswith("\033[0m")
        cells = line.removeprefix("\033[97;40m").removesuffix("\033[0m")
        for lit in ("█▀", "█▄"):
            rows += [b"".join((b"\xff" if cell in lit else b"\0") * 8 for cell in cells)] * 8
    view = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))
    return [found.text for found in zxingcpp.read_barcodes(view)]
