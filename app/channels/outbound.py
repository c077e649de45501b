"""One way out for everything that is a plain HTTPS request: patience that ends, no redirects, no cookies."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver
from yarl import URL

from app.channels.answers import SOON
from app.channels.base import Undeliverable
from app.kit.errors import N_

log = structlog.get_logger(__name__)

PATIENCE: Final = aiohttp.ClientTimeout(total=15, sock_connect=5)
CONNECTIONS_EACH: Final = 16
LONGEST: Final = 64 * 1024  # bytes of an answer that are read

SILENT: Final = N_("The service did not answer in time.")
UNREACHABLE: Final = N_("The service could not be reached.")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    retry_after: str = ""


class Outbound:
    """A pool of connections. Use it from one event loop; it may be used again after `close`."""

    def __init__(
        self,
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        patience: aiohttp.ClientTimeout = PATIENCE,
    ) -> None:
        self._resolver, self._tls, self.patience = resolver, tls, patience
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: URL, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post and return what came back, whatever its status.

        Raises:
            Undeliverable: nobody answered, or not in time.
        """
        return await self.ask("POST", url, body, headers)

    async def ask(self, method: str, url: URL, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The same with any method."""
        try:
            async with self._pool().request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
                said = await answer.content.read(LONGEST)
                return Answer(answer.status, said, answer.headers.get("Retry-After", ""))
        except TimeoutError as error:
            raise Undeliverable(SILENT, retry_after=SOON) from error
        except (aiohttp.ClientError, OSError) as error:
            log.warning("service unreachable", host=url.host, error=type(error).__name__)
            raise Undeliverable(UNREACHABLE, retry_after=SOON) from error

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                limit_per_host=CONNECTIONS_EACH,
                ssl=self._tls or True,
                resolver=self._resolver,
                use_dns_cache=self._resolver is None,
            )
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self.patience, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session
