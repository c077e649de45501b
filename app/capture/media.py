"""Photos: opened with suspicion, kept upright, small and without the place they were taken.

The only module that knows Pillow. Everything here is bounded before it is decoded: bytes, points, passes, parts.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from io import BytesIO

import pillow_heif
from anyio import CapacityLimiter, to_thread
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from app.capture.bombs import most_points_named, wears_a_decoder_out
from app.kit.errors import N_, DomainError

MAX_PHOTO_BYTES = 25_000_000
MAX_POINTS = 60_000_000
FULL_SIDE = 1600
THUMB_SIDE = 320
TWO_AT_A_TIME = CapacityLimiter(2)

_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")
_HUGE = 25_000_000
_one_huge_at_a_time = threading.Lock()

Image.MAX_IMAGE_PIXELS = MAX_POINTS  # Pillow itself warns above it, and refuses above twice as many
pillow_heif.register_heif_opener()


class PhotoTooLarge(DomainError):
    code = "capture.photo_too_large"
    message = N_(
        "This picture is too large to open safely: the limit is 25 MB and 60 megapixels (25 for WebP). "
        "Everything sent before it is safe. Take it again with the phone's own camera and send that."
    )
    status = 413


class NotAPicture(DomainError):
    code = "capture.photo_not_a_picture"
    message = N_(
        "This file is not a picture we can open, whatever its name says. Everything sent before it is safe. "
        "Send a photo as JPEG, PNG, WebP, HEIC or AVIF."
    )
    status = 415


class PhotoBroken(DomainError):
    code = "capture.photo_broken"
    message = N_(
        "This picture arrived damaged or not whole. Everything sent before it is safe. "
        "Send it again, or take a new one."
    )
    status = 422


@dataclass(frozen=True, slots=True)
class Photo:
    """Two JPEGs without EXIF, place or profile: at most 1600 px and at most 320 px on the longer side."""

    full: bytes
    thumb: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Gray:
    """A picture as code readers want it: one byte a point, row by row, 0 is black."""

    pixels: bytes
    width: int
    height: int


async def shrink_photo(data: bytes) -> Photo:
    """`shrink`, away from the event loop, two at a time."""
    return await to_thread.run_sync(shrink, data, limiter=TWO_AT_A_TIME)


def shrink(data: bytes) -> Photo:
    """Return the photo as every phone shows it and nobody is located by it.

    Raises:
        PhotoTooLarge: too many bytes, or too many points by its header; nothing was decoded.
        NotAPicture: its bytes are none of JPEG, PNG, WebP, HEIC, AVIF.
        PhotoBroken: it starts like a picture and can't be read to its end.
    """
    with _opened(data) as picture:
        full = _on_white(_upright(_reduced(picture, FULL_SIDE, "RGB")))
    thumb = full.copy()
    thumb.thumbnail((THUMB_SIDE, THUMB_SIDE), reducing_gap=2.0)
    return Photo(_jpeg(full), _jpeg(thumb), full.width, full.height)


def gray(data: bytes) -> Gray:
    """Return the photo in gray at 1600 px, opened as safely as `shrink` does and with the same refusals."""
    with _opened(data) as picture:
        return _as_gray(_on_white(_reduced(picture, FULL_SIDE, "L")).convert("L"))


def stretched(picture: Gray) -> Gray:
    """Return the picture with its darkest point black and its brightest white: a label in a dark hall."""
    return _as_gray(ImageOps.autocontrast(_as_image(picture)))


def sharpened(picture: Gray) -> Gray:
    """Return the picture with its edges drawn harder: a label out of focus."""
    return _as_gray(_as_image(picture).filter(ImageFilter.UnsharpMask(radius=6, percent=300, threshold=0)))


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    if len(data) > MAX_PHOTO_BYTES:
        raise PhotoTooLarge
    if most_points_named(data) > MAX_POINTS:
        raise PhotoTooLarge
    if wears_a_decoder_out(data):
        raise PhotoBroken
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            points = picture.width * picture.height
            # WebP's decoder holds three copies; no phone makes such large ones.
            if points > (_HUGE if picture.format == "WEBP" else MAX_POINTS):
                raise PhotoTooLarge
            with _one_huge_at_a_time if points > _HUGE else nullcontext():
                yield picture
    except UnidentifiedImageError:
        raise (PhotoBroken if _begins_like_a_picture(data) else NotAPicture) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoTooLarge from None
    except DomainError:
        raise
    except Exception as reason:  # whatever a decoder raises on strange bytes, it is this picture's fault
        raise PhotoBroken from reason


def _begins_like_a_picture(data: bytes) -> bool:
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n")) or data[8:12] in (
        b"WEBP",
        b"heic",
        b"mif1",
        b"avif",
    )


def _reduced(picture: Image.Image, side: int, mode: str) -> Image.Image:
    """Decode no more than needed: a JPEG is asked for a half, a quarter or an eighth of its size."""
    scale = min(1.0, side / max(picture.size))
    target = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    picture.draft(mode, target)
    if picture.mode not in ("L", "RGB") and picture.width * picture.height > _HUGE:
        # Coarse, but in place: anything finer would hold such a picture twice, 240 MB each.
        picture.thumbnail((2 * side, 2 * side), Image.Resampling.NEAREST, reducing_gap=None)
    if picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail(target, reducing_gap=2.0)
    picture.load()  # a small one was not touched so far: now it shows whether it is whole
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    with suppress(Exception):  # a broken note about the camera must not cost the picture: it stays as it lies
        return ImageOps.exif_transpose(picture)
    return picture


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    page = Image.new("RGB", picture.size, "white")
    page.paste(picture, mask=picture.getchannel("A"))
    return page


def _as_gray(picture: Image.Image) -> Gray:
    return Gray(picture.tobytes(), picture.width, picture.height)


def _as_image(picture: Gray) -> Image.Image:
    return Image.frombytes("L", (picture.width, picture.height), picture.pixels)


def _jpeg(picture: Image.Image) -> bytes:
    picture.info.clear()
    out = BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
