"""Feishu long connection (飞书长连接): a card with an Accept button in a chat, without a public address.

An app of the company with a robot and the callback card.action.trigger over the long connection; the group gives its
chat_id. The same for Lark, whose `api` is another one.

checked-address: done
gone: exempt (an app that is refused stays: an administrator corrects it)
retry-after: done
timeout: done
replaces: done
displayed: exempt (Feishu tells only some apps who has read a card)
no-secrets-logged: done
tested: done

https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-callback-communication: an answer within three
seconds. The frames are those of the library lark-oapi (pbbp2.proto).
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

import aiohttp

from app.channels.apps import FEISHU
from app.channels.base import Message, Receipt, Undeliverable
from app.channels.feishu import COLOURS
from app.channels.line import NO_LINE, REFUSED, Answerer, Api, Click, Reply, connected, delivery_of, in_time, serve
from app.channels.pbframe import CONTROL, DATA, Frame
from app.channels.robot import plain
from app.settings import Settings

APIS: Final = ("https://open.feishu.cn", "https://open.larksuite.com")
PING: Final = 120.0  # seconds, unless they say otherwise
PIECES: Final = 100  # of one message; more is no card callback


class FeishuLong:
    """Sends cards, changes them, and hears who pressed Accept."""

    kind = "feishu_long"

    def __init__(self, api: str = "") -> None:
        self._apis = {root: Api(root) for root in ([api] if api else FEISHU)}
        self._apps: dict[str, Mapping[str, object]] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, target: Mapping[str, object]) -> Receipt:
        """Send a card to a group (`app`, `secret`, `group`), or to a person (`app`, `user`) of an app that listens."""
        kind, to = ("open_id", target["user"]) if target.get("user") else ("chat_id", target.get("group"))
        body = {"receive_id": to, "msg_type": "interactive", "content": json.dumps(card(message), ensure_ascii=False)}
        said = await self._ask("POST", f"/open-apis/im/v1/messages?receive_id_type={kind}", body, target)
        return {"card": said["data"]["message_id"]}

    async def change(self, message: Message, target: Mapping[str, object], receipt: Receipt) -> None:
        """Let the card say it from now on."""
        body = {"content": json.dumps(card(message), ensure_ascii=False)}
        await self._ask("PATCH", f"/open-apis/im/v1/messages/{receipt['card']}", body, target)

    async def listen(self, target: Mapping[str, object], answer: Answerer) -> None:
        """Open the long connection of an app and answer who presses Accept."""
        app = str(target["app"])
        self._apps[app] = target
        who = {"AppID": app, "AppSecret": target["secret"]}
        door = "/callback/ws/endpoint"
        said = await self._api(target).ask("POST", door, who, {"locale": "zh"}, otherwise=REFUSED)
        url = str(said.get("data", {}).get("URL", ""))
        wish = said["data"].get("ClientConfig") or {}
        service = parse_qs(urlsplit(url).query).get("service_id")
        if not service:
            raise Undeliverable(REFUSED, retry_after=60)
        async with connected(url) as socket:
            pinging = asyncio.create_task(_ping(socket, int(service[0]), float(wish.get("PingInterval") or PING)))
            try:
                await serve(socket, _Session(socket, app, answer).handle)
            finally:
                pinging.cancel()

    async def close(self) -> None:
        for api in self._apis.values():
            await api.close()

    def _api(self, app: Mapping[str, object]) -> Api:
        return self._apis.get(str(app.get("api"))) or next(iter(self._apis.values()))

    async def _ask(
        self, method: str, path: str, body: Mapping[str, object], target: Mapping[str, object]
    ) -> dict[str, Any]:
        app = target if target.get("secret") else self._apps.get(str(target.get("app")))
        if app is None:
            raise Undeliverable(NO_LINE, retry_after=5)
        asked = {"app_id": app["app"], "app_secret": app["secret"]}
        door = "/open-apis/auth/v3/tenant_access_token/internal"
        api = self._api(app)
        token = await api.token(str(app["app"]), door, asked, name="tenant_access_token", life="expire")
        return await api.ask(method, path, body, {"Authorization": f"Bearer {token}"})


class _Session:
    """What comes in on one connection. Long messages come in pieces."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, app: str, answer: Answerer) -> None:
        self._socket, self._app, self._answer = socket, app, answer
        self._pieces: dict[str, dict[int, bytes]] = {}

    async def handle(self, raw: bytes) -> None:
        frame = Frame.read(raw)
        if frame.method != DATA or frame.headers.get("type") != "event":
            return
        payload = self._whole(frame)
        if payload is None:
            return
        said = json.loads(payload)
        event = said.get("event", {})
        card = delivery_of(event.get("action", {}).get("value", {}).get("accept"))
        told: dict[str, object] = {"code": 200}
        if said.get("header", {}).get("event_type") == "card.action.trigger" and card is not None:
            reply = await in_time(self._answer, Click(FeishuLong.kind, self._app, event["operator"]["open_id"], card))
            told["data"] = base64.b64encode(json.dumps(response(reply), ensure_ascii=False).encode()).decode()
        await self._socket.send_bytes(frame.answered(json.dumps(told).encode()).written())

    def _whole(self, frame: Frame) -> bytes | None:
        count = int(frame.headers.get("sum") or 1)
        if count <= 1:
            return frame.payload
        if count > PIECES or len(self._pieces) > PIECES:
            self._pieces.clear()
            return None
        name = frame.headers.get("message_id", "")
        pieces = self._pieces.setdefault(name, {})
        pieces[int(frame.headers.get("seq") or 0)] = frame.payload
        if len(pieces) < count:
            return None
        del self._pieces[name]
        return b"".join(pieces[place] for place in sorted(pieces))


async def _ping(socket: aiohttp.ClientWebSocketResponse, service: int, every: float) -> None:
    while True:
        await socket.send_bytes(Frame(service=service, method=CONTROL, headers={"type": "ping"}).written())
        await asyncio.sleep(every)


def card(message: Message) -> dict[str, object]:
    """Return the card; `update_multi` lets all who see it see it change."""
    lines = "\n".join(f"- [{plain(item.text)}]({item.url})" for item in message.items)
    said = {"tag": "lark_md", "content": lines} if lines else {"tag": "plain_text", "content": message.body}
    buttons: list[dict[str, object]] = [{"tag": "button", "text": _text(message.words.open), "url": message.url}]
    if message.can_accept:
        accept: dict[str, object] = {"tag": "button", "type": "primary", "text": _text(message.words.accept)}
        buttons.insert(0, accept | {"value": {"accept": message.delivery_id.hex}})
    everybody: list[dict[str, object]] = [{"tag": "div", "text": {"tag": "lark_md", "content": "<at id=all></at>"}}]
    elements = [
        {"tag": "div", "text": said},
        *(everybody if message.everybody else []),
        {"tag": "action", "actions": buttons},
    ]
    header = {"template": COLOURS.get(message.severity, "blue"), "title": _text(message.title)}
    return {"config": {"wide_screen_mode": True, "update_multi": True}, "header": header, "elements": elements}


def response(reply: Reply) -> dict[str, object]:
    """Return what a click is answered with: a sentence for who clicked, the card for everybody."""
    told: dict[str, object] = {"toast": {"type": "info", "content": reply.text}}
    if reply.card and reply.everybody:
        told["card"] = {"type": "raw", "data": card(reply.card)}
    return told


def _text(content: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": content}
