"""HTTP for who am I: logging in and out, language and theme, one's own phones.

Longer than most files because it is many small pages, each a few lines.
"""

from typing import Any, TypeAlias
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, URLEncodedBody
from litestar.response import Redirect

from app.channels.hosts import PushHosts
from app.channels.subscription import check_subscription
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
from app.people import addresses, login, queries
from app.people.models import Person, Role, Team

COOKIE = "pullcord_session"
logins = Limit(20)  # a minute, for one address: a whole line behind one access point still gets in

Me: TypeAlias = NamedDependency[Person | None]
Staff: TypeAlias = NamedDependency[Person]
Hosts: TypeAlias = NamedDependency[PushHosts]


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


class PasswordForm(Form):
    current: str = ""
    password: str = ""


class NextForm(Form):
    next: str = ""
    lang: str = ""
    theme: str = ""


class NewAddress(Form):
    kind: str
    subscription: dict[str, Any]
    label: str = ""


@get("/login")
async def login_page(request: AnyRequest, me: Me, next: FromQuery[str] = "/queue") -> Response[Any]:
    return page(request, "people/login.html", next=safe_next(next, "/queue"), failed=False, name="")


@post("/login", status_code=303)
async def log_in(request: AnyRequest, data: URLEncodedBody[PinForm], db: Db, now: Now, config: Site) -> Response[Any]:
    logins.take(_from(request), at=now.timestamp())
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
    logins.take(_from(request), at=now.timestamp())
    person = await db.read(login.by_badge, badge, now=now)
    return await _enter(request, db, person, "/queue", now=now, config=config)


@post("/logout", status_code=303)
async def log_out(request: AnyRequest, db: Db) -> Redirect:
    if cookie := request.cookies.get(COOKIE):
        await db.write(login.close_session, cookie)
    answer = see("/")
    answer.delete_cookie(COOKIE, path="/")
    return answer


@get("/me")
async def my_page(request: AnyRequest, staff: Staff, db: Db) -> Response[Any]:
    devices = await db.read(addresses.of_person, staff.id)
    team = await db.read(lambda session: session.get(Team, staff.team_id) if staff.team_id else None)
    shown: dict[str, Any] = {"devices": devices, "team": team.names if team else None}
    return page(request, "people/me.html", may_have_password=staff.role.rank >= Role.MANAGER.rank, **shown)


@post("/me/password", status_code=303)
async def set_password(
    request: AnyRequest, data: URLEncodedBody[PasswordForm], staff: Staff, db: Db, now: Now
) -> Redirect:
    logins.take(_from(request), at=now.timestamp())
    hashed = await db.read(login.new_password, staff.id, data.current, data.password)
    if not hashed:
        raise login.WrongLogin()
    await db.write(login.store_password, staff.id, hashed)
    return see("/me")


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


@post("/addresses", status_code=201)
async def keep_address(data: JSONBody[NewAddress], staff: Staff, db: Db, now: Now, push_hosts: Hosts) -> dict[str, str]:
    target = check_subscription(data.subscription, push_hosts)
    endpoint = str(target["endpoint"])
    address = await db.write(
        addresses.keep_address, staff, "webpush", target, unique=endpoint, label=data.label, now=now
    )
    return {"id": str(address.id)}


@delete("/addresses/{address_id:uuid}", status_code=204)
async def drop_address(address_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> None:
    await db.write(addresses.forget, staff, address_id, now=now)


@post("/addresses/{address_id:uuid}/removal", status_code=303)
async def remove_address(address_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(addresses.forget, staff, address_id, now=now)
    return see("/me")


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


def _from(request: AnyRequest) -> str:
    return request.client.host if request.client else ""


handlers = [
    login_page, log_in, badge_page, badge_in, log_out, my_page,
    set_password,
    set_language, set_theme, keep_address, drop_address, remove_address,
]  # fmt: skip
