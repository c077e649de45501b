"""A generic webhook, signed as Standard Webhooks has it: for MES, CMMS and whatever else a plant has.

checked-address: done
gone: done
retry-after: done
timeout: done
replaces: exempt (the receiver knows the anomaly by its id and keeps the newest)
displayed: exempt (a program has no eyes)
no-secrets-logged: done
tested: done

https://www.standardwebhooks.com: the id stays the same when a message is sent again; 410 means never again.
"""

import json
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final, Self

import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from standardwebhooks import Webhook as Signer
from yarl import URL

from app.channels.answers import SOON, wait
from app.channels.base import Message, Undeliverable
from app.channels.inside import INSIDE, Inside
from app.channels.outbound import Outbound
from app.channels.subscription import endpoint_url
from app.kit.clock import utcnow
from app.kit.errors import N_
from app.settings import Settings

log = structlog.get_logger(__name__)

GONE: Final = N_("The receiver of this webhook says that it is gone for good.")
REFUSED: Final = N_("The receiver of this webhook did not take the message.")
BUSY: Final = N_("The receiver of this webhook has a fault or asks us to wait.")
UNKNOWN: Final = N_("Nobody knows this host name. Check the address of the webhook.")
NO_ADDRESS: Final = N_("This webhook has no address that can be called, or no secret. Remove it and add it again.")


class Webhook:
    """Posts JSON to one address. Names are resolved and checked for each connection; redirects are not followed."""

    kind: ClassVar[str] = "webhook"

    def __init__(self, inside: Inside, *, clock: Callable[[], datetime] = utcnow) -> None:
        self._inside, self._clock = inside, clock
        self._out = Outbound(resolver=Resolver(inside))

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(Inside(settings.inside_hosts))

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        url = self._checked(str(address.get("url", "")))
        try:
            signer = Signer(str(address.get("secret", "")))
        except (ValueError, RuntimeError) as error:
            raise Undeliverable(NO_ADDRESS) from error
        now, body, name = self._clock(), letter(message), str(message.delivery_id)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer.sign(name, now, body),
        }
        answer = await self._out.post(url, body.encode(), headers)
        if 200 <= answer.status < 300:
            return
        log.warning("webhook refused", host=url.host, status=answer.status)
        if answer.status == 410:
            raise Undeliverable(GONE, gone=True)
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise Undeliverable(BUSY, retry_after=max(wait(answer.retry_after, now=now), SOON))
        raise Undeliverable(REFUSED)

    async def close(self) -> None:
        await self._out.close()

    def _checked(self, given: str) -> URL:
        url = endpoint_url(given)
        if url is None or url.host is None or url.user is not None:
            raise Undeliverable(NO_ADDRESS)
        if url.scheme != "https" and not self._inside.named(url.host):
            raise Undeliverable(INSIDE)
        if not self._literal_allowed(url.host):
            raise Undeliverable(INSIDE)
        return url

    def _literal_allowed(self, host: str) -> bool:
        """A number instead of a name is never resolved, so it is looked at here."""
        try:
            return self._inside.allows(host, host.strip("[]"))
        except ValueError:
            return True


class Resolver(AbstractResolver):
    """Finds addresses as everybody does, and refuses all of them if one leads inside."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            found = await ThreadedResolver().resolve(host, port, family)
        except (OSError, UnicodeError) as error:
            raise Undeliverable(UNKNOWN, retry_after=60) from error
        if not all(self._inside.allows(host, one["host"]) for one in found):
            raise Undeliverable(INSIDE)
        return found

    async def close(self) -> None:
        """Nothing is open."""


def letter(message: Message) -> str:
    """Return the JSON a program reads. It holds no token: what answers is a person on the page behind `url`."""
    document = {
        "type": "digest" if message.items else "call" if message.can_accept else "news",
        "timestamp": utcnow().isoformat(),
        "data": {
            "delivery": str(message.delivery_id),
            "anomaly": message.tag,
            "severity": message.severity,
            "title": message.title,
            "body": message.body,
            "url": message.url,
            "lang": message.lang,
            "items": [{"text": item.text, "url": item.url} for item in message.items],
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
