"""What a browser hands us when somebody turns ringing on. It is user input: everything is checked."""

import base64
import binascii
import re
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from app.channels.hosts import PushHosts
from app.kit.errors import N_, DomainError

LONGEST_ENDPOINT: Final = 1000  # the longest real ones (Windows) have about 600 characters
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_PRINTABLE: Final = re.compile(r"[!-~]+")


class BadSubscription(DomainError):
    code = "channels.bad_subscription"
    message = N_(
        "This phone sent an address for ringing that cannot work. Nothing was stored. "
        "Turn ringing off and on again; if that does not help, try another browser."
    )
    status = 400


class UnknownPushService(DomainError):
    code = "channels.unknown_push_service"
    message = N_(
        "This phone wants to be called through %(host)s, which is not a push service we know. "
        "Nothing was stored. Use another browser, or ask your administrator to allow this one."
    )
    status = 400


def check_subscription(sent: object, hosts: PushHosts) -> dict[str, object]:
    """Return what `PushSubscription.toJSON()` sent, reduced to what a message needs: endpoint and keys.

    Raises:
        BadSubscription: something is missing, too long, or no key of the curve P-256.
        UnknownPushService: the endpoint is not at one of `hosts`.
    """
    match sent:
        case {"endpoint": str(endpoint), "keys": {"p256dh": str(p256dh), "auth": str(auth)}}:
            pass
        case _:
            raise BadSubscription()
    url = endpoint_url(endpoint)
    if url is None:
        raise BadSubscription()
    if not hosts.allows(url):
        raise UnknownPushService(host=(url.host or "?")[:100])
    if not usable_keys(p256dh, auth):
        raise BadSubscription()
    return {"endpoint": endpoint, "keys": {"p256dh": p256dh.rstrip("="), "auth": auth.rstrip("=")}}


def endpoint_url(endpoint: str) -> URL | None:
    """Parse with the parser that will also send, so that no two parsers can disagree about the host."""
    if len(endpoint) > LONGEST_ENDPOINT or not _PRINTABLE.fullmatch(endpoint):
        return None
    try:
        url = URL(endpoint, encoded=True)
        return url if url.host and url.port and not url.fragment else None
    except ValueError:
        return None


def usable_keys(p256dh: str, auth: str) -> bool:
    """Tell whether a message can be encrypted for this phone: a point on P-256, and a secret of 16 bytes."""
    point = _decode(p256dh)
    if len(point) != 65 or len(_decode(auth)) != 16:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return True


def _decode(text: str) -> bytes:
    if len(text) > 100 or not _BASE64URL.fullmatch(text):
        return b""
    text = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""
