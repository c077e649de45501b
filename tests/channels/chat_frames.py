"""Stand-ins for Feishu and WeCom: their long connections, in their own frames."""

import base64
import importlib
import json
import sys
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from aiohttp import WSMsgType, web

from tests.channels.chat_apps import APP, GROUP, SECRET, TICKET, TOKEN, ChatApp

SERVICE = 33554678


@cache
def their_frame() -> Any:
    """Feishu's own frame, from its own library, without the seven seconds in which that imports its whole platform."""
    spec = find_spec("lark_oapi")
    assert spec
    assert spec.submodule_search_locations
    [folder] = spec.submodule_search_locations
    for name, path in {"lark_oapi": folder, "lark_oapi.ws": f"{folder}/ws"}.items():
        hollow = ModuleType(name)
        hollow.__path__ = [path]
        sys.modules.setdefault(name, hollow)
    return importlib.import_module("lark_oapi.ws.pb.pbbp2_pb2").Frame


class FeishuApp(ChatApp):
    """https://open.feishu.cn/document/server-docs/im-v1/message/create, the card callback, and the long connection."""

    routes = (
        ("POST", "/open-apis/auth/v3/tenant_access_token/internal", "token"),
        ("POST", "/callback/ws/endpoint", "door"),
        ("POST", "/open-apis/im/v1/messages", "send"),
        ("PATCH", "/open-apis/im/v1/messages/{card}", "change"),
        ("GET", "/ws", "connect"),
    )

    async def token(self, request: web.Request) -> web.Response:
        if await request.json() != {"app_id": APP, "app_secret": SECRET}:
            return web.json_response({"code": 10014, "msg": "app secret invalid"})
        return web.json_response({"code": 0, "msg": "ok", "tenant_access_token": TOKEN, "expire": 7200})

    async def door(self, request: web.Request) -> web.Response:
        if await request.json() != {"AppID": APP, "AppSecret": SECRET}:
            return web.json_response({"code": 1000040345, "msg": "app_id or app_secret is wrong"})
        key = TICKET.replace(" ", "+")
        url = f"ws://127.0.0.1:{self.port}/ws?device_id=7&service_id={SERVICE}&access_key={key}"
        wish = {"ReconnectCount": -1, "ReconnectInterval": 120, "ReconnectNonce": 30, "PingInterval": 120}
        return web.json_response({"code": 0, "msg": "", "data": {"URL": url, "ClientConfig": wish}})

    async def send(self, request: web.Request) -> web.Response:
        said = await request.json()
        kind = request.query["receive_id_type"]
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"code": 99991663, "msg": "token invalid"}, status=400)
        if said["msg_type"] != "interactive" or (kind == "chat_id" and said["receive_id"] != GROUP):
            return self.refuses(f"msg_type, receive_id {said}")
        if kind not in ("chat_id", "open_id") or not isinstance(said["content"], str):
            return self.refuses("receive_id_type, content is JSON as a text")
        card = f"om_{len(self.cards)}"
        self.cards[card] = self._checked(json.loads(said["content"]))
        return web.json_response({"code": 0, "data": {"message_id": card}})

    async def change(self, request: web.Request) -> web.Response:
        card = request.match_info["card"]
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" or card not in self.cards:
            return self.refuses("token, message_id")
        self.cards[card] = self._checked(json.loads((await request.json())["content"]))
        return web.json_response({"code": 0, "data": {}})

    def _checked(self, card: dict[str, Any]) -> dict[str, Any]:
        if card["config"].get("update_multi") is not True:
            self.wrong.append("a card that is to change for everybody says so: update_multi")
        return card

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        self.socket = socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type != WSMsgType.BINARY:
                self.wrong.append("frames are bytes")
                continue
            frame = their_frame().FromString(message.data)
            headers = {header.key: header.value for header in frame.headers}
            if headers.get("type") == "ping":  # what shows them that somebody is there
                if (frame.method, frame.service) != (0, SERVICE):
                    self.wrong.append(f"ping {frame}")
                self.connected.set()
                continue
            if frame.LogIDNew != "log-1":
                self.wrong.append("an answer is the frame itself, with another payload")
            self.answers[headers["message_id"]].set_result(json.loads(frame.payload))
        return socket

    async def clicks(self, user: str, card: str, action: str = "accept") -> Any:
        buttons = [one for block in self.cards[card]["elements"] for one in block.get("actions", [])]
        value = next((one["value"] for one in buttons if "value" in one), self.cards[card].get("was", {}))
        event = {
            "operator": {"open_id": user, "tenant_key": "t", "union_id": "on_1"},
            "token": "c-1",
            "action": {"value": value if action == "accept" else {}, "tag": "button"},
            "context": {"open_message_id": card, "open_chat_id": GROUP},
        }
        header = {"event_id": "e1", "event_type": "card.action.trigger", "create_time": "1", "app_id": APP}
        payload = json.dumps({"schema": "2.0", "header": header, "event": event}).encode()
        name = f"msg-{len(self.answers)}-{user}"
        said = await self.answer_to(name, self._in_pieces(name, payload))
        if said["code"] != 200:
            self.wrong.append(f"answer {said}")
        told = json.loads(base64.b64decode(said["data"]))
        if changed := told.get("card"):
            assert changed["type"] == "raw"
            self.cards[card] = self._checked(changed["data"]) | {"was": value}
        return told["toast"]["content"]

    async def _in_pieces(self, name: str, payload: bytes) -> None:
        """Long messages come in pieces, and not always in order."""
        half = len(payload) // 2
        for place, piece in ((1, payload[half:]), (0, payload[:half])):
            frame = their_frame()()
            frame.SeqID, frame.LogID, frame.service, frame.method, frame.LogIDNew = 2**63, 300, SERVICE, 1, "log-1"
            told = {"type": "event", "message_id": name, "sum": "2", "seq": str(place), "trace_id": "t"}
            for key, value in told.items():
                header = frame.headers.add()
                header.key, header.value = key, value
            frame.payload = piece
            assert self.socket is not None
            await self.socket.send_bytes(frame.SerializeToString())

    def shown(self, card: str) -> tuple[str, list[str]]:
        blocks = self.cards[card]["elements"]
        buttons = [one["text"]["content"] for block in blocks for one in block.get("actions", [])]
        return self.cards[card]["header"]["title"]["content"], buttons


