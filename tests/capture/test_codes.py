"""Labels as cameras see them. The set is seeded: the same thirty-two pictures on every run."""

import random
import sys
from collections.abc import Callable
from io import BytesIO

import pytest
import segno
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.capture import codes
from app.capture.codes import NoCodeInPicture, NotAStationLabel, find_station_code, station_code_in
from app.capture.media import Gray, NotAPicture, gray
from app.plant.codes import ALPHABET, code_in_address, label_address, qr

MODULE = 10  # points a module of the QR code measures in these pictures
HALL = (960, 720)
Camera = Callable[[Image.Image, random.Random], Image.Image]


def noise(size: tuple[int, int], chance: random.Random) -> Image.Image:
    return Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))


def label(code: segno.QRCode) -> Image.Image:
    out = BytesIO()
    code.save(out, kind="png", scale=MODULE, border=4)
    return Image.open(out).convert("L")


def hung(picture: Image.Image, chance: random.Random, *, turn: float, lean: float = 0.0) -> Image.Image:
    """Hang a label on a cluttered wall, turned by degrees and leaning back."""
    side = 2 * picture.width
    sheet, shape = Image.new("L", (side, side), 255), Image.new("L", (side, side))
    corner = (side // 4, side // 4)
    sheet.paste(picture, corner)
    shape.paste(255, (*corner, corner[0] + picture.width, corner[1] + picture.height))
    # Seen from below: what is higher is further away. The middle of the sheet stays where it is.
    bend, middle = lean / side, side / 2
    top = 1 - bend * middle
    away = (1 / top, middle * bend / top, -middle * middle * bend / top, 0, (1 + middle * bend) / top)
    away += (-middle * middle * bend / top, 0, bend / top)
    sheet = sheet.transform(sheet.size, Image.Transform.PERSPECTIVE, away, Image.Resampling.BICUBIC, fillcolor=255)
    shape = shape.transform(shape.size, Image.Transform.PERSPECTIVE, away)
    sheet = sheet.rotate(turn, Image.Resampling.BICUBIC, fillcolor=255)
    wall = noise((HALL[0] // 8, HALL[1] // 8), chance).resize(HALL, Image.Resampling.BICUBIC)
    wall.paste(sheet, ((HALL[0] - side) // 2, (HALL[1] - side) // 2), shape.rotate(turn))
    return wall


def dark(picture: Image.Image, chance: random.Random, *, light: float, grain: int) -> Image.Image:
    grains = noise(picture.size, chance).point([level * grain // 255 for level in range(256)])
    return ImageChops.add(picture.point([int(level * light) for level in range(256)]), grains)


def dirty(picture: Image.Image, chance: random.Random) -> Image.Image:
    brush = ImageDraw.Draw(picture)
    for _ in range(4):
        x, y, radius = (
            chance.uniform(low, high) * picture.width for low, high in ((0.1, 0.9), (0.1, 0.9), (0.03, 0.06))
        )
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=chance.choice((0, 90, 255)))
    return picture


def blurred(picture: Image.Image, modules: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(modules * MODULE))


def slightly(chance: random.Random) -> float:
    return chance.uniform(-20, 20)


CAMERAS: dict[str, Camera] = {
    "straight on": lambda label, chance: hung(label, chance, turn=0),
    "any way up": lambda label, chance: hung(label, chance, turn=chance.uniform(0, 360)),
    "from far below": lambda label, chance: hung(label, chance, turn=slightly(chance), lean=0.9),
    "out of focus": lambda label, chance: blurred(hung(label, chance, turn=slightly(chance)), 0.6),
    "dark": lambda label, chance: dark(hung(label, chance, turn=slightly(chance)), chance, light=0.06, grain=14),
    "very dark": lambda label, chance: dark(hung(label, chance, turn=slightly(chance)), chance, light=0.04, grain=6),
    "dirty": lambda label, chance: hung(dirty(label, chance), chance, turn=slightly(chance)),
    "all of it": lambda label, chance: dark(
        blurred(hung(label, chance, turn=chance.uniform(0, 360), lean=0.5), 0.35), chance, light=0.25, grain=12
    ),
}


@pytest.fixture(scope="module")
def pictures() -> list[tuple[str, Gray]]:
    taken = []
    for name, camera in CAMERAS.items():
        for number in range(4):
            chance = random.Random(f"{name} {number}")
            code = "".join(chance.choices(ALPHABET, k=4))
            wanted = label(qr(label_address("https://plant.example", code)))
            taken.append((code, gray(jpeg(camera(wanted, chance)))))
    return taken


def jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


ALONE = (codes.read_plain, codes.read_stretched, codes.read_sharpened, codes.read_again)


@pytest.fixture(scope="module")
def readings(pictures) -> dict[str, list[set[str | None]]]:
    """What each reader alone, and all in a row, make of each picture."""
    readers = {reader.__name__: reader for reader in (*ALONE, codes.read)}
    return {
        name: [{code_in_address(text) for text in reader(picture)} for _, picture in pictures]
        for name, reader in readers.items()
    }


def test_together_the_readers_read_more_than_any_of_them(pictures, readings):
    right = {
        name: sum(code in codes_seen for (code, _), codes_seen in zip(pictures, seen, strict=True))
        for name, seen in readings.items()
    }

    together = right.pop("read")
    assert together >= 0.95 * len(pictures)
    assert all(alone < together for alone in right.values()), right


def test_no_reader_sees_what_is_not_there(pictures, readings):
    for seen in readings.values():
        assert all(codes_seen <= {code} for (code, _), codes_seen in zip(pictures, seen, strict=True))


def test_without_the_systems_zbar_the_others_still_read_and_a_sentence_says_what_to_do(pictures, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyzbar.pyzbar", None)
    codes.zbar_missing.cache_clear()
    try:
        assert "apt install libzbar0" in codes.zbar_missing()
        code, straight_on = pictures[0]
        assert codes.read_again(straight_on) == []
        assert [code_in_address(text) for text in codes.read(straight_on)] == [code]
    finally:
        codes.zbar_missing.cache_clear()


def on_a_wall(text: str) -> bytes:
    return jpeg(hung(label(segno.make_qr(text)), random.Random(1), turn=10))


async def test_a_photo_of_a_label_leads_to_its_station():
    assert await find_station_code(on_a_wall("HTTPS://PLANT.EXAMPLE/S/7K3Q")) == "7K3Q"


def test_a_label_printed_in_lower_case_by_somebody_else_does_too():
    assert station_code_in(on_a_wall("http://10.0.0.7:8000/s/7k3q?from=label")) == "7K3Q"


@pytest.mark.parametrize(
    "text", ["4006381333931", "https://shop.example/bearing/6204", "WIFI:S:plant;T:WPA;P:x;;", "7K3Q"]
)
def test_another_code_is_called_what_it_is(text):
    with pytest.raises(NotAStationLabel):
        station_code_in(on_a_wall(text))


def test_a_wall_without_a_label_is_said_to_have_none():
    with pytest.raises(NoCodeInPicture):
        station_code_in(jpeg(noise(HALL, random.Random(2))))


def test_what_is_no_picture_is_refused_as_everywhere():
    with pytest.raises(NotAPicture):
        station_code_in(b"<svg/>")
