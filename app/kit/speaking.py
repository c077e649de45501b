"""In which language, and in whose wall clock, a request is answered."""

from http.cookies import CookieError, SimpleCookie
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

from app.kit import i18n

COOKIE = b"pullcord_language="


def speaking(fallback: str) -> Any:
    """Return the middleware: the language somebody chose on this phone, else what the phone asks for."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            if str(scope["type"]) == "http":
                headers = dict(scope["headers"])
                asked = headers.get(b"accept-language", b"").decode("latin-1")
                chosen = _chosen(headers.get(b"cookie", b""))
                i18n.language.set(chosen or i18n.negotiate(asked, fallback))
                i18n.timezone.set(scope["litestar_app"].state.get("timezone", "UTC"))
            await app(scope, receive, send)

        return answered

    return middleware


def _chosen(cookies: bytes) -> str:
    if COOKIE not in cookies:
        return ""
    try:
        found = SimpleCookie(cookies.decode("latin-1")).get("pullcord_language")
    except CookieError:
        return ""
    return found.value if found and found.value in i18n.LANGUAGES else ""
