"""What an administrator enters for a robot or a webhook, checked before it is sealed and again before it is used."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from yarl import URL

from app.channels.hosts import PushHosts, is_here
from app.channels.inside import Inside
from app.channels.subscription import endpoint_url
from app.kit.errors import N_, DomainError

CHAT: Final = {
    "wecom": ("qyapi.weixin.qq.com",),
    "dingtalk": ("oapi.dingtalk.com", "api.dingtalk.com"),
    "feishu": ("open.feishu.cn", "open.larksuite.com"),
}
PATHS: Final = {
    "wecom": "/cgi-bin/webhook/send",
    "dingtalk": "/robot/send",
    "feishu": "/open-apis/bot/v2/hook/",
}
SECRETS: Final = {"wecom": "", "dingtalk": "SEC", "feishu": ""}


class BadRobot(DomainError):
    code = "channels.bad_robot"
    message = N_(
        "This is not the address of a %(kind)s robot. Nothing was stored. "
        "Copy the whole webhook address from the robot's page in the group; it begins with %(example)s."
    )
    status = 400


class BadSecret(DomainError):
    code = "channels.bad_secret"
    message = N_(
        "This secret cannot be used. Nothing was stored. "
        "Copy it from the robot's security settings (DingTalk: it begins with SEC), "
        "or from the webhook's receiver (whsec_…)."
    )
    status = 400


class BadWebhook(DomainError):
    code = "channels.bad_webhook"
    message = N_(
        "This address cannot be called. Nothing was stored. "
        "Enter an https:// address of a public host; hosts inside the plant must be named in the setting inside_hosts."
    )
    status = 400


@dataclass(frozen=True, slots=True)
class Robots:
    """The chat services we talk to: theirs, and those an installation runs by itself."""

    hosts: Mapping[str, PushHosts]

    @classmethod
    def of(cls, more: list[str]) -> "Robots":
        return cls({kind: PushHosts(more, known=known, setting="chat_hosts") for kind, known in CHAT.items()})

    def url(self, kind: str, given: object) -> URL:
        """Return the address of a robot.

        Raises:
            BadRobot
        """
        url = endpoint_url(str(given))
        if url is None or not self.hosts[kind].allows(url) or not url.path.startswith(PATHS[kind]):
            raise BadRobot(kind=kind, example=f"https://{CHAT[kind][0]}{PATHS[kind]}")
        key = {"wecom": "key", "dingtalk": "access_token"}.get(kind)
        if (key and not url.query.get(key)) or (not key and url.path == PATHS[kind]):
            raise BadRobot(kind=kind, example=f"https://{CHAT[kind][0]}{PATHS[kind]}")
        return url


def check_robot(kind: str, url: str, secret: str, robots: Robots) -> dict[str, object]:
    """Return what a robot needs: its address and, where messages are signed, its secret.

    Raises:
        BadRobot, BadSecret
    """
    url, secret = url.strip(), secret.strip()
    robots.url(kind, url)
    if not secret.isascii() or len(secret) > 200 or (secret and not secret.startswith(SECRETS[kind])):
        raise BadSecret()
    return {"url": url, "secret": secret}


def check_webhook(url: str, secret: str, inside: Inside) -> dict[str, object]:
    """Return what a webhook needs. What a name leads to is looked at each time something is sent.

    Raises:
        BadWebhook: no address, one that is not encrypted, or plainly one inside that nobody has named.
        BadSecret: not base64 of 24 to 64 bytes, with or without whsec_ in front.
    """
    url, secret = url.strip(), secret.strip()
    where = endpoint_url(url)
    if where is None or where.host is None or where.user is not None or where.scheme not in ("https", "http"):
        raise BadWebhook()
    if not inside.named(where.host) and (
        where.scheme == "http" or is_here(where.host) or _is_inside(where.host, inside)
    ):
        raise BadWebhook()
    if not 24 <= len(_secret(secret)) <= 64:
        raise BadSecret()
    return {"url": url, "secret": secret}


def new_secret() -> str:
    """Return a secret for a webhook's receiver to keep."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("whsec_") + "==")
    except (binascii.Error, ValueError):
        return b""


def _is_inside(host: str, inside: Inside) -> bool:
    try:
        return not inside.allows(host, host.strip("[]"))
    except ValueError:  # a name
        return False
