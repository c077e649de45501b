"""Feishu and Lark group robot (飞书自定义机器人), signed: a card in a group, with a button that leads to the page.

checked-address: done
gone: exempt (a robot that is refused stays: an administrator gives it a new address)
retry-after: done
timeout: done
replaces: exempt (a robot cannot change what it said; many messages become one before they are sent)
displayed: exempt (Feishu does not tell a robot who has read it)
no-secrets-logged: done
tested: done

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: 100 messages a minute and 5 a second; 20 kB; the
signature is HMAC-SHA256 of nothing with "timestamp\\nsecret" as key, and may be an hour old.
"""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any, ClassVar, Final

from yarl import URL

from app.channels.base import Message
from app.channels.robot import Robot, cut, plain

COLOURS: Final = {1: "red", 2: "orange", 3: "yellow", 4: "blue"}
LARGEST: Final = 8000  # bytes of text, of 20 kB for everything


class Feishu(Robot):
    """Its token is the end of its address; the secret signs each message."""

    kind: ClassVar[str] = "feishu"
    bad_tokens: ClassVar = frozenset({19001, 19007, 19021, 19022, 19024})
    limits: ClassVar = frozenset({11232, 99991400})
    busy: ClassVar = frozenset({-1, 1500})

    def letter(self, message: Message) -> dict[str, Any]:
        if message.items:
            lines = "\n".join(f"- [{plain(item.text)}]({item.url})" for item in message.items)
            elements: list[dict[str, Any]] = [_said("lark_md", lines)]
        else:
            elements = [_said("plain_text", cut(message.body, LARGEST))]
        if message.everybody:
            elements.append(_said("lark_md", "<at id=all></at>"))
        button = {"tag": "button", "type": "primary", "url": message.url}
        elements.append({"tag": "action", "actions": [button | {"text": _text("plain_text", message.words.open)}]})
        header = {"template": COLOURS.get(message.severity, "blue"), "title": _text("plain_text", message.title)}
        card = {"config": {"wide_screen_mode": True}, "header": header, "elements": elements}
        return {"msg_type": "interactive", "card": card}

    def signed(self, url: URL, letter: dict[str, Any], secret: str, *, now: datetime) -> tuple[URL, dict[str, Any]]:
        if not secret:
            return url, letter
        timestamp = str(int(now.timestamp()))
        return url, {"timestamp": timestamp, "sign": sign(timestamp, secret)} | letter


def sign(timestamp: str, secret: str) -> str:
    """Return the signature of a moment in seconds."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


def _text(tag: str, content: str) -> dict[str, str]:
    return {"tag": tag, "content": content}


def _said(tag: str, content: str) -> dict[str, Any]:
    return {"tag": "div", "text": _text(tag, content)}
