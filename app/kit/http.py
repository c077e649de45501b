"""The HTTP edge: pages, forms, and one place where every refusal becomes a sentence.

Longer than most files because every way a refusal is shown is here, and nowhere else.
"""

import gzip
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

import jinja2
import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import Cookie, UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.response import Redirect
from markupsafe import Markup

from app.kit import i18n
from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.errors import N_, BadInput, DomainError, NotFound
from app.kit.guard import TooMany
from app.kit.pwa import FRONTEND, Assets
from app.settings import Settings

Db: TypeAlias = NamedDependency[Database]
Now: TypeAlias = NamedDependency[datetime]
Site: TypeAlias = NamedDependency[Settings]

AnyRequest: TypeAlias = Request[Any, Any, Any]
Lead: TypeAlias = NamedDependency[Any]
"""Whoever is logged in, at least a team lead (see people.routes.provide_lead)."""

LANGUAGE_COOKIE = "pullcord_language"
THEME_COOKIE = "pullcord_theme"
THEMES = ("auto", "bright", "dark")
LONGEST_TEXT = 4000
WORTH_PACKING = 500

log = structlog.get_logger()


class TooLong(DomainError):
    code = "pullcord.too_long"
    message = N_(
        "This text is too long (%(limit)s characters at most). Nothing was stored. Shorten it and send it again."
    )
    status = 400


class TooLarge(DomainError):
    code = "pullcord.too_large"
    message = N_("This file is too large. It was not stored; what you sent before is safe. Send a smaller one.")
    status = 413


