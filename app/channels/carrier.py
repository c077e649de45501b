"""Who carries a text or a call to a telephone, as one setting names them: Aliyun, Tencent, or what Apprise knows."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from yarl import URL

from app.channels import aliyun, tencent
from app.channels.base import Message, Undeliverable
from app.channels.hosts import is_here
from app.channels.outbound import SILENT, Outbound
from app.kit.clock import utcnow
from app.kit.errors import N_, DomainError

HOLE: Final = "{number}"
PATIENCE: Final = 20.0  # seconds for Apprise, which waits in a thread of its own
LATER: Final = 60.0  # seconds; carriers that say "later" mean a message a minute for each number

ACCOUNT: Final = N_("The carrier refused our account, signature or template. Check the setting sms_url or voice_url.")
NUMBER: Final = N_("The carrier says that this is no telephone number it can reach.")
BUSY: Final = N_("The carrier asks us to wait: too many messages, or a fault on its side.")
REFUSED: Final = N_("The carrier did not take the message.")


class BadCarrier(DomainError):
    code = "channels.bad_carrier"
    message = N_(
        "The setting %(setting)s is not usable: %(why)s. Pullcord did not start; nothing was changed. "
        "What it may be is in .env.example."
    )
    status = 500


class Carrier(Protocol):
    """Brings a message to a number, as text or as speech."""

    async def carry(self, message: Message, number: str) -> None:
        """Raises:
        Undeliverable
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Account:
    """Where a carrier listens, who we are there, and what our template is called."""

    host: str
    url: URL
    key: str
    secret: str = field(repr=False)
    options: Mapping[str, str]


class Aliyun:
    def __init__(self, account: Account, *, voice: bool, clock: Callable[[], datetime] = utcnow) -> None:
        self._account, self._clock, self._out = account, clock, Outbound()
        self._action = aliyun.call if voice else aliyun.sms

    async def carry(self, message: Message, number: str) -> None:
        us = self._account
        action, given = self._action(number, message.title, us.options)
        query, headers = aliyun.request(action, given, host=us.host, key=us.key, secret=us.secret, now=self._clock())
        answer = await self._out.post(URL(f"{us.url}?{query}", encoded=True), b"", headers)
        _judge(*aliyun.verdict(answer))

    async def close(self) -> None:
        await self._out.close()


class Tencent:
    def __init__(self, account: Account, *, voice: bool, clock: Callable[[], datetime] = utcnow) -> None:
        self._account, self._clock, self._out = account, clock, Outbound()
        self._action, self._service = (tencent.call, "vms") if voice else (tencent.sms, "sms")

    async def carry(self, message: Message, number: str) -> None:
        us = self._account
        action, given = self._action(number, message.title, us.options)
        body = json.dumps(given, ensure_ascii=False).encode()
        headers = tencent.request(
            action,
            body,
            service=self._service,
            host=us.host,
            key=us.key,
            secret=us.secret,
            now=self._clock(),
            region=us.options.get("region", "ap-guangzhou"),
        )
        answer = await self._out.post(us.url, body, headers)
        _judge(*tencent.verdict(answer))

    async def close(self) -> None:
        await self._out.close()


class Apprise:
    """The long tail. Apprise says only yes or no, so a no is tried again."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def carry(self, message: Message, number: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                taken = await asyncio.to_thread(_through_apprise, self._url.replace(HOLE, number), message)
        except TimeoutError as error:
            raise Undeliverable(SILENT, retry_after=LATER) from error
        if not taken:
            raise Undeliverable(REFUSED, retry_after=LATER)

    async def close(self) -> None:
        """Apprise keeps nothing open."""


def carrier(url: str, *, setting: str, voice: bool) -> Carrier:
    """Return who carries, as a setting names them.

    Raises:
        BadCarrier: something is missing; Apprise's own addresses are looked at when the first message goes out.
    """
    scheme = url.partition("://")[0]
    needed: dict[str, tuple[str, ...]] = {
        "aliyun": ("template",) if voice else ("sign", "template"),
        "tencent": ("app", "template") if voice else ("app", "sign", "template"),
    }
    if scheme not in needed:
        if "://" not in url or HOLE not in url:
            raise BadCarrier(setting=setting, why="it has no {number} where the telephone number goes")
        return Apprise(url)
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise BadCarrier(setting=setting, why="it is no address") from error
    options = dict(parse_qsl(parts.query))
    missing = [name for name in needed[scheme] if not options.get(name)]
    if missing or not (parts.hostname and parts.username and parts.password):
        raise BadCarrier(setting=setting, why=f"{', '.join(missing) or 'host, key or secret'} is missing")
    host = f"{parts.hostname}{port}"
    plain = "http" if port and is_here(parts.hostname) else "https"  # on this very machine: a stand-in
    account = Account(host, URL(f"{plain}://{host}/"), unquote(parts.username), unquote(parts.password), options)
    return (Aliyun if scheme == "aliyun" else Tencent)(account, voice=voice)


def _judge(meaning: str, words: str) -> None:
    match meaning:
        case "ok":
            return
        case "later":
            raise Undeliverable(BUSY, said=words, retry_after=LATER)
        case "account":
            raise Undeliverable(ACCOUNT, said=words)
        case "number":
            raise Undeliverable(NUMBER, said=words, gone=True)
    raise Undeliverable(REFUSED, said=words)


def _through_apprise(url: str, message: Message) -> bool:
    import apprise  # takes a while to load, and most plants never need it

    sender = apprise.Apprise()
    return bool(sender.add(url) and sender.notify(title=message.title, body=f"{message.body}\n{message.url}"))
