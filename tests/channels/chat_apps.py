"""Stand-ins for chat apps that hold a connection: the HTTP that sends cards, the WebSocket that brings clicks.

They are as strict as their documentation: a wrong token, a missing field or an answer that comes too late is an error.
"""

import asyncio
import json
from typing import Any

from aiohttp import web

APP, SECRET, GROUP, TOKEN, TICKET = "ding-app", "app-secret", "cidGROUP==", "a-token", "one time/ticket"
SOON = 3.0  # seconds a click may take


class ChatApp:
    """What all of them have: a server, the cards it was given, and whoever is connected."""

    routes: tuple[tuple[str, str, str], ...] = ()
    changes = True  # a card without anybody pressing its button

    async def __aenter__(self) -> Any:
        app = web.Application()
        for method, path, name in self.routes:
            app.router.add_route(method, path, getattr(self, name))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.cards: dict[str, dict[str, Any]] = {}
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.connected = asyncio.Event()
        self.socket: web.WebSocketResponse | None = None
        self.answers: dict[str, asyncio.Future[Any]] = {}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hangs_up()
        await self._runner.cleanup()
        assert self.wrong == []

    async def hangs_up(self) -> None:
        self.connected.clear()
        if self.socket is not None:
            await self.socket.close()

    async def is_listened_to(self) -> None:
        async with asyncio.timeout(15):
            await self.connected.wait()

    def refuses(self, what: str) -> web.Response:
        self.wrong.append(what)
        return web.json_response({"code": "refused", "message": what}, status=400)

    async def answer_to(self, name: str, send: Any) -> Any:
        """Send something down the connection and return what comes back, in time."""
        self.answers[name] = asyncio.get_running_loop().create_future()
        await send
        try:
            return await asyncio.wait_for(self.answers[name], SOON)
        finally:
            del self.answers[name]


class DingTalkApp(ChatApp):
    """https://open.dingtalk.com/document/orgapp/create-and-deliver-cards and the Stream protocol."""

    routes = (
        ("POST", "/v1.0/oauth2/accessToken", "token"),
        ("POST", "/v1.0/gateway/connections/open", "door"),
        ("POST", "/v1.0/card/instances/createAndDeliver", "send"),
        ("PUT", "/v1.0/card/instances", "change"),
        ("GET", "/connect", "connect"),
    )

    async def token(self, request: web.Request) -> web.Response:
        said = await request.json()
        if said != {"appKey": APP, "appSecret": SECRET}:
            return web.json_response({"code": "invalidClientIdOrSecret"}, status=400)
        return web.json_response({"accessToken": TOKEN, "expireIn": 7200})

    async def door(self, request: web.Request) -> web.Response:
        said = await request.json()
        if (said["clientId"], said["clientSecret"]) != (APP, SECRET):
            return web.json_response({"code": "authFailed"}, status=401)
        if said["subscriptions"] != [{"type": "CALLBACK", "topic": "/v1.0/card/instances/callback"}]:
            return self.refuses("subscriptions")
        return web.json_response({"endpoint": f"ws://127.0.0.1:{self.port}/connect", "ticket": TICKET})

    async def send(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.asked.append("send")
        if request.headers.get("x-acs-dingtalk-access-token") != TOKEN:
            return web.json_response({"code": "InvalidAuthentication"}, status=401)
        if said["callbackType"] != "STREAM" or not said["cardTemplateId"].endswith(".schema"):
            return self.refuses("callbackType, cardTemplateId")
        if any(not isinstance(value, str) for value in said["cardData"]["cardParamMap"].values()):
            return self.refuses("a variable of a card is a text")
        space = said["openSpaceId"]
        group = space == f"dtv1.card//IM_GROUP.{GROUP}" and said["imGroupOpenDeliverModel"]["robotCode"] == APP
        person = space.startswith("dtv1.card//IM_ROBOT.") and said["imRobotOpenDeliverModel"]["spaceType"] == "IM_ROBOT"
        if not (group or person) or said["outTrackId"] in self.cards:
            return self.refuses(f"openSpaceId {space}, outTrackId")
        self.cards[said["outTrackId"]] = said["cardData"]["cardParamMap"]
        return web.json_response({"success": True, "result": {"outTrackId": said["outTrackId"]}})

    async def change(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.asked.append("change")
        if request.headers.get("x-acs-dingtalk-access-token") != TOKEN or said["outTrackId"] not in self.cards:
            return self.refuses("token, outTrackId")
        if said["cardUpdateOptions"]["updateCardDataByKey"] is not True:
            return self.refuses("cardUpdateOptions")
        self.cards[said["outTrackId"]] |= said["cardData"]["cardParamMap"]
        return web.json_response({"success": True})

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        if request.query.get("ticket") != TICKET:
            raise web.HTTPUnauthorized
        self.socket = socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connected.set()
        async for message in socket:
            ack = json.loads(message.data)
            if ack["code"] != 200 or set(ack) != {"code", "headers", "message", "data"}:
                self.wrong.append(f"acknowledgement {ack}")
            self.answers[ack["headers"]["messageId"]].set_result(json.loads(ack["data"]))
        return socket

    async def ping(self) -> Any:
        return await self._frame("SYSTEM", "ping", {"opaque": "abc"})

    async def says_goodbye(self) -> None:
        """They restart their side: come in by another door."""
        self.connected.clear()
        assert self.socket is not None
        frame = {"specVersion": "1.0", "type": "SYSTEM", "headers": {"topic": "disconnect", "messageId": "bye"}}
        await self.socket.send_json({**frame, "data": "{}"})

    async def clicks(self, user: str, card: str, action: str = "accept") -> Any:
        """Somebody presses a button; the card changes as the answer says. Return what only they see."""
        content = {"cardPrivateData": {"actionIds": [action], "params": {}}}
        data = {"outTrackId": card, "userId": user, "corpId": "ding0", "type": "actionCallback", "extension": "{}"}
        said = await self._frame("CALLBACK", "/v1.0/card/instances/callback", data | {"content": json.dumps(content)})
        response = said["response"]
        if changed := response.get("cardData"):
            self.cards[card] |= changed["cardParamMap"]
        return response.get("userPrivateData", {}).get("cardParamMap", {}).get("tips", "")

    async def _frame(self, kind: str, topic: str, data: Any) -> Any:
        name = f"m{len(self.answers)}-{kind}"
        headers = {"topic": topic, "messageId": name, "contentType": "application/json", "time": "1690362102194"}
        frame = {"specVersion": "1.0", "type": kind, "headers": headers, "data": json.dumps(data)}
        assert self.socket is not None
        return await self.answer_to(name, self.socket.send_json(frame))

    def shown(self, card: str) -> tuple[str, list[str]]:
        """The title of a card, and its buttons."""
        buttons = json.loads(self.cards[card]["sys_full_json_obj"])["msgButtons"]
        return self.cards[card]["title"], [button["text"] for button in buttons]
