"""What chat apps with an Accept button have in common: a connection that we open, and clicks that come in on it.

The connection goes out, so the plant needs no public address. We speak the providers' frames ourselves: their own
libraries wait without end, import the whole of their platform, or want the event loop for themselves. Tests compare our
frames with theirs.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import aiohttp
import structlog
from yarl import URL

from app.channels.answers import wait
from app.channels.base import Message, Undeliverable
from app.channels.outbound import Answer, Outbound
from app.kit.clock import utcnow
from app.kit.errors import N_

PATIENCE: Final = 2.5  # seconds for an answer to a click: Feishu waits three
HEARTBEAT: Final = 30.0
CONNECT: Final = 15.0
STALE: Final = frozenset({99991661, 99991663, 99991664, 99991668})  # Feishu: a token that has ended
EARLY: Final = 300.0  # seconds before its end a token is not trusted any more

REFUSED: Final = N_("The chat app did not accept the app's id or secret. Correct them under Channels.")
NO_LINE: Final = N_("There is no connection to the chat app at the moment. It is tried again.")
LOST: Final = N_("The connection to the chat app was lost. It is opened again.")
NOT_TAKEN: Final = N_("The chat app did not take the message.")
SLOW: Final = N_("It takes a moment. The card will say who has it.")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody in a chat pressed Accept. `user` is what that `app` calls them."""

    kind: str
    app: str
    user: str
    delivery_id: UUID


@dataclass(frozen=True, slots=True)
class Reply:
    """What who clicked is told, and what the card says now: if not to `everybody`, then what it said before."""

    text: str
    card: Message | None = None
    everybody: bool = False


Answerer = Callable[[Click], Awaitable[Reply]]


class Line(Protocol):
    """A channel that listens as well."""

    async def listen(self, target: Mapping[str, object], answer: Answerer) -> None:
        """Connect and let clicks be answered. Never returns; ends by being cancelled.

        Raises:
            Undeliverable: the connection was lost or refused.
        """
        ...


async def in_time(answer: Answerer, click: Click) -> Reply:
    """Answer within what the chat app waits for; what takes longer is still done."""
    doing = asyncio.ensure_future(answer(click))
    done, _ = await asyncio.wait({doing}, timeout=PATIENCE)
    return doing.result() if done else Reply(SLOW)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a WebSocket that notices when the other side is gone.

    Raises:
        Undeliverable: it did not open, or was lost.
    """
    try:
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            asyncio.timeout(None) as patience,
        ):
            patience.reschedule(asyncio.get_running_loop().time() + CONNECT)
            async with session.ws_connect(url, heartbeat=HEARTBEAT, max_msg_size=2**20) as socket:
                patience.reschedule(None)
                yield socket
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Undeliverable(LOST, retry_after=5) from error


async def serve(socket: aiohttp.ClientWebSocketResponse, handle: Callable[[Any], Awaitable[None]]) -> None:
    """Let `handle` have what comes in, JSON read and bytes as they are, each on its own: a click waits for no other.

    Raises:
        Undeliverable: nothing comes any more.
    """
    busy: set[asyncio.Task[None]] = set()
    try:
        async for message in socket:
            task = asyncio.create_task(_handled(message, handle))
            busy.add(task)
            task.add_done_callback(busy.discard)
        raise Undeliverable(LOST, retry_after=5)
    finally:
        for task in busy:
            task.cancel()


async def _handled(message: aiohttp.WSMessage, handle: Callable[[Any], Awaitable[None]]) -> None:
    """One frame that cannot be read, or answered, is no other's business."""
    try:
        await handle(message.data if message.type == aiohttp.WSMsgType.BINARY else json.loads(message.data))
    except Exception:
        log.exception("chat.frame_failed")


class Api:
    """The HTTP side of a chat app: JSON out and in, with a token that is fetched again before it ends."""

    def __init__(self, root: str) -> None:
        self.root, self.out = URL(root), Outbound()
        self._tokens: dict[str, tuple[str, float]] = {}

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
        *,
        otherwise: str = NOT_TAKEN,
    ) -> dict[str, Any]:
        """Return what the app answered.

        Raises:
            Undeliverable: it refused (`otherwise` says what), or did not answer.
        """
        sent = {"Content-Type": "application/json; charset=utf-8"} | dict(headers or {})
        raw = json.dumps(body, ensure_ascii=False).encode()
        answer = await self.out.ask(method, self.root.join(URL(path)), raw, sent)
        said = _object(answer)
        if answer.status == 200 and not said.get("code"):
            return said
        log.warning("chat.refused", path=path.partition("?")[0], status=answer.status, code=said.get("code"))
        if answer.status == 429 or answer.status >= 500:
            raise Undeliverable(NOT_TAKEN, retry_after=wait(answer.retry_after, now=utcnow()))
        if answer.status in (401, 403) or said.get("code") in STALE:
            self._tokens.clear()
            raise Undeliverable(REFUSED, retry_after=2)
        raise Undeliverable(otherwise, retry_after=60 if otherwise == REFUSED else None)

    async def token(self, app: str, path: str, body: Mapping[str, object], *, name: str, life: str) -> str:
        """Return the token of an app, fetched when none lasts; the answer has it as `name`, for `life` seconds."""
        now = asyncio.get_running_loop().time()
        token, until = self._tokens.get(app, ("", 0.0))
        if until <= now:
            said = await self.ask("POST", path, body, otherwise=REFUSED)
            token, until = str(said.get(name, "")), now + float(said.get(life, 0)) - EARLY
            if not token:
                raise Undeliverable(REFUSED, retry_after=60)
            self._tokens[app] = token, until
        return token

    async def close(self) -> None:
        await self.out.close()


def delivery_of(text: object) -> UUID | None:
    """Return the delivery a card was for; None when it is none of ours."""
    try:
        return UUID(hex=str(text))
    except ValueError:
        return None


def _object(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
