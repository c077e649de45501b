"""Station codes: what a label says, what people make of it, and back.

Crockford's letters: no I, L, O or U, so nobody has to ask whether that is a one. A label carries the address in
upper case, which a QR code packs tighter: 25 modules a side instead of 29 or 41, so each can be larger.
"""

import io
import re
import secrets
import unicodedata
from urllib.parse import urlsplit

import segno

from app.kit.errors import N_, DomainError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 4


class BadCode(DomainError):
    code = "plant.bad_code"
    message = N_(
        "This is not the code of a station. Nothing was sent. "
        "Type the four letters and digits under the QR code of the label, or scan it."
    )
    status = 422


def new_code(length: int = CODE_LENGTH) -> str:
    """Return a random code. The caller sees to it that no two stations share one: four letters are a million."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def normalise(text: str) -> str:
    """Return the code in what somebody typed, pasted or scanned: `7k3q`, `7K 3Q`, `７Ｋ３Ｑ`, a label's whole address.

    Raises:
        BadCode: there is none in it.
    """
    in_address = code_in_address(text)
    if in_address:
        return in_address
    code = _plain(text)
    if not _CODE.fullmatch(code):
        raise BadCode
    return code


def code_in_address(text: str) -> str | None:
    """Return the code of a label's address, whatever its host; None for every other text a QR code may hold."""
    found = _ADDRESS.search(text.strip())
    code = _plain(found[1]) if found else ""
    return code if _CODE.fullmatch(code) else None


def label_address(base_url: str, code: str) -> str:
    """Return what the label's QR code says, `HTTPS://HOST/S/CODE`: scheme, host and port of `base_url`, no path."""
    base = urlsplit(base_url)
    return f"{base.scheme}://{base.netloc}/S/{code}".upper()


def qr(address: str) -> segno.QRCode:
    """Return the QR code of a label: a quarter of it may be scratched away (level Q, or H where that is free)."""
    return segno.make_qr(address, error="q")


def qr_for_terminal(address: str) -> str:
    """Return a QR code in characters, to be scanned from a terminal with a phone; white on black whatever its theme."""
    out = io.StringIO()
    qr(address).terminal(out, compact=True)
    return "".join(f"\033[97;40m{row}\033[0m\n" for row in out.getvalue().splitlines())


_LONGEST = 100
_CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH},12}}")
_ADDRESS = re.compile(r"(?:^|[\w\]])/s/([^/?#]+)", re.IGNORECASE)
_MISREAD = str.maketrans("ILO", "110", " -\t\r\n")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:_LONGEST]).upper().translate(_MISREAD)
