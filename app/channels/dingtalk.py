"""DingTalk group robot (钉钉自定义机器人), signed: a card in a group, with a button that leads to the page.

checked-address: done
gone: exempt (a robot that is refused stays: an administrator gives it a new address)
retry-after: done
timeout: done
replaces: exempt (a robot cannot change what it said; many messages become one before they are sent)
displayed: exempt (DingTalk does not tell a robot who has read it)
no-secrets-logged: done
tested: done

https://open.dingtalk.com/document/robots/custom-robot-access: 20 messages a minute, else ten minutes of silence; the
signature is HMAC-SHA256 of "timestamp\\nsecret" with the secret as key, and may be an hour old; 20 000 bytes.
"""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any, ClassVar, Final

from yarl import URL

from app.channels.base import Message
from app.channels.robot import Robot, markdown, plain

LARGEST: Final = 15_000  # of 20 000 bytes: JSON around it, and quotes that are escaped


class DingTalk(Robot):
    """Its token is in its address; the secret, which begins with SEC, signs each message."""

    kind: ClassVar[str] = "dingtalk"
    bad_tokens: ClassVar = frozenset({310000, 300001, 300005, 400013, 400101, 400102})
    limits: ClassVar = frozenset({130101, 302033, 410100})

    def letter(self, message: Message) -> dict[str, Any]:
        title, text = plain(message.title), markdown(message, most=LARGEST)
        if message.everybody or message.items:
            at = {"isAtAll": message.everybody}
            return {"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": at}
        card = {"title": title, "text": text, "singleTitle": message.words.open, "singleURL": message.url}
        return {"msgtype": "actionCard", "actionCard": card | {"btnOrientation": "0"}}

    def signed(self, url: URL, letter: dict[str, Any], secret: str, *, now: datetime) -> tuple[URL, dict[str, Any]]:
        if not secret:
            return url, letter
        timestamp = str(int(now.timestamp() * 1000))
        return url.update_query(timestamp=timestamp, sign=sign(timestamp, secret)), letter


def sign(timestamp: str, secret: str) -> str:
    """Return the signature of a moment in milliseconds."""
    made = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(made.digest()).decode()
