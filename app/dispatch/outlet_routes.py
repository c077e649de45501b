"""HTTP for channels: what the plant has, whether it works, and what an administrator may do about it.

Longer than most files: the forms of all kinds are here.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect

from app.channels.targets import new_secret
from app.dispatch import outlets
from app.dispatch.models import Outlet
from app.dispatch.outlets import KINDS, BadOutlet, Scope
from app.dispatch.queries import latencies
from app.dispatch.words import CHANNEL_WORDS
from app.kit.errors import N_, NotAllowed
from app.kit.http import AnyRequest, Db, Form, Now, Site, page, see
from app.people.models import Person, Role
from app.people.routes import Staff
from app.settings import Settings

Secret: TypeAlias = NamedDependency[bytes]
WEEK: Final = timedelta(days=7)
OWN: Final = {"email": "smtp_url", "sms": "sms_url", "voice": "voice_url", "ntfy": "ntfy_url"}
"""Channels of persons that need something of the installation, and the setting that has it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form of a kind."""

    name: str
    label: str
    hint: str = ""
    secret: bool = False
    needed: bool = True
    long: bool = False


ADDRESS: Final = N_("Webhook address")
FIELDS: Final = {
    "wecom": (Field("url", ADDRESS, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…", secret=True),),
    "dingtalk": (
        Field("url", ADDRESS, "https://oapi.dingtalk.com/robot/send?access_token=…", secret=True),
        Field("secret", N_("Secret of the signature"), "SEC…", secret=True),
    ),
    "feishu": (
        Field("url", ADDRESS, "https://open.feishu.cn/open-apis/bot/v2/hook/…", secret=True),
        Field("secret", N_("Secret of the signature"), secret=True),
    ),
    "webhook": (
        Field("url", ADDRESS, "https://…", secret=True),
        Field("secret", N_("Secret of the signature (Standard Webhooks)"), "whsec_…", secret=True),
    ),
    "dingtalk_stream": (
        Field("app", N_("App (client id)"), "ding…"),
        Field("secret", N_("Secret of the app"), secret=True),
        Field("group", N_("Group (openConversationId)"), "cid…"),
        Field("template", N_("Card template, if it is your own"), "….schema", needed=False),
    ),
    "feishu_long": (
        Field("app", N_("App (App ID)"), "cli_…"),
        Field("secret", N_("Secret of the app"), secret=True),
        Field("group", N_("Group (chat_id)"), "oc_…"),
        Field("api", N_("Where it is, if it is Lark"), "https://open.larksuite.com", needed=False),
    ),
    "wecom_smart": (
        Field("app", N_("Robot (Bot ID)"), "aib…"),
        Field("secret", N_("Secret of the robot"), secret=True),
        Field("group", N_("Group (chatid)"), "wr…"),
    ),
    "mqtt": (
        Field("url", N_("Broker"), "mqtts://user:password@broker:8883", secret=True),
        Field("topic", N_("Topic"), "plant/line3/light"),
        Field("on", N_("Sent to switch on"), "1", needed=False),
        Field("off", N_("Sent to switch off"), "0", needed=False),
        Field("authority", N_("Certificate of the authority (PEM), if it is your own"), needed=False, long=True),
    ),
    "stacklight": (
        Field("url", N_("OPC UA server"), "opc.tcp://user:password@controller:4840", secret=True),
        Field("node", N_("Tag"), "ns=2;s=Line3.Light"),
        Field("on", N_("Written to switch on"), "1", needed=False),
        Field("off", N_("Written to switch off"), "0", needed=False),
    ),
}
WORDS: Final = {
    "dingtalk_stream": N_("DingTalk app, with an Accept button"),
    "feishu_long": N_("Feishu app, with an Accept button"),
    "wecom_smart": N_("WeCom smart robot, with an Accept button"),
    "mqtt": N_("stack light or siren (MQTT)"),
    "stacklight": N_("stack light (OPC UA tag)"),
}
STATES: Final = {"ok": N_("works"), "fault": N_("fault"), "paused": N_("paused"), "new": N_("not tried yet")}


class OutletForm(Form):
    kind: str = ""
    name: str = ""
    url: str = ""
    secret: str = ""
    app: str = ""
    group: str = ""
    template: str = ""
    api: str = ""
    topic: str = ""
    node: str = ""
    on: str = ""
    off: str = ""
    authority: str = ""
    line: str = ""
    team: str = ""
    severity: str = "2"
    begins: str = ""


async def provide_admin(staff: Staff) -> Person:
    if staff.role != Role.ADMIN:
        raise NotAllowed()
    return staff


Admin: TypeAlias = NamedDependency[Person]


@get("/channels")
async def channels_page(request: AnyRequest, admin: Admin, db: Db, config: Site, now: Now) -> Response[Any]:
    found = await db.read(outlets.places, admin.site_id, now=now)
    shown: dict[str, Any] = {
        "places": found,
        "alarm": await db.read(outlets.push_alarm, now=now),
        "latencies": await db.read(latencies, since=now - WEEK),
        "own": {kind: (bool(getattr(config, name).get_secret_value()), name) for kind, name in OWN.items()},
        "kinds": KINDS,
        "words": CHANNEL_WORDS | WORDS,
        "states": STATES,
    }
    return page(request, "outlets/page.html", **shown)


@get("/channels/new")
async def new_page(request: AnyRequest, admin: Admin, db: Db, kind: FromQuery[str] = "") -> Response[Any]:
    if kind not in KINDS:
        raise BadOutlet()
    made = {"secret": new_secret()} if kind == "webhook" else {}
    return await _form(request, db, kind, outlet=None, given=made)


@get("/channels/{outlet_id:uuid}")
async def change_page(request: AnyRequest, outlet_id: FromPath[UUID], admin: Admin, db: Db) -> Response[Any]:
    outlet = await db.read(outlets.get, outlet_id, by=admin)
    return await _form(request, db, outlet.channel, outlet=outlet, given={})


@post("/channels", status_code=303)
async def add(
    data: URLEncodedBody[OutletForm], admin: Admin, db: Db, config: Site, secret: Secret, now: Now
) -> Redirect:
    target = _target(data, data.kind, config)
    await db.write(outlets.add, data.kind, data.name, target or {}, _scope(data), by=admin, secret=secret, now=now)
    return see("/channels")


@post("/channels/{outlet_id:uuid}", status_code=303)
async def change(
    outlet_id: FromPath[UUID], data: URLEncodedBody[OutletForm], admin: Admin, db: Db, config: Site, secret: Secret
) -> Redirect:
    outlet = await db.read(outlets.get, outlet_id, by=admin)
    entered = any(getattr(data, field.name).strip() for field in FIELDS.get(outlet.channel, ()))
    target = _target(data, outlet.channel, config) if entered else None
    await db.write(outlets.change, outlet_id, data.name, target, _scope(data), by=admin, secret=secret)
    return see(f"/channels#outlet-{outlet_id}")


@post("/channels/{outlet_id:uuid}/test", status_code=303)
async def test(outlet_id: FromPath[UUID], admin: Admin, db: Db, now: Now) -> Redirect:
    await db.write(outlets.test, outlet_id, by=admin, now=now)
    return see(f"/channels#outlet-{outlet_id}")


@post("/channels/{outlet_id:uuid}/pause", status_code=303)
async def pause(outlet_id: FromPath[UUID], admin: Admin, db: Db, now: Now) -> Redirect:
    await db.write(outlets.pause, outlet_id, by=admin, now=now)
    return see(f"/channels#outlet-{outlet_id}")


@post("/channels/{outlet_id:uuid}/pause/end", status_code=303)
async def resume(outlet_id: FromPath[UUID], admin: Admin, db: Db) -> Redirect:
    await db.write(outlets.resume, outlet_id, by=admin)
    return see(f"/channels#outlet-{outlet_id}")


@post("/channels/{outlet_id:uuid}/removal", status_code=303)
async def remove(outlet_id: FromPath[UUID], admin: Admin, db: Db, now: Now) -> Redirect:
    await db.write(outlets.remove, outlet_id, by=admin, now=now)
    return see("/channels")


async def _form(
    request: AnyRequest, db: Any, kind: str, *, outlet: Outlet | None, given: dict[str, str]
) -> Response[Any]:
    lines, teams = await db.read(outlets.lines_and_teams)
    fields = FIELDS.get(kind, ())
    shown = {"kind": kind, "fields": fields, "outlet": outlet, "given": given, "lines": lines, "teams": teams}
    return page(request, "outlets/form.html", words=CHANNEL_WORDS | WORDS, **shown)


def _target(data: OutletForm, kind: str, config: Settings) -> dict[str, object]:
    return outlets.checked(kind, {name: getattr(data, name) for name in data.__struct_fields__}, config)


def _scope(data: OutletForm) -> Scope:
    try:
        line, team = (UUID(text) if text else None for text in (data.line, data.team))
        return Scope(line, team, int(data.severity), data.begins != "first")
    except ValueError as error:
        raise BadOutlet() from error


handlers = [
    channels_page, new_page, change_page, add, change, test, pause, resume, remove,
]  # fmt: skip
