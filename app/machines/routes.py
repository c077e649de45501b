"""HTTP for sources: which there are, how each stands, who they are, what can be read there.

Longer than most files: adding one source is a walk through discovery, trust, login and tags, and this is the walk.
"""

import asyncio
from typing import Any, Final, TypeAlias
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect

from app.channels.inside import Inside
from app.kit.errors import NotAllowed
from app.kit.http import AnyRequest, Db, Form, Now, Site, check_text, page, see, wants_fragment
from app.machines import actions, certificates, places, source_actions, source_queries
from app.machines.asking import Asker, Discovery, Seen
from app.machines.certificates import Certificate, Unreadable
from app.machines.faults import Fault
from app.machines.models import LinkState, Source
from app.machines.security import CHOICES, Mode, Policy
from app.machines.source_actions import BadSource, NothingPicked, Pick, Wish
from app.machines.source_words import LOGIN_WORDS, MODE_WORDS, STATE_ICONS, STATE_TONES, STATE_WORDS
from app.people.models import Person, Role
from app.people.routes import Staff
from app.settings import Settings

Admin: TypeAlias = NamedDependency[Person]
Engineer: TypeAlias = NamedDependency[Person]
"""An engineer, a manager or an administrator: who may see what machines say."""
Machines: TypeAlias = NamedDependency[Asker]
Secret: TypeAlias = NamedDependency[bytes]


async def provide_engineer(staff: Staff) -> Person:
    if staff.role.rank < Role.ENGINEER.rank:
        raise NotAllowed()
    return staff


FARTHEST: Final = 20_000
"""Nobody looks through more children of one node by thumb."""


class SourceForm(Form):
    name: str = ""
    url: str = ""
    way: str = ""
    login: str = "anonymous"
    user: str = ""
    password: str = ""
    pem: str = ""
    isolated: str = ""


class PlaceForm(Form):
    url: str = ""


class TrustForm(Form):
    sha256: str = ""


class SwitchForm(Form):
    on: str = ""


class TagsForm(Form):
    station: str = ""
    node: list[str] | str = []
    name: list[str] | str = []
    unit: list[str] | str = []
    propose: list[str] | str = []


@get("/machines")
async def machines_page(request: AnyRequest, engineer: Engineer, db: Db) -> Response[Any]:
    cards = await db.read(source_queries.cards)
    return page(request, "machines/index.html", cards=cards, **_words())


@get("/machines/new")
async def new_page(request: AnyRequest, admin: Admin) -> Response[Any]:
    return page(request, "machines/new.html", url="")


@post("/machines/discovery", status_code=200)
async def discover(
    request: AnyRequest, data: URLEncodedBody[PlaceForm], admin: Admin, asker: Machines, config: Site
) -> Response[Any]:
    url = await _place(data.url, config)
    found = await asker.meet(url)
    if isinstance(found, Fault):
        return page(request, "machines/new.html", url=data.url, fault=found)
    way = next((offer.key for offer in found.offers), "")
    shown: dict[str, Any] = {
        "source": None,
        "name": found.name,
        "url": url,
        "way": way,
        "login": "anonymous",
        "offers": found.offers,
    }
    return page(request, "machines/form.html", others=found.others, **shown, **_words())


@post("/machines", status_code=303)
async def add(
    data: URLEncodedBody[SourceForm], admin: Admin, db: Db, config: Site, secret: Secret, now: Now
) -> Redirect:
    wish = _wish(data, await _place(data.url, config))
    source = await db.write(source_actions.add, wish, by=admin, secret=secret, now=now)
    return see(f"/machines/{source.id}" + ("" if source.policy is Policy.NONE else "/certificate"))


@get("/machines/certificate", media_type="application/pkix-cert")
async def own_certificate(engineer: Engineer, config: Site, now: Now) -> Response[bytes]:
    """Ours, for the list of trusted clients of a server."""
    own = await _own(config, now)
    headers = {"content-disposition": 'attachment; filename="pullcord.der"', "cache-control": "no-store"}
    return Response(own.der, media_type="application/pkix-cert", headers=headers)


@get("/machines/{source_id:uuid}")
async def source_page(
    request: AnyRequest, source_id: FromPath[UUID], engineer: Engineer, db: Db, config: Site, now: Now
) -> Response[Any]:
    return await _source(request, source_id, db, config, now)


@get("/machines/{source_id:uuid}/settings")
async def settings_page(request: AnyRequest, source_id: FromPath[UUID], admin: Admin, db: Db) -> Response[Any]:
    source = await db.read(source_queries.get, source_id)
    way = f"{source.policy}/{source.mode}"
    shown: dict[str, Any] = {
        "source": source,
        "name": source.name,
        "url": source.url,
        "way": way,
        "login": source.login,
    }
    return page(request, "machines/form.html", offers=_every_way(), others=(), **shown, **_words())