class WeComApp(ChatApp):
    """The long connection of smart robots, as https://developer.work.weixin.qq.com/document/path/101463 has it."""

    changes = False
    routes = (("GET", "/", "connect"),)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        self.socket = socket = web.WebSocketResponse()
        await socket.prepare(request)
        signed_in = False
        async for message in socket:
            frame = json.loads(message.data)
            name, body, code = frame["headers"]["req_id"], frame.get("body"), 0
            match frame["cmd"]:
                case "aibot_subscribe":
                    signed_in = body == {"bot_id": APP, "secret": SECRET}
                    code = 0 if signed_in else 40001
                case "aibot_send_msg" if signed_in:
                    self._sent(body)
                case "aibot_respond_update_msg" if signed_in and name in self.answers:
                    self.answers[name].set_result(body)
                case "ping":
                    pass
                case other:
                    self.wrong.append(f"{other} {name}")
            await socket.send_json({"headers": {"req_id": name}, "errcode": code, "errmsg": "no" if code else "ok"})
            if signed_in:
                self.connected.set()
        return socket

    def _sent(self, body: dict[str, Any]) -> None:
        if body["msgtype"] != "template_card" or body["template_card"]["task_id"] in self.cards:
            self.wrong.append("msgtype, task_id")
        self.cards[body["template_card"]["task_id"]] = self._checked(body["template_card"])

    def _checked(self, card: dict[str, Any]) -> dict[str, Any]:
        if card["card_type"] == "text_notice" and "card_action" not in card:
            self.wrong.append("text_notice leads somewhere: card_action")
        if card["card_type"] == "button_interaction" and not 1 <= len(card["button_list"]) <= 6:
            self.wrong.append("one to six buttons")
        if not card["task_id"].isalnum() or not card["main_title"]["title"]:
            self.wrong.append("task_id, main_title")
        return card

    async def clicks(self, user: str, card: str, action: str = "accept") -> Any:
        pressed = {"card_type": "button_interaction", "event_key": action, "task_id": card}
        event = {"eventtype": "template_card_event", "template_card_event": pressed}
        body = {"msgid": "m", "aibotid": APP, "chatid": GROUP, "from": {"userid": user}, "msgtype": "event"}
        name = f"req-{len(self.answers)}-{user}"
        frame = {"cmd": "aibot_event_callback", "headers": {"req_id": name}, "body": {**body, "event": event}}
        assert self.socket is not None
        said = await self.answer_to(name, self.socket.send_json(frame))
        changed = self._checked(said["template_card"])
        if said["response_type"] != "update_template_card" or changed["task_id"] != card:
            self.wrong.append(f"update {said}")
        if "userids" not in said:
            self.cards[card] = changed
        return changed.get("sub_title_text") or changed["main_title"]["desc"]

    def shown(self, card: str) -> tuple[str, list[str]]:
        buttons = [one["text"] for one in self.cards[card].get("button_list", [])]
        return self.cards[card]["main_title"]["title"], [*buttons, "Open"]
