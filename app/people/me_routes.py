"""HTTP for one's own page: how I am called, over what, when not, and on which of my phones."""

from datetime import time
from typing import Any, TypeAlias
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, URLEncodedBody
from litestar.response import Redirect
from sqlmodel import Session

from app.channels.hosts import PushHosts
from app.channels.personal import checked_number, checked_topic
from app.channels.subscription import check_subscription
from app.kit.errors import BadInput
from app.kit.http import AnyRequest, Db, Form, Now, Site, page, see
from app.people import addresses, login, queries, wishes
from app.people.models import Person, Role, Team
from app.people.routes import Staff, logins, sender
from app.people.ways import kinds_of
from app.people.words import WAY_WORDS
from app.settings import Settings

Hosts: TypeAlias = NamedDependency[PushHosts]


class PasswordForm(Form):
    current: str = ""
    password: str = ""


class CallsForm(Form):
    calls: str = ""
    news: str = ""
    quiet_from: str = ""
    quiet_until: str = ""
    deputy: str = ""


class WayForm(Form):
    up: str = ""


class NumbersForm(Form):
    number: str = ""
    topic: str = ""


class NewAddress(Form):
    """`renewal`: the phone says which address it has; else somebody has turned ringing on."""

    kind: str
    subscription: dict[str, Any]
    label: str = ""
    renewal: bool = False
    replaces: str = ""


@get("/me")
async def my_page(request: AnyRequest, staff: Staff, db: Db, config: Site) -> Response[Any]:
    shown = await db.read(_page, staff)
    return page(request, "people/me.html", way_words=WAY_WORDS, may_have=_ways_here(config), **shown)


@post("/me/calls", status_code=303)
async def set_wishes(data: URLEncodedBody[CallsForm], staff: Staff, db: Db) -> Redirect:
    wished = wishes.Wishes(
        calls=bool(data.calls),
        news=bool(data.news),
        quiet_from=_time(data.quiet_from),
        quiet_until=_time(data.quiet_until),
        deputy_id=_id(data.deputy),
    )
    await db.write(wishes.wish, staff.id, wished)
    return see("/me#calls")


@post("/me/ways", status_code=303)
async def set_way(data: URLEncodedBody[WayForm], staff: Staff, db: Db) -> Redirect:
    await db.write(wishes.prefer, staff.id, data.up)
    return see("/me#ways")


@post("/me/numbers", status_code=303)
async def set_numbers(data: URLEncodedBody[NumbersForm], staff: Staff, db: Db, now: Now, config: Site) -> Redirect:
    number = checked_number(data.number) if data.number.strip() else ""
    topic = checked_topic(data.topic) if data.topic.strip() else ""
    given = {"sms": ("number", number), "voice": ("number", number), "ntfy": ("topic", topic)}
    for kind in _ways_here(config):
        key, text = given[kind]
        await db.write(addresses.keep_own, staff, kind, {key: text}, unique=text, now=now)
    return see("/me#ways")


@post("/me/password", status_code=303)
async def set_password(
    request: AnyRequest, data: URLEncodedBody[PasswordForm], staff: Staff, db: Db, now: Now
) -> Redirect:
    logins.take(sender(request), at=now.timestamp())
    hashed = await db.read(login.new_password, staff.id, data.current, data.password)
    if not hashed:
        raise login.WrongLogin()
    await db.write(login.store_password, staff.id, hashed)
    return see("/me")


@post("/addresses", status_code=201)
async def keep_address(data: JSONBody[NewAddress], staff: Staff, db: Db, now: Now, push_hosts: Hosts) -> dict[str, str]:
    """Answer with the address's id, or with what the phone must do: make a new one (gone), or stay silent (removed)."""
    target = check_subscription(data.subscription, push_hosts)
    given: dict[str, Any] = {"unique": str(target["endpoint"]), "label": data.label, "replaces": data.replaces}
    if not data.renewal:
        address = await db.write(addresses.keep_address, staff, "webpush", target, now=now, **given)
        return {"state": addresses.Renewal.LIVE, "id": str(address.id)}
    state, kept = await db.write(addresses.renew, staff, "webpush", target, now=now, **given)
    return {"state": state, "id": str(kept or "")}


@delete("/addresses/{address_id:uuid}", status_code=204)
async def drop_address(address_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> None:
    await db.write(addresses.forget, staff, address_id, now=now)


@post("/addresses/{address_id:uuid}/removal", status_code=303)
async def remove_address(address_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(addresses.forget, staff, address_id, now=now)
    return see("/me#devices")


def _page(session: Session, person: Person) -> dict[str, Any]:
    known = addresses.of_person(session, person.id)
    team = session.get(Team, person.team_id) if person.team_id else None
    typed = {address.channel: next(iter(address.target.values()), "") for address in known}
    return {
        "team": team.names if team else None,
        "devices": [address for address in known if address.channel == "webpush"],
        "ways": kinds_of(person, known),
        "number": typed.get("sms") or typed.get("voice") or "",
        "topic": typed.get("ntfy", ""),
        "colleagues": [
            {"id": one.id, "name": one.name, "team": of.names if of else None}
            for one, of in queries.colleagues(session, person)
        ],
        "may_have_password": person.role.rank >= Role.MANAGER.rank,
    }


def _ways_here(config: Settings) -> list[str]:
    """The ways of this plant that need something of the person: a number, a topic."""
    set_up = {"sms": config.sms_url, "voice": config.voice_url, "ntfy": config.ntfy_url}
    return [kind for kind, url in set_up.items() if url.get_secret_value()]


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text).replace(tzinfo=None) if text else None
    except ValueError:
        raise BadInput() from None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise wishes.NoDeputy() from None


handlers = [
    my_page, set_wishes, set_way, set_numbers, set_password,
    keep_address, drop_address, remove_address,
]  # fmt: skip
