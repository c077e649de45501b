"""Web Push: rings the phone in the pocket, through the push service of its browser (RFC 8030, 8291, 8292).

checked-address: done
gone: done
retry-after: done
timeout: done
replaces: done
displayed: done
no-secrets-logged: done
tested: done

pywebpush encrypts. The request is our own: its helper opens a connection and signs anew for every message.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Final, Self

import aiohttp
import structlog
from pywebpush import WebPusher
from yarl import URL

from app.channels import answers
from app.channels.base import Message, Undeliverable
from app.channels.hosts import PushHosts, trusting
from app.channels.payload import envelope, payload
from app.channels.subscription import endpoint_url, usable_keys
from app.channels.vapid import KEY_FILE, Vapid, load_or_make_vapid
from app.kit.clock import utcnow
from app.settings import Settings

log = structlog.get_logger(__name__)

PATIENCE: Final = aiohttp.ClientTimeout(total=15, sock_connect=5)

CONNECTIONS_EACH: Final = 64  # for one push service: a slow one has no connection that another could use
PHONES_AT_HAND: Final = 4096  # checked addresses kept ready; checking costs a tenth of sending


@dataclass(frozen=True, slots=True)
class _Way:
    """A checked address: where to, who signs for it, and its encoder."""

    url: URL
    origin: str
    encoder: WebPusher


class WebPush:
    """One pool of connections to all push services. Use it from one event loop."""

    kind: ClassVar[str] = "webpush"

    def __init__(
        self,
        vapid: Vapid,
        hosts: PushHosts,
        *,
        tls: ssl.SSLContext | None = None,
        patience: aiohttp.ClientTimeout = PATIENCE,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.vapid = vapid
        self.hosts = hosts
        self._tls = tls
        self._patience = patience
        self._clock = clock
        self._ways = lru_cache(PHONES_AT_HAND)(self._find_way)
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        vapid = load_or_make_vapid(settings.data_dir / KEY_FILE, contact=settings.push_contact)
        return cls(vapid, PushHosts(settings.push_hosts), tls=trusting(settings.push_trust))

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        way = self._way_to(address)
        body: bytes = way.encoder.encode(payload(message), "aes128gcm")["body"]
        now = self._clock()
        headers = envelope(message) | {"Authorization": self.vapid.header(way.origin, now=now)}
        status, retry_after = await self._post(way.url, body, headers)
        if not 200 <= status < 300:
            ours = status in (401, 403)  # it concerns every phone at once
            (log.error if ours else log.warning)("push refused", host=way.url.host, status=status)
            if ours:
                self.vapid.forget(way.origin)
            raise answers.refusal(status, retry_after, now=now)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _way_to(self, address: Mapping[str, object]) -> "_Way":
        match address:
            case {"endpoint": str(endpoint), "keys": {"p256dh": str(p256dh), "auth": str(auth)}}:
                return self._ways(endpoint, p256dh, auth)
        raise Undeliverable(answers.BAD_KEYS, gone=True)

    def _find_way(self, endpoint: str, p256dh: str, auth: str) -> "_Way":
        url = endpoint_url(endpoint)
        if url is None or not self.hosts.allows(url):
            raise Undeliverable(answers.NOT_ALLOWED)
        if not usable_keys(p256dh, auth):
            raise Undeliverable(answers.BAD_KEYS, gone=True)
        keys = {"p256dh": p256dh, "auth": auth}
        return _Way(url, str(url.origin()), WebPusher({"endpoint": endpoint, "keys": keys}))

    async def _post(self, url: URL, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Return status and Retry-After, or say that nobody answered."""
        try:
            try:
                return await self._once(url, body, headers)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # A kept connection may close just as we use it. Sent twice, the tag shows it once.
                return await self._once(url, body, headers)
        except TimeoutError as error:
            raise Undeliverable(answers.SILENT, retry_after=answers.SOON) from error
        except (aiohttp.ClientError, OSError) as error:
            log.warning("push service unreachable", host=url.host, error=type(error).__name__)
            raise Undeliverable(answers.UNREACHABLE, retry_after=answers.SOON) from error

    async def _once(self, url: URL, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        # Redirects could lead anywhere. What an error says in its body is never read.
        async with self._pool().post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Retry-After", "")

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                limit_per_host=CONNECTIONS_EACH,
                keepalive_timeout=60,
                ssl=self._tls or True,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._patience,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session