@post("/machines/{source_id:uuid}/settings", status_code=303)
async def change(
    source_id: FromPath[UUID],
    data: URLEncodedBody[SourceForm],
    admin: Admin,
    db: Db,
    config: Site,
    secret: Secret,
    now: Now,
) -> Redirect:
    before = await db.read(source_queries.get, source_id)
    url = before.url if data.url.strip() == before.url else await _place(data.url, config)
    await db.write(source_actions.change, source_id, _wish(data, url), by=admin, secret=secret, now=now)
    return see(f"/machines/{source_id}")


@get("/machines/{source_id:uuid}/certificate")
async def certificate_page(
    request: AnyRequest, source_id: FromPath[UUID], admin: Admin, db: Db, asker: Machines, config: Site, now: Now
) -> Response[Any]:
    card = await db.read(source_queries.card, source_id)
    found = await asker.meet(card.source.url)
    shown = None if isinstance(found, Fault) else _shown(found, card.source)
    warnings = _doubts(shown, found, card.source, now) if shown and isinstance(found, Discovery) else []
    known: dict[str, Any] = {"card": card, "shown": shown, "warnings": warnings, "own": await _own(config, now)}
    fault = found if isinstance(found, Fault) else None
    return page(request, "machines/trust.html", fault=fault, **known)


@post("/machines/{source_id:uuid}/certificate", status_code=303)
async def trust(
    source_id: FromPath[UUID], data: URLEncodedBody[TrustForm], admin: Admin, db: Db, asker: Machines, now: Now
) -> Redirect:
    """What is trusted is what the server shows at this moment, if it is what the person compared."""
    source = await db.read(source_queries.get, source_id)
    found = await asker.meet(source.url)
    shown = None if isinstance(found, Fault) else _shown(found, source)
    der = shown.der if shown else b""
    await db.write(source_actions.trust, source_id, der, data.sha256, by=admin, now=now)
    return see(f"/machines/{source_id}")


@post("/machines/{source_id:uuid}/try", status_code=303)
async def try_now(source_id: FromPath[UUID], engineer: Engineer, db: Db, now: Now) -> Redirect:
    await db.write(actions.try_now, source_id, now=now)
    return see(f"/machines/{source_id}")


@post("/machines/{source_id:uuid}/test", status_code=200)
async def test(
    request: AnyRequest, source_id: FromPath[UUID], engineer: Engineer, db: Db, asker: Machines, config: Site, now: Now
) -> Response[Any]:
    plan = await db.read(source_queries.asked, source_id)
    health = await asker.test(plan)
    if wants_fragment(request):
        return page(request, "machines/_test.html", health=health, failed=isinstance(health, Fault))
    return await _source(request, source_id, db, config, now, health=health)


@post("/machines/{source_id:uuid}/switch", status_code=303)
async def switch(
    source_id: FromPath[UUID], data: URLEncodedBody[SwitchForm], admin: Admin, db: Db, now: Now
) -> Redirect:
    await db.write(source_actions.switch, source_id, data.on == "1", by=admin, now=now)
    return see(f"/machines/{source_id}")


@get("/machines/{source_id:uuid}/browse")
async def browse_page(
    request: AnyRequest,
    source_id: FromPath[UUID],
    engineer: Engineer,
    db: Db,
    asker: Machines,
    node: FromQuery[str] = "",
    skip: FromQuery[int] = 0,
) -> Response[Any]:
    check_text(node)
    plan = await db.read(source_queries.asked, source_id)
    level = await asker.browse(plan, node.strip(), min(max(skip, 0), FARTHEST))
    fault = level if isinstance(level, Fault) else None
    known = await db.read(source_queries.known_nodes, source_id)
    template = "machines/_children.html" if wants_fragment(request) and not fault else "machines/browse.html"
    shown: dict[str, Any] = {"source_id": source_id, "name": plan.name, "known": known, "node": node}
    return page(request, template, fault=fault, level=None if fault else level, may_pick=_may_pick(engineer), **shown)


@get("/machines/{source_id:uuid}/tags")
async def pick_page(
    request: AnyRequest, source_id: FromPath[UUID], engineer: Engineer, db: Db, asker: Machines
) -> Response[Any]:
    nodes = _few([node.strip() for node in request.query_params.getall("node", []) if node.strip()])
    for node in nodes:
        check_text(node)
    plan = await db.read(source_queries.asked, source_id)
    seen = await asker.look(plan, nodes)
    fault = seen if isinstance(seen, Fault) else None
    stations = await db.read(source_queries.stations)
    shown: dict[str, Any] = {"source_id": source_id, "name": plan.name, "stations": stations}
    return page(request, "machines/pick.html", fault=fault, seen=() if fault else seen, **shown)


