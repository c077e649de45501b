"""Photos as phones make them, and files as nobody should: everything here is made on the spot."""

import asyncio
import re
import struct
import threading
import time
import zlib
from io import BytesIO

import pytest
from PIL import ExifTags, Image

from app.capture import media
from app.capture.media import NotAPicture, PhotoBroken, PhotoTooLarge, gray, shrink, shrink_photo


def scene(width: int, height: int) -> Image.Image:
    """A picture with something in it: dark left half, white right half, a red corner at the top left."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste("white", (width // 2, 0, width, height))
    picture.paste("red", (0, 0, width // 4, height // 4))
    return picture


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def png(width: int, height: int, *, bits: int = 8, colour: int = 0, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG written by hand: its header may promise anything."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_photo_of_a_phone_is_shrunk_to_what_pages_show():
    photo = shrink(saved(scene(4032, 3024), "JPEG"))

    assert (photo.width, photo.height) == (1600, 1200)
    assert opened(photo.full).format == opened(photo.thumb).format == "JPEG"
    assert opened(photo.full).size == (1600, 1200)
    assert opened(photo.thumb).size == (320, 240)


def test_it_is_turned_upright_and_says_nothing_of_place_or_person():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Li Wei"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (31.0, 34.0, 30.0)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>Li Wei, 31.575 N</x:xmpmeta>"
    taken = saved(scene(400, 300), "JPEG", exif=exif, xmp=xmp, comment=b"Li Wei", icc_profile=b"0" * 200)
    assert opened(taken).getexif().get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (31.0, 34.0, 30.0)

    photo = shrink(taken)

    assert (photo.width, photo.height) == (300, 400)
    red, green, _ = opened(photo.full).getpixel((295, 5))
    assert red > 200 > 60 > green
    for picture in (photo.full, photo.thumb):
        assert not opened(picture).getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & opened(picture).info.keys()
        assert b"Li Wei" not in picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "MPO"])
def test_every_kind_a_phone_makes_is_taken(kind):
    more = {"save_all": True, "append_images": [scene(320, 240)]} if kind == "MPO" else {}

    photo = shrink(saved(scene(640, 480), kind, **more))

    assert (photo.width, photo.height) == (640, 480)
    assert opened(photo.full).getpixel((600, 400)) > (240, 240, 240)


def test_a_heic_held_sideways_is_turned_upright_as_iphones_say_it():
    photo = shrink(sideways(saved(scene(640, 480), "HEIF")))

    assert (photo.width, photo.height) == (480, 640)
    assert opened(photo.full).getpixel((470, 10))[1] < 60  # the red corner is at the top right now


def sideways(heic: bytes) -> bytes:
    """Add to a HEIC the property `irot`: show it a quarter turn clockwise. EXIF means nothing there."""
    data = bytearray(heic)
    turn = b"\0\0\0\x09irot\x03"
    held = data.index(b"ipma") + 4 + 4 + 4 + 2  # how many properties the picture has, then their numbers
    properties = data[held]
    data[held] += 1
    data.insert(held + 1 + properties, 0x80 | (properties + 1))
    data[data.index(b"ipma") - 4 : data.index(b"ipma") - 4] = turn
    for box, more in ((b"meta", 10), (b"iprp", 10), (b"ipco", 9), (b"ipma", 1)):
        size = data.index(box) - 4
        struct.pack_into(">I", data, size, struct.unpack_from(">I", data, size)[0] + more)
    struct.pack_into(">I", data, data.index(b"iloc") + 16, data.index(b"mdat") + 4)
    return bytes(data)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_way_to_write_colours_is_understood(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"

    photo = shrink(saved(scene(200, 100).convert("L" if mode == "I;16" else "RGB").convert(mode), kind))

    assert (photo.width, photo.height) == (200, 100)


def test_what_is_transparent_becomes_white_not_black():
    photo = shrink(saved(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG"))

    assert opened(photo.full).getpixel((25, 25)) == (255, 255, 255)


def test_an_avif_is_turned_upright_too():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6

    assert shrink(saved(scene(640, 480), "AVIF", exif=exif)).height == 640


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_note_about_the_camera_does_not_cost_the_picture():
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + b"\x12\x01\xff\xff" * 20

    assert shrink(saved(scene(64, 48), "JPEG", exif=exif)).width == 64


BOMBS = {
    "200 megapixels": png(20_000, 10_000, colour=2),
    "30000 x 30000": png(30_000, 30_000),
    "168 megapixels in black and white, whole": png(12_960, 12_960, bits=1, rows=bytes(1621 * 12_960)),
    "just over the limit": png(7_747, 7_746),
    "a HEIC that shows a small window of a huge picture": re.sub(
        rb"(ispe.{4}).{8}",
        rb"\g<1>" + struct.pack(">II", 30_000, 30_000),
        saved(scene(64, 48), "HEIF"),  # 64 x 64 with a window of 64 x 48
        flags=re.DOTALL,
    ),
    "a WebP's largest canvas": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0" * 2,
    "a WebP of 26 megapixels": saved(Image.new("L", (5200, 5000)), "WEBP", lossless=True, method=0),
    "26 MB": bytes(26_000_000),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_it_is_opened(bomb):
    before = time.process_time()

    with pytest.raises(PhotoTooLarge):
        shrink(BOMBS[bomb])

    assert time.process_time() - before < 0.5


def test_a_large_picture_below_the_limit_is_fine():
    photo = shrink(png(7_700, 7_700, bits=1, rows=bytes(964 * 7_700)))

    assert (photo.width, photo.height) == (1600, 1600)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NO_PICTURES = {
    "an SVG named .jpg": SVG,
    "an SVG behind a byte order mark": b"\xef\xbb\xbf" + SVG,
    "a page": b"<!doctype html><img src=x onerror=alert(1)>",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "nothing": b"",
    "two bytes": b"\xff\xd8",
    "a film": b"\0\0\0\x18ftypmp42" + bytes(400),
    "a GIF": saved(scene(64, 48), "GIF"),
    "a TIFF": saved(scene(64, 48), "TIFF"),
    "an icon": saved(scene(64, 48), "ICO"),
    "JPEG 2000": saved(scene(64, 48), "JPEG2000"),
    "a PDF": saved(scene(64, 48), "PDF"),
}


@pytest.mark.parametrize("what", NO_PICTURES)
def test_what_is_no_photo_is_refused_whatever_its_name(what):
    with pytest.raises(NotAPicture):
        shrink(NO_PICTURES[what])


@pytest.mark.parametrize("size", [(64, 48), (2000, 1500)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_half_a_photo_is_refused_not_shown_half_grey(kind, size):
    whole = saved(scene(*size), kind)

    with pytest.raises(PhotoBroken):
        shrink(whole[: len(whole) * 6 // 10])


def test_a_jpeg_that_is_painted_over_a_thousand_times_is_refused():
    calm = saved(scene(640, 480).convert("L"), "JPEG", progressive=True)
    last = calm[calm.rindex(b"\xff\xda") : -2]

    assert shrink(calm).width == 640
    with pytest.raises(PhotoBroken):
        shrink(calm[:-2] + last * 1000 + b"\xff\xd9")


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000, png(9, 9, extra=(bytes(4) + b"abCd" + bytes(4)) * 500_000)],
    ids=["JPEG", "PNG"],
)
def test_a_million_empty_parts_are_refused_at_once(data):
    before = time.process_time()

    with pytest.raises(PhotoBroken):
        shrink(data)

    assert time.process_time() - before < 0.5


def test_a_film_behind_the_photo_is_not_counted():
    whole = saved(scene(640, 480), "JPEG")

    assert shrink(whole + b"\xff\xda\0\2" * 50_000).width == 640


def test_gray_is_what_a_code_reader_wants_and_as_careful():
    picture = gray(saved(scene(4000, 2000), "JPEG"))

    assert (picture.width, picture.height, len(picture.pixels)) == (1600, 800, 1600 * 800)
    assert picture.pixels[-1] > 240
    with pytest.raises(PhotoTooLarge):
        gray(BOMBS["30000 x 30000"])


async def test_photos_are_opened_two_at_a_time(monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(media, "shrink", lambda _: go_on.wait(timeout=10))

    six = [asyncio.create_task(shrink_photo(b"")) for _ in range(6)]
    async with asyncio.timeout(5):
        while media.TWO_AT_A_TIME.statistics().tasks_waiting < 4:
            await asyncio.sleep(0)
    under_way = media.TWO_AT_A_TIME.borrowed_tokens
    go_on.set()

    assert under_way == 2
    assert await asyncio.gather(*six) == [True] * 6