class Form(msgspec.Struct, kw_only=True):
    """What a form may send. Texts are short and of characters every database takes."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                check_text(value)


def check_text(text: str) -> None:
    """Refuse what no person types.

    Raises:
        TooLong, BadInput
    """
    if len(text) > LONGEST_TEXT:
        raise TooLong(limit=LONGEST_TEXT)
    # U+FFFD is what a decoder puts where bytes were no UTF-8: what was meant is lost already.
    if "\x00" in text or "\ufffd" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise BadInput()


class SheetForm(msgspec.Struct):
    """`text` is checked piece by piece: a sheet is longer than what people type."""

    text: str = ""
    publish: str = ""

    def __post_init__(self) -> None:
        for start in range(0, len(self.text), LONGEST_TEXT):
            check_text(self.text[start : start + LONGEST_TEXT])


class SheetFile(msgspec.Struct):
    sheet: UploadFile


async def sent(request: AnyRequest) -> list[tuple[str, str]]:
    """Return what a form of any length sent, in its order; texts no person types are refused."""
    form = await request.form()
    fields = [(str(name), value) for name, value in form.multi_items() if isinstance(value, str)]
    for _, value in fields:
        check_text(value)
    return fields


class Pages:
    """Renders templates with what every page knows."""

    def __init__(self, assets: Assets, *, vapid_key: str) -> None:
        self.env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FRONTEND / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # else it looks whether a file has changed, for each of fifty cards
        )
        self.env.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
        sprite = assets.url("images/icons.svg")

        @cache
        def icon(name: str) -> Markup:
            return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(sprite, name)

        self.env.globals.update(asset=assets.url, icon=icon, vapid_key=vapid_key, html_languages=i18n.HTML_LANGUAGE)
        self.env.filters.update(
            named=i18n.named,
            clock=i18n.clock,
            hm=lambda moment: i18n.local(moment).strftime("%H:%M"),
            weekday=i18n.weekday,
            day=lambda moment: i18n.local(moment).day,
            iso=lambda moment: moment.isoformat(),
            elapsed=i18n.elapsed,
            duration=lambda ms: f"{ms // 60000}:{ms // 1000 % 60:02d}",
        )

    def render(self, request: Request[Any, Any, Any], template: str, **context: Any) -> str:
        now: datetime = utcnow()
        lang = i18n.language.get()
        person = context.pop("me", None) or request.scope["state"].get("person")
        rank = person.role.rank if person else -1
        return self.env.get_template(template).render(
            lang=lang,
            html_lang=i18n.HTML_LANGUAGE[lang],
            theme=theme_of(request),
            me=person,
            is_lead=rank >= 1,
            is_admin=rank >= 4,
            can_see_queue=person is not None,
            path=here(request),
            now=now,
            when=lambda moment: i18n.when(moment, now=now),
            ago=lambda moment: i18n.elapsed((now - moment).total_seconds()),
            **context,
        )


def page(request: Request[Any, Any, Any], template: str, *, status: int = 200, **context: Any) -> Response[bytes]:
    """Render a page or a partial for whoever asks."""
    pages: Pages = request.app.state.pages
    headers = {"cache-control": "no-store", "vary": "HX-Request, Accept-Encoding"}
    body = pages.render(request, template, **context).encode()
    if len(body) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = gzip.compress(body, 5, mtime=0), "gzip"
    return Response(body, status_code=status, media_type="text/html", headers=headers)


def see(path: str) -> Redirect:
    """Answer a form: go and look there."""
    return Redirect(path, status_code=303)


def wants_fragment(request: Request[Any, Any, Any]) -> bool:
    """Tell htmx from a whole page being loaded."""
    return request.headers.get("hx-request") == "true"


def wants_json(request: Request[Any, Any, Any]) -> bool:
    return "application/json" in request.headers.get("accept", "")


def here(request: Request[Any, Any, Any]) -> str:
    """The path that is being looked at, with its query."""
    query = request.scope["query_string"].decode("latin-1")
    return request.scope["path"] + (f"?{query}" if query else "")


def safe_next(given: str, fallback: str) -> str:
    """Return a path on this site, whatever was asked for."""
    parts = urlsplit(given)
    inside = given.startswith("/") and not given.startswith("//") and not parts.netloc and "\\" not in given
    return given if inside and given.isprintable() else fallback


def theme_of(request: Request[Any, Any, Any]) -> str:
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def keep(name: str, value: str, *, secure: bool, days: int = 365, http_only: bool = False) -> Cookie:
    """A cookie that only this site reads."""
    age = int(timedelta(days=days).total_seconds())
    return Cookie(key=name, value=value, max_age=age, path="/", secure=secure, httponly=http_only, samesite="lax")


def show_refusal(request: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    """Tell the person what happened, in the page they are on; what they saw stays."""
    text = i18n.sentence(error.message, error.details)
    log.info("refused", code=error.code, path=request.scope["path"])
    shown = {"code": error.code, "text": text, "hint": None}
    if error.status == 401 and request.method == "GET" and not wants_json(request):
        return _to_login(request)
    if wants_json(request):
        return Response(shown, status_code=error.status, media_type="application/json")
    if wants_fragment(request):
        answer = page(request, "shared/_error.html", status=error.status, error=shown)
        answer.headers.update({"HX-Retarget": "#messages", "HX-Reswap": "beforeend"})
        return answer
    return page(request, "shared/error.html", status=error.status, error=shown)


def _to_login(request: AnyRequest) -> Response[Any]:
    """Whoever only wanted to look logs in first, and then sees it."""
    if wants_fragment(request):
        return Response("", status_code=200, headers={"HX-Redirect": "/login"})
    return see("/login?" + urlencode({"next": here(request)}))


def show_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What Litestar refuses (no such address, unreadable body), in the same words as everything else."""
    if isinstance(error, NotFoundException) or error.status_code == 404:
        return show_refusal(request, NotFound())
    if error.status_code == 413:
        return show_refusal(request, TooLarge())
    if error.status_code == 429:
        return show_refusal(request, TooMany())
    refusal: DomainError = BadInput()
    if isinstance(cause := error.__cause__, msgspec.ValidationError) and isinstance(cause.__cause__, DomainError):
        refusal = cause.__cause__
    answer = show_refusal(request, refusal)
    if error.status_code in (405, 415):
        answer.status_code = error.status_code
    return answer


def show_fault(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A fault of ours: logged with its trace, shown without it."""
    if isinstance(error, UnicodeDecodeError | RecursionError):
        return show_refusal(request, BadInput())
    log.error("fault", path=request.scope["path"], exc_info=error)
    return show_refusal(request, Fault())


class Fault(DomainError):
    code = "pullcord.fault"
    message = N_(
        "Something went wrong here. What was stored before is safe. Try again; if it stays, call your administrator."
    )
    status = 500
