"""One secret made at first start and kept, and the tokens that are derived from it."""

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from cryptography.fernet import Fernet, InvalidToken

SECRET_FILE: Final = "secret.key"  # noqa: S105  (where it is kept, not what it is)


def keep(path: Path, make: Callable[[], bytes] = lambda: secrets.token_bytes(32)) -> bytes:
    """Return the secret in `path`, made at the first call. Only its owner can read the file.

    It gets its name when it is whole: neither a process that starts at the same moment nor one that is killed half-way
    leaves anybody with half a secret.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name) as made:  # 0600, like every file it makes
            made.write(make())
            made.flush()
            os.fsync(made.fileno())
            with suppress(FileExistsError):  # somebody else was first: theirs it is
                os.link(made.name, path)
    return path.read_bytes()


def token(secret: bytes, purpose: str, name: str) -> str:
    """Return a token nobody can make without the secret; the same one each time, so nothing has to be stored."""
    return hmac.new(secret, f"{purpose}:{name}".encode(), hashlib.sha256).hexdigest()[:43]


def fits(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def digest(secret: str) -> str:
    """Return what is stored of a random secret that only its holder knows."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Unsealable(Exception):
    """What was sealed with another secret cannot be read: the data folder was put together from two plants."""


def seal(secret: bytes, what: Mapping[str, object]) -> str:
    """Return `what` so that only this installation can read it."""
    return _fernet(secret).encrypt(msgspec.json.encode(what)).decode()


def unseal(secret: bytes, sealed: str) -> dict[str, object]:
    """Return what was sealed.

    Raises:
        Unsealable
    """
    try:
        return dict(msgspec.json.decode(_fernet(secret).decrypt(sealed)))
    except InvalidToken:
        raise Unsealable() from None


def _fernet(secret: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.new(secret, b"outlets", hashlib.sha256).digest()))
