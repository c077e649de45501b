"""Checks the signature on a push message the way push services do (RFC 8292)."""

import base64
import json
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

DAY = 24 * 3600


class Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{status} {why}")
        self.status = status


def check_signature(authorization: str, *, key: str | None, origin: str) -> None:
    """Raise `Refused` unless the header is signed by `key`, for us, for at most a day."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
        raise Refused(401, "no VAPID header")
    if key is not None and decode(parts["k"]) != decode(key):
        raise Refused(403, "another key than the phone subscribed with")
    signed, _, signature = parts["t"].rpartition(".")
    raw = decode(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(parts["k"]))
        point.verify(utils.encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
        claims = json.loads(decode(signed.partition(".")[2]))
    except (InvalidSignature, ValueError) as error:
        raise Refused(403, "not signed by this key") from error
    if claims.get("aud") != origin:
        raise Refused(401, f"meant for {claims.get('aud')}, not for {origin}")
    if not time.time() < claims.get("exp", 0) <= time.time() + DAY:
        raise Refused(401, "expired, or valid for more than a day")
    contact = str(claims.get("sub", ""))
    if not contact.startswith(("mailto:", "https:")) or "localhost" in contact:
        raise Refused(403, "BadJwtToken")  # in Apple's words


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
