"""What an administrator enters for a chat app with an Accept button, checked before it is sealed."""

from collections.abc import Mapping
from typing import Final

from app.kit.errors import N_, DomainError

APPS: Final = ("dingtalk_stream", "feishu_long", "wecom_smart")
FEISHU: Final = ("https://open.feishu.cn", "https://open.larksuite.com")
LONGEST: Final = 200


class BadApp(DomainError):
    code = "channels.bad_app"
    message = N_(
        "This chat app cannot be used like that: its id, its secret or the id of the group is missing or is none. "
        "Nothing was stored. Copy them from the app's page on the chat's own developer site."
    )
    status = 400


def check_app(kind: str, form: Mapping[str, str]) -> dict[str, object]:
    """Return what an app needs: `app`, `secret` and `group`; for DingTalk a `template`, for Lark the `api`.

    Raises:
        BadApp
    """
    given = {name: form.get(name, "").strip() for name in ("app", "secret", "group", "template", "api")}
    if any(not text.isascii() or len(text) > LONGEST for text in given.values()):
        raise BadApp()
    if not (given["app"] and given["secret"] and given["group"]) or (given["api"] and given["api"] not in FEISHU):
        raise BadApp()
    return {name: text for name, text in given.items() if text}