@post("/machines/{source_id:uuid}/tags", status_code=303)
async def add_tags(
    request: AnyRequest,
    source_id: FromPath[UUID],
    data: URLEncodedBody[TagsForm],
    engineer: Engineer,
    db: Db,
    asker: Machines,
) -> Response[Any] | Redirect:
    """The range is read again: what is proposed comes from the machine, not from the form."""
    if not _may_pick(engineer):
        raise NotAllowed()
    nodes, names, units = _few(_many(data.node)), _many(data.name), _many(data.unit)
    if not len(nodes) == len(names) == len(units):
        raise NothingPicked()
    plan = await db.read(source_queries.asked, source_id)
    seen = await asker.look(plan, nodes)
    if isinstance(seen, Fault):
        stations = await db.read(source_queries.stations)
        shown: dict[str, Any] = {"source_id": source_id, "name": plan.name, "stations": stations}
        return page(request, "machines/pick.html", fault=seen, seen=(), **shown)
    propose = set(_many(data.propose))
    picks = [_pick(*row, propose) for row in zip(seen, names, units, strict=True)]
    await db.write(source_actions.add_tags, source_id, _uuid(data.station), picks, by=engineer)
    return see(f"/machines/{source_id}#tags")


async def _source(
    request: AnyRequest, source_id: UUID, db: Any, config: Settings, now: Any, *, health: Any = None
) -> Response[Any]:
    card = await db.read(source_queries.card, source_id)
    tags = await db.read(source_queries.tags, source_id)
    shown: dict[str, Any] = {"card": card, "tags": tags, "health": health, "failed": isinstance(health, Fault)}
    own = None if card.source.policy is Policy.NONE else await _own(config, now)
    return page(request, "machines/source.html", own=own, **shown, **_words())


async def _own(config: Settings, now: Any) -> Certificate:
    return (await asyncio.to_thread(certificates.keys, config.data_dir, now=now)).identity.certificate


async def _place(typed: str, config: Settings) -> str:
    url = places.address(typed)
    await asyncio.to_thread(places.check, url, Inside(config.machine_hosts, setting="machine_hosts"))
    return url


def _shown(found: Discovery, source: Source) -> Certificate | None:
    """The certificate a server shows for the way in that was chosen."""
    way = next((o for o in found.offers if (o.policy, o.mode) == (source.policy, source.mode)), None)
    try:
        return certificates.read(way.certificate) if way and way.certificate else None
    except Unreadable:
        return None


def _doubts(shown: Certificate, found: Discovery, source: Source, now: Any) -> list[str]:
    """What speaks against trusting this certificate; each has its words in the template."""
    host = source.url.removeprefix(places.SCHEME).partition("/")[0].rpartition(":")[0]
    doubts = {
        "over": shown.is_over(now=now),
        "early": shown.is_early(now=now),
        "soon": shown.ends_soon(now=now) and not shown.is_over(now=now),
        "uri": found.uri not in shown.uris,
        "host": host not in {name.lower() for name in shown.hosts},
    }
    return [doubt for doubt, there in doubts.items() if there]


def _wish(data: SourceForm, url: str) -> Wish:
    if not data.way:
        raise BadSource()
    fields = {name: getattr(data, name) for name in ("name", "way", "login", "user", "password", "pem")}
    return Wish(url=url, isolated=data.isolated == "yes", **fields)


def _pick(seen: Seen, name: str, unit: str, propose: set[str]) -> Pick:
    return Pick(seen, name.strip()[:80] or seen.name, unit.strip()[:20], seen.node in propose)


def _many(given: list[str] | str) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    for text in texts:
        check_text(text)
    return texts


def _few(nodes: list[str]) -> list[str]:
    if not 0 < len(nodes) <= source_actions.MOST_AT_ONCE or any(len(node) > 500 for node in nodes):
        raise NothingPicked()
    return nodes


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NothingPicked() from error


def _may_pick(person: Person) -> bool:
    return person.role in (Role.ENGINEER, Role.ADMIN)


def _every_way() -> list[dict[str, Any]]:
    return [{"key": f"{policy}/{mode}", "policy": policy, "mode": mode} for policy, mode in CHOICES]


def _words() -> dict[str, Any]:
    states = {"words": STATE_WORDS, "tones": STATE_TONES, "icons": STATE_ICONS}
    return {"states": states, "modes": MODE_WORDS, "logins": LOGIN_WORDS, "plain": Mode.NONE, "State": LinkState}


handlers = [
    machines_page, new_page, discover, add, own_certificate, source_page, settings_page, change, certificate_page,
    trust, try_now, test, switch, browse_page, pick_page, add_tags,
]  # fmt: skip
