"""DingTalk Stream (钉钉 Stream 模式): a card with an Accept button in a chat, without a public address.

An internal app with a robot; the group gives its openConversationId. The card is DingTalk's own with Markdown and
buttons, or one of the plant's with the same variables (title, markdown, tips, sys_full_json_obj).

checked-address: done
gone: exempt (an app that is refused stays: an administrator corrects it)
retry-after: done
timeout: done
replaces: done
displayed: exempt (DingTalk does not tell an app who has read a card)
no-secrets-logged: done
tested: done

https://open.dingtalk.com/document/orgapp/create-and-deliver-cards, …/protocol-overview (Stream), and the frames of the
library dingtalk-stream.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from app.channels.base import Message, Receipt, Undeliverable
from app.channels.line import NO_LINE, REFUSED, Answerer, Api, Click, Reply, connected, delivery_of, in_time, serve
from app.channels.robot import plain
from app.settings import Settings

API: Final = "https://api.dingtalk.com"
CARDS: Final = "/v1.0/card/instances/callback"
TEMPLATE: Final = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"  # DingTalk's own: Markdown with buttons


class DingTalkStream:
    """Sends cards, changes them, and hears who pressed Accept."""

    kind = "dingtalk_stream"

    def __init__(self, api: str = API) -> None:
        self._api = Api(api)
        self._apps: dict[str, Mapping[str, object]] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, target: Mapping[str, object]) -> Receipt:
        """Send a card to a group (`app`, `secret`, `group`), or to a person (`app`, `user`) of an app that listens."""
        card = message.delivery_id.hex
        body: dict[str, object] = {
            "cardTemplateId": self._app(target).get("template") or TEMPLATE,
            "outTrackId": card,
            "cardData": {"cardParamMap": params(message)},
            "callbackType": "STREAM",
            "userIdType": 1,
        }
        if user := target.get("user"):
            body |= {
                "openSpaceId": f"dtv1.card//IM_ROBOT.{user}",
                "imRobotOpenSpaceModel": {"supportForward": False},
                "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT"},
            }
        else:
            body |= {
                "openSpaceId": f"dtv1.card//IM_GROUP.{target.get('group')}",
                "imGroupOpenSpaceModel": {"supportForward": False},
                "imGroupOpenDeliverModel": {"robotCode": target.get("app")},
            }
            if message.everybody:
                body["imGroupOpenDeliverModel"] = {"robotCode": target.get("app"), "atUserIds": {"@ALL": "@ALL"}}
        await self._ask("POST", "/v1.0/card/instances/createAndDeliver", body, target)
        return {"card": card}

    async def change(self, message: Message, target: Mapping[str, object], receipt: Receipt) -> None:
        """Let the card say it from now on."""
        body = {
            "outTrackId": receipt["card"],
            "cardData": {"cardParamMap": params(message)},
            "cardUpdateOptions": {"updateCardDataByKey": True},
        }
        await self._ask("PUT", "/v1.0/card/instances", body, target)

    async def listen(self, target: Mapping[str, object], answer: Answerer) -> None:
        """Open the stream of an app and answer who presses Accept."""
        app = str(target["app"])
        self._apps[app] = target
        wanted = {
            "clientId": app,
            "clientSecret": target["secret"],
            "subscriptions": [{"type": "CALLBACK", "topic": CARDS}],
            "ua": "pullcord",
        }
        door = await self._api.ask("POST", "/v1.0/gateway/connections/open", wanted, otherwise=REFUSED)
        url = str(URL(str(door["endpoint"])).update_query(ticket=str(door["ticket"])))
        async with connected(url) as socket:
            await serve(socket, partial(_reply, socket, app, answer))

    async def close(self) -> None:
        await self._api.close()

    def _app(self, target: Mapping[str, object]) -> Mapping[str, object]:
        """The app itself: a group names all of it, a person only its id."""
        known = target if target.get("secret") else self._apps.get(str(target.get("app")))
        if known is None:
            raise Undeliverable(NO_LINE, retry_after=5)
        return known

    async def _ask(self, method: str, path: str, body: Mapping[str, object], target: Mapping[str, object]) -> None:
        app = self._app(target)
        asked = {"appKey": app["app"], "appSecret": app["secret"]}
        token = await self._api.token(
            str(app["app"]), "/v1.0/oauth2/accessToken", asked, name="accessToken", life="expireIn"
        )
        await self._api.ask(method, path, body, {"x-acs-dingtalk-access-token": token})


async def _reply(socket: aiohttp.ClientWebSocketResponse, app: str, answer: Answerer, frame: Mapping[str, Any]) -> None:
    """Answer one frame: a ping with what it brought, a click with what the card says now."""
    headers, data = frame["headers"], str(frame.get("data") or "{}")
    if frame["type"] == "SYSTEM" and headers["topic"] == "disconnect":  # they want us to come in by another door
        await socket.close()
        return
    if frame.get("type") == "CALLBACK" and headers.get("topic") == CARDS:
        said = json.loads(data)
        card = delivery_of(said.get("outTrackId"))
        pressed = json.loads(str(said.get("content") or "{}")).get("cardPrivateData", {}).get("actionIds", [])
        if card is not None and "accept" in pressed:
            reply = await in_time(answer, Click(DingTalkStream.kind, app, str(said.get("userId")), card))
            data = json.dumps({"response": response(reply)}, ensure_ascii=False)
        else:
            data = json.dumps({"response": {}})
    ack = {"messageId": headers.get("messageId", ""), "contentType": "application/json"}
    await socket.send_json({"code": 200, "headers": ack, "message": "OK", "data": data})


def params(message: Message) -> dict[str, str]:
    """Return what the card's variables are."""
    button: list[dict[str, object]] = [{"text": message.words.open, "color": "gray", "url": message.url}]
    if message.can_accept:
        button.insert(0, {"text": message.words.accept, "color": "blue", "id": "accept", "request": True})
    lines = [f"- [{plain(item.text)}]({item.url})" for item in message.items]
    return {
        "title": plain(message.title),
        "markdown": f"**{plain(message.title)}**\n\n" + ("\n".join(lines) or plain(message.body)),
        "tips": "",
        "sys_full_json_obj": json.dumps({"msgButtons": button}, ensure_ascii=False),
    }


def response(reply: Reply) -> dict[str, object]:
    """Return what a click changes: the card for everybody, the line below it for who clicked."""
    changed: dict[str, object] = {
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        "userPrivateData": {"cardParamMap": {"tips": reply.text}},
    }
    if reply.card and reply.everybody:
        changed["cardData"] = {"cardParamMap": params(reply.card)}
    return changed
