"""Providers on this machine. Each checks what the real one's documentation asks for, and answers as it would.

`async with Provider(rules) as provider:`. `rules` is a function that gets each request and returns the answer; what it
finds wrong it says by returning the provider's own error. `asked` holds what came, as it came.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


Rules = Callable[[Asked], tuple[int, object]]


class Provider:
    """Answers by its rules; `answers` come first, each once."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.asked: list[Asked] = []
        self.answers: list[tuple[int, object, Mapping[str, str]]] = []

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]
        self.place = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        asked = Asked(request.path, dict(request.query), dict(request.headers), body, time.time())
        self.asked.append(asked)
        status, said, headers = self.answers.pop(0) if self.answers else (*self.rules(asked), {})
        text = said if isinstance(said, str) else json.dumps(said)
        return web.Response(status=status, text=text, headers=headers, content_type="application/json")


def wecom(asked: Asked) -> tuple[int, object]:
    """https://developer.work.weixin.qq.com/document/path/91770"""
    if asked.path != "/cgi-bin/webhook/send" or asked.query.get("key") != "a-key":
        return 200, {"errcode": 93000, "errmsg": "invalid webhook url"}
    said = asked.json
    kind = said.get("msgtype")
    if kind == "markdown" and 0 < len(said["markdown"]["content"].encode()) <= 4096:
        return 200, {"errcode": 0, "errmsg": "ok"}
    if kind == "text" and 0 < len(said["text"]["content"].encode()) <= 2048:
        return 200, {"errcode": 0, "errmsg": "ok"}
    return 200, {"errcode": 40058, "errmsg": "content exceed max length"}


def dingtalk(secret: str) -> Rules:
    """https://open.dingtalk.com/document/robots/custom-robot-access"""

    def rules(asked: Asked) -> tuple[int, object]:
        if asked.query.get("access_token") != "a-token":
            return 200, {"errcode": 300005, "errmsg": "token is not exist"}
        stamp = asked.query.get("timestamp", "0")
        right = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
        if asked.query.get("sign") != base64.b64encode(right).decode():
            return 200, {"errcode": 310000, "errmsg": "sign not match"}
        if abs(int(stamp) / 1000 - time.time()) > 3600:
            return 200, {"errcode": 310000, "errmsg": "invalid timestamp"}
        said = asked.json
        if len(asked.body) > 20_000 or not asked.headers["Content-Type"].startswith("application/json"):
            return 200, {"errcode": 40035, "errmsg": "bad message"}
        if (
            said["msgtype"] == "actionCard"
            and {"title", "text", "singleTitle", "singleURL"} <= said["actionCard"].keys()
        ):
            return 200, {"errcode": 0, "errmsg": "ok"}
        if said["msgtype"] == "markdown" and said["markdown"]["title"] and said["markdown"]["text"]:
            return 200, {"errcode": 0, "errmsg": "ok"}
        return 200, {"errcode": 40035, "errmsg": "bad message"}

    return rules


def feishu(secret: str) -> Rules:
    """https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot"""

    def rules(asked: Asked) -> tuple[int, object]:
        if asked.path != "/open-apis/bot/v2/hook/a-token":
            return 200, {"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"}
        said = asked.json
        stamp = said.get("timestamp", "0")
        right = base64.b64encode(hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()
        if said.get("sign") != right or abs(int(stamp) - time.time()) > 3600:
            return 200, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
        card = said.get("card", {})
        if said.get("msg_type") != "interactive" or "header" not in card or not card.get("elements"):
            return 200, {"code": 9499, "msg": "Bad Request", "data": {}}
        if len(asked.body) > 20 * 1024:
            return 200, {"code": 9499, "msg": "Bad Request", "data": {}}
        return 200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    return rules
