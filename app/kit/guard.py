"""What stands between the network and the app: headers, forged requests, floods, bytes nobody can mean."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.errors import N_, DomainError
from app.kit.i18n import gettext

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSP: Final = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'"
)
HEADERS: Final = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=()"),
]
LONGEST_PATH: Final = 2000


class Forged(DomainError):
    code = "pullcord.other_site"
    message = N_("This came from another website, so nothing was done. Open Pullcord itself and try again.")
    status = 403


class BadAddress(DomainError):
    code = "pullcord.bad_address"
    message = N_("This address cannot be meant. Nothing was changed. Scan a station label or go to the start page.")
    status = 400


class TooMany(DomainError):
    code = "pullcord.too_many"
    message = N_(
        "Too many in a short time. Nothing more was stored. Wait a minute and try again, or call your team lead."
    )
    status = 429


def front_door(app: ASGIApp) -> ASGIApp:
    """Refuse forged and unreadable requests; put the security headers on every answer.

    Forgery is told by what the browser itself says about the origin (Sec-Fetch-Site, else Origin), not by a token in
    the form: so a page from the cache, a form without JavaScript and the service worker all work; nothing can go stale.
    A client that sends neither header is no browser, and carries no one's cookie.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if str(scope["type"]) != "http":
            await app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        if refusal := _refusal(scope):
            await _answer(with_headers, *refusal)
            return
        await app(scope, receive, with_headers)

    return guarded


def _refusal(scope: Any) -> tuple[int, bytes] | None:
    path: str = scope["path"]
    query: bytes = scope.get("query_string", b"")
    if len(path) > LONGEST_PATH or "\x00" in path or "\ufffd" in path or b"%00" in query:
        return 400, f"{BadAddress.code}: {gettext(BadAddress.message)}".encode()
    if scope["method"] not in SAFE_METHODS and not same_origin(scope["headers"]):
        return 403, f"{Forged.code}: {gettext(Forged.message)}".encode()
    return None


def same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether a request that changes something comes from our own pages (or from no browser at all). Pure."""
    given = dict(headers)
    site = given.get(b"sec-fetch-site")
    if site is not None:
        return site in (b"same-origin", b"none")
    origin = given.get(b"origin")
    if origin is None:
        return True
    host = given.get(b"host", b"").decode("latin-1")
    return bool(host) and urlsplit(origin.decode("latin-1")).netloc == host


async def _answer(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text, "more_body": False})


class Limit:
    """So many a minute for each key, refilled evenly. In memory: a restart forgives everybody."""

    KEYS = 20_000

    def __init__(self, a_minute: int) -> None:
        self.size = float(a_minute)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, *, at: float) -> None:
        """Use one up. `at` is any clock in seconds.

        Raises:
            TooMany: this key has none left.
        """
        left, since = self._left.pop(key, (self.size, at))
        left = min(self.size, left + max(at - since, 0) * self.size / 60)
        self._left[key] = (max(left - 1, 0) if left >= 1 else left, at)
        if len(self._left) > self.KEYS:
            self._left.popitem(last=False)
        if left < 1:
            raise TooMany()
