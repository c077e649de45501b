"""HTTP for who am I: logging in and out, language and theme."""

from typing import Any, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect

from app.kit import i18n
from app.kit.db import Database
from app.kit.errors import NotAllowed
from app.kit.guard import Limit
from app.kit.http import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    AnyRequest,
    Db,
    Form,
    Now,
    Site,
    keep,
    page,
    safe_next,
    see,
)
from app.kit.secret import digest
from app.people import login, queries
from app.people.models import Person, Role

COOKIE = "pullcord_session"
logins = Limit(20)  # a minute, for one address: a whole line behind one access point still gets in

Me: TypeAlias = NamedDependency[Person | None]
Staff: TypeAlias = NamedDependency[Person]


async def provide_me(request: AnyRequest, db: Db, now: Now) -> Person | None:
    """Whoever is logged in on this phone."""
    cookie = request.cookies.get(COOKIE)
    person = await db.read(queries.logged_in, digest(cookie), now=now) if cookie else None
    request.scope["state"]["person"] = person
    if person and person.language and LANGUAGE_COOKIE not in request.cookies:
        i18n.language.set(person.language)
    return person


async def provide_staff(me: Me) -> Person:
    if me is None:
        raise login.LoginNeeded()
    return me


async def provide_lead(staff: Staff) -> Person:
    if staff.role.rank < Role.TEAM_LEAD.rank:
        raise NotAllowed()
    return staff


class PinForm(Form):
    name: str = ""
    pin: str = ""
    next: str = ""


class NextForm(Form):
    next: str = ""
    lang: str = ""
    theme: str = ""


@get("/login")
async def login_page(request: AnyRequest, me: Me, next: FromQuery[str] = "/queue") -> Response[Any]:
    return page(request, "people/login.html", next=safe_next(next, "/queue"), failed=False, name="")


@post("/login", status_code=303)
async def log_in(request: AnyRequest, data: URLEncodedBody[PinForm], db: Db, now: Now, config: Site) -> Response[Any]:
    logins.take(sender(request), at=now.timestamp())
    person, fits = await db.read(login.by_pin, data.name, data.pin, now=now)
    target = safe_next(data.next, "/queue")
    if person is not None and (not fits or person.failed_logins):
        await db.write(login.note_try, person.id, fits=fits, now=now)
    if person is None or not fits:
        return page(request, "people/login.html", status=403, next=target, failed=True, name=data.name)
    return await _enter(request, db, person, target, now=now, config=config)


@get("/b/{badge:str}")
async def badge_page(request: AnyRequest, badge: FromPath[str], db: Db, now: Now) -> Response[Any]:
    """Opening a badge's address logs nobody in: link previews open addresses too."""
    person = await db.read(login.by_badge, badge, now=now)
    return page(request, "people/badge.html", person=person, next="/queue")


@post("/b/{badge:str}", status_code=303)
async def badge_in(request: AnyRequest, badge: FromPath[str], db: Db, now: Now, config: Site) -> Response[Any]:
    logins.take(sender(request), at=now.timestamp())
    person = await db.read(login.by_badge, badge, now=now)
    return await _enter(request, db, person, "/queue", now=now, config=config)


@post("/logout", status_code=303)
async def log_out(request: AnyRequest, db: Db) -> Redirect:
    if cookie := request.cookies.get(COOKIE):
        await db.write(login.close_session, cookie)
    answer = see("/")
    answer.delete_cookie(COOKIE, path="/")
    return answer


@post("/language", status_code=303)
async def set_language(data: URLEncodedBody[NextForm], config: Site) -> Redirect:
    answer = see(safe_next(data.next, "/"))
    if data.lang in i18n.LANGUAGES:
        answer.cookies.append(keep(LANGUAGE_COOKIE, data.lang, secure=_secure(config)))
    return answer


@post("/theme", status_code=303)
async def set_theme(data: URLEncodedBody[NextForm], config: Site) -> Redirect:
    answer = see(safe_next(data.next, "/"))
    if data.theme in THEMES:
        answer.cookies.append(keep(THEME_COOKIE, data.theme, secure=_secure(config)))
    return answer


async def _enter(
    request: AnyRequest, db: Database, person: Person, target: str, *, now: Any, config: Any
) -> Response[Any]:
    device = request.headers.get("user-agent", "")
    cookie = await db.write(login.open_session, person, device=device, now=now)
    answer = see(target)
    answer.cookies.append(keep(COOKIE, cookie, secure=_secure(config), days=login.STAYS.days, http_only=True))
    return answer


def _secure(config: Any) -> bool:
    return bool(config.public_url.startswith("https:"))


def sender(request: AnyRequest) -> str:
    return request.client.host if request.client else ""


handlers = [login_page, log_in, badge_page, badge_in, log_out, set_language, set_theme]
