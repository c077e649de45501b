"""WeCom smart robot (企业微信智能机器人): a card with an Accept button in a chat, without a public address.

Everything goes over the one connection the robot may have: cards out, clicks in. Whoever opens a second one closes the
first, so one process delivers for it; where several do, they take turns and nothing is lost. A card changes when
somebody presses its button; WeCom knows no other way.

checked-address: done
gone: exempt (a robot that is refused stays: an administrator corrects it)
retry-after: done
timeout: done
replaces: exempt (only who presses the button makes the card change; the next news is a new card)
displayed: exempt (WeCom does not tell a robot who has read a card)
no-secrets-logged: done
tested: done

https://developer.work.weixin.qq.com/document/path/101463 and the frames of the library wecom-aibot-python-sdk.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Self

import aiohttp

from app.channels.base import Message, Undeliverable
from app.channels.line import (
    NO_LINE,
    NOT_TAKEN,
    REFUSED,
    Answerer,
    Click,
    Reply,
    connected,
    delivery_of,
    in_time,
    serve,
)
from app.channels.robot import cut
from app.kit.ids import new_id
from app.settings import Settings

URL: Final = "wss://openws.work.weixin.qq.com"
HOME: Final = "https://work.weixin.qq.com"  # where a card leads that is about nothing any more: it must lead somewhere
PING: Final = 30.0
PATIENCE: Final = 5.0  # seconds for their yes
BUSY: Final = frozenset({45009, 45033})  # too often
TITLE, TEXT = 78, 330  # bytes: 26 and 110 of their characters


class WeComSmart:
    """Sends cards over the robot's connection, and hears who pressed Accept."""

    kind = "wecom_smart"

    def __init__(self, url: str = URL) -> None:
        self._url = url
        self._robots: dict[str, _Robot] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls()

    async def send(self, message: Message, target: Mapping[str, object]) -> None:
        """Send a card to a group (`app`, `group`), or to a person (`app`, `user`), of a robot that listens here."""
        robot = self._robots.get(str(target.get("app")))
        if robot is None:
            raise Undeliverable(NO_LINE, retry_after=5)
        chat = target.get("user") or target.get("group")
        body = {"chatid": chat, "msgtype": "template_card", "template_card": card(message)}
        await robot.ask("aibot_send_msg", body)

    async def listen(self, target: Mapping[str, object], answer: Answerer) -> None:
        """Open the robot's connection and answer who presses Accept."""
        app = str(target["app"])
        async with connected(self._url) as socket:
            robot = _Robot(socket, app, answer)
            hearing = asyncio.create_task(serve(socket, robot.handle))
            try:
                await robot.ask("aibot_subscribe", {"bot_id": app, "secret": target["secret"]}, otherwise=REFUSED)
                self._robots[app] = robot
                pinging = asyncio.create_task(robot.pings())
                hearing.add_done_callback(lambda _: pinging.cancel())
                await hearing
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
                if self._robots.get(app) is robot:
                    del self._robots[app]

    async def close(self) -> None:
        """The connections belong to who listens."""


class _Robot:
    """One connection: questions of ours and their answers, clicks of theirs and ours."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, app: str, answer: Answerer) -> None:
        self._socket, self._app, self._answer = socket, app, answer
        self._asked: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    async def ask(
        self, command: str, body: Mapping[str, object] | None, *, name: str = "", otherwise: str = NOT_TAKEN
    ) -> None:
        """Send a command and wait for their yes.

        Raises:
            Undeliverable: they said no, or nothing.
        """
        name = name or f"{command}_{new_id().hex}"
        said = self._asked[name] = asyncio.get_running_loop().create_future()
        try:
            frame: dict[str, object] = {"cmd": command, "headers": {"req_id": name}}
            await self._socket.send_json(frame | ({"body": body} if body is not None else {}))
            code = (await asyncio.wait_for(said, PATIENCE)).get("errcode")
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            raise Undeliverable(NO_LINE, retry_after=5) from error
        finally:
            del self._asked[name]
        if code != 0:
            wait = 60 if otherwise == REFUSED or code in BUSY else None
            raise Undeliverable(otherwise, retry_after=wait)

    async def pings(self) -> None:
        while True:
            await asyncio.sleep(PING)
            try:
                await self.ask("ping", None)
            except Undeliverable:
                await self._socket.close()

    async def handle(self, frame: Mapping[str, Any]) -> None:
        name = frame["headers"]["req_id"]
        if "cmd" not in frame:
            if name in self._asked and not self._asked[name].done():
                self._asked[name].set_result(frame)
            return
        body = frame.get("body", {})
        event = body.get("event", {})
        pressed = event.get("template_card_event", {})
        if event.get("eventtype") == "disconnected_event":
            await self._socket.close()  # somebody else has opened the robot's connection
        delivery = delivery_of(pressed.get("task_id"))
        if event.get("eventtype") != "template_card_event" or pressed.get("event_key") != "accept" or not delivery:
            return
        user = str(body["from"]["userid"])
        reply = await in_time(self._answer, Click(WeComSmart.kind, self._app, user, delivery))
        await self.ask("aibot_respond_update_msg", response(reply, delivery.hex, user), name=name)


def card(message: Message, *, said: str = "") -> dict[str, object]:
    """Return the card, with `said` below it."""
    title = {"title": cut(message.title, TITLE), "desc": cut(message.body, TEXT)}
    shown: dict[str, object] = {
        "main_title": title,
        "sub_title_text": cut(said, TEXT),
        "card_action": {"type": 1, "url": message.url},
        "task_id": message.delivery_id.hex,
    }
    if not message.can_accept:
        return {"card_type": "text_notice"} | shown
    button = {"text": message.words.accept, "style": 1, "key": "accept"}
    return {"card_type": "button_interaction", "button_list": [button]} | shown


def response(reply: Reply, task: str, user: str) -> dict[str, object]:
    """Return what a click changes: the card for everybody, or, where they may not know, for who clicked."""
    update: dict[str, object] = {"response_type": "update_template_card"}
    if not reply.everybody:
        update["userids"] = [user]
    if reply.card:
        return update | {"template_card": card(reply.card, said=reply.text)}
    said = {"title": "Pullcord", "desc": cut(reply.text, TEXT)}
    told = {"card_type": "text_notice", "main_title": said, "task_id": task, "card_action": {"type": 1, "url": HOME}}
    return update | {"template_card": told}
