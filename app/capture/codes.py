"""Reading the QR code in a photo. Four tries in a row, cheapest first: together they read more than any alone."""

from collections.abc import Callable
from functools import cache

import zxingcpp
from anyio import to_thread

from app.capture.media import TWO_AT_A_TIME, Gray, gray, sharpened, stretched
from app.kit.errors import N_, DomainError
from app.plant.codes import code_in_address


class NoCodeInPicture(DomainError):
    code = "capture.no_code_in_picture"
    message = N_(
        "We found no QR code in this picture. Nothing was sent. "
        "Go closer, hold still and take it again, or type the four letters and digits under the QR code."
    )
    status = 422


class NotAStationLabel(DomainError):
    code = "capture.not_a_station_label"
    message = N_(
        "This QR code is not a station label; it may be a product label. Nothing was sent. "
        "Take a picture of the station label, or type the four letters and digits under its QR code."
    )
    status = 422


async def find_station_code(photo: bytes) -> str:
    """`station_code_in`, away from the event loop, two at a time."""
    return await to_thread.run_sync(station_code_in, photo, limiter=TWO_AT_A_TIME)


def station_code_in(photo: bytes) -> str:
    """Return the code of the station whose label the photo shows.

    Raises:
        NoCodeInPicture, NotAStationLabel: nothing to read, or something else.
        PhotoTooLarge, NotAPicture, PhotoBroken: as for every photo.
    """
    texts = read(gray(photo))
    if not texts:
        raise NoCodeInPicture
    for text in texts:
        if code := code_in_address(text):
            return code
    raise NotAStationLabel


def read(picture: Gray) -> list[str]:
    """Return the text of every QR code that the first successful reader finds."""
    for reader in READERS:
        if texts := reader(picture):
            return texts
    return []


def read_plain(picture: Gray) -> list[str]:
    """zxing: about 5 ms."""
    view = memoryview(picture.pixels).cast("B", (picture.height, picture.width))
    return [found.text for found in zxingcpp.read_barcodes(view, formats=zxingcpp.barcode_formats_from_str("QRCode"))]


def read_stretched(picture: Gray) -> list[str]:
    """zxing again with the contrast stretched: labels in dark halls."""
    return read_plain(stretched(picture))


def read_sharpened(picture: Gray) -> list[str]:
    """zxing once more with the edges drawn harder: labels out of focus."""
    return read_plain(sharpened(stretched(picture)))


def read_again(picture: Gray) -> list[str]:
    """zbar: ten times the work and other eyes. Finds nothing where its system library is missing."""
    if zbar_missing():
        return []
    from pyzbar import pyzbar

    image = (picture.pixels, picture.width, picture.height)
    seen = pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE])  # type: ignore[no-untyped-call]
    return [found.data.decode("utf-8", "replace") for found in seen]


READERS: tuple[Callable[[Gray], list[str]], ...] = (read_plain, read_stretched, read_sharpened, read_again)


@cache
def zbar_missing() -> str:
    """Say in one sentence how to get the last reader; nothing when it is there. It fails at import, hence so late."""
    try:
        import pyzbar.pyzbar  # noqa: F401
    except ImportError:
        return ZBAR_MISSING
    return ""


ZBAR_MISSING = N_(
    "The second QR reader is off because the system library zbar is missing: some worn or dark labels will not be "
    "read from photos. Install it with `apt install libzbar0` (Debian, Ubuntu) or `brew install zbar` (macOS)."
)
