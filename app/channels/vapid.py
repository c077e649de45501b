"""The plant's signature on push messages (VAPID, RFC 8292): one key for the life of the installation."""

import base64
import json
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from app.channels.hosts import BadPushSetting
from app.kit.secret import keep

KEY_FILE: Final = "vapid.pem"  # in the data folder: made at the first start, kept for ever

# RFC 8292 allows a day. We sign for half of one and sign again after a quarter, so that a push service whose
# clock is hours wrong still agrees; and because a signature costs as much CPU as a message, it is made once
# for each service.
VALID: Final = timedelta(hours=12)
RENEW: Final = timedelta(hours=6)


class Vapid:
    """Signs for push services. `contact` is whom they may write to when we misbehave."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, contact: str) -> None:
        self._key = key
        self._contact = checked_contact(contact)
        self._headers: dict[str, tuple[str, datetime]] = {}
        point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.public_key = _encode(point)  # what a browser wants as applicationServerKey

    def header(self, origin: str, *, now: datetime) -> str:
        """Return the Authorization header for one push service, signed anew every six hours."""
        known = self._headers.get(origin)
        if known is None or known[1] <= now:
            known = self._headers[origin] = (self._sign(origin, now), now + RENEW)
        return known[0]

    def forget(self, origin: str) -> None:
        """Sign anew next time: this service did not like what we had."""
        self._headers.pop(origin, None)

    def _sign(self, origin: str, now: datetime) -> str:
        claims = {"aud": origin, "exp": int((now + VALID).timestamp()), "sub": self._contact}
        signed = f"{_json({'typ': 'JWT', 'alg': 'ES256'})}.{_json(claims)}"
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"vapid t={signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))},k={self.public_key}"


def load_or_make_vapid(path: Path, *, contact: str) -> Vapid:
    """Return the key kept in `path`, made at the first start.

    Two processes that start together end with the same key. A file that cannot be read is never replaced:
    another key would silently unsubscribe every phone.

    Raises:
        BadPushSetting: the file is not a P-256 key, or the contact is none that push services accept.
    """
    checked_contact(contact)
    try:
        key = serialization.load_pem_private_key(keep(path, _new_key), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise BadPushSetting(setting=str(path), why=f"the push key cannot be read ({type(error).__name__})") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadPushSetting(setting=str(path), why="the push key is not on the curve P-256")
    return Vapid(key, contact=contact)


def checked_contact(contact: str) -> str:
    """Return `contact` when push services will accept it; Apple answers 403 to a localhost.

    Raises:
        BadPushSetting: it is no mailto: or https: address of a real domain.
    """
    parts = urlsplit(contact)
    host = parts.path.rpartition("@")[2] if parts.scheme == "mailto" else parts.hostname or ""
    user = parts.path.rpartition("@")[0] if parts.scheme == "mailto" else "-"
    if parts.scheme not in ("mailto", "https") or not user or not _public(host):
        raise BadPushSetting(
            setting="push_contact", why=f"{contact!r} is no mailto: or https: address of a real domain"
        )
    return contact


def _public(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        labels = host.lower().split(".")
        return len(labels) > 1 and all(labels) and labels[-1] not in ("localhost", "local", "internal", "invalid")
    return False


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _json(document: dict[str, object] | dict[str, str]) -> str:
    return _encode(json.dumps(document, separators=(",", ":"), sort_keys=True).encode())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
