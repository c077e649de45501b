"""One secret made at first start and kept, and the tokens that are derived from it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def keep(path: Path) -> bytes:
    """Return the secret in `path`, made at the first call. Only its owner can read the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(file, "wb") as out:
        out.write(secrets.token_bytes(32))
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
