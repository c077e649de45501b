"""WeCom group robot (企业微信群机器人): a Markdown message in a group, with a link to the page. A link accepts nothing.

checked-address: done
gone: exempt (a robot that is refused stays: an administrator gives it a new address)
retry-after: done
timeout: done
replaces: exempt (a robot cannot change what it said; many messages become one before they are sent)
displayed: exempt (WeCom does not tell a robot who has read it)
no-secrets-logged: done
tested: done

https://developer.work.weixin.qq.com/document/path/91770: 20 messages a minute; Markdown up to 4096 bytes, text 2048.
"""

from typing import Any, ClassVar, Final

from app.channels.base import Message
from app.channels.robot import Robot, cut, markdown

MARKDOWN: Final = 4096
TEXT: Final = 2048


class WeCom(Robot):
    """Its token is the key in its address; there is no signature."""

    kind: ClassVar[str] = "wecom"
    bad_tokens: ClassVar = frozenset({93000, 93004, 93008, 40014, 41001})
    limits: ClassVar = frozenset({45009, 45033})

    def letter(self, message: Message) -> dict[str, Any]:
        if message.everybody and not message.items:  # Markdown cannot call everybody
            words = cut(f"{message.title}\n{message.body}", TEXT - len(message.url.encode()) - 1)
            return {"msgtype": "text", "text": {"content": f"{words}\n{message.url}", "mentioned_list": ["@all"]}}
        return {"msgtype": "markdown", "markdown": {"content": markdown(message, most=MARKDOWN)}}
