"""What the robots of chat groups have in common: an address with a token in it, JSON out, a number back."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self

import structlog
from yarl import URL

from app.channels.answers import SOON, wait
from app.channels.base import Message, Undeliverable
from app.channels.limits import SILENCED
from app.channels.outbound import Answer, Outbound
from app.channels.targets import BadRobot, Robots
from app.kit.clock import utcnow
from app.kit.errors import N_
from app.settings import Settings

log = structlog.get_logger(__name__)

TOKEN: Final = N_(
    "The robot's address or secret was refused. Make a new one in the group's settings and enter it here; "
    "what waits is kept."
)
LIMIT: Final = N_("The robot has reached its limit: silent for ten minutes, then what waits comes as one message.")
REFUSED: Final = N_("The robot did not take the message.")
BUSY: Final = N_("The chat service has a fault.")
NOT_ALLOWED: Final = N_("This is not the address of a robot that may be called.")

LOOKALIKES: Final = str.maketrans("<>[]*`#_", "＜＞［］＊ˋ＃＿")


class Robot(ABC):
    """A robot in a group. What it says and how it is signed is up to each kind."""

    kind: ClassVar[str]
    bad_tokens: ClassVar[frozenset[int]]
    limits: ClassVar[frozenset[int]]
    busy: ClassVar[frozenset[int]] = frozenset({-1})

    def __init__(self, robots: Robots, *, clock: Callable[[], datetime] = utcnow) -> None:
        self._robots, self._clock, self._out = robots, clock, Outbound()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(Robots.of(settings.chat_hosts))

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        try:
            url = self._robots.url(self.kind, address.get("url", ""))
        except BadRobot as error:
            raise Undeliverable(NOT_ALLOWED) from error
        url, letter = self.signed(url, self.letter(message), str(address.get("secret", "")), now=self._clock())
        answer = await self._out.post(url, encoded(letter), {"Content-Type": "application/json; charset=utf-8"})
        self._judge(answer)

    async def close(self) -> None:
        await self._out.close()

    @abstractmethod
    def letter(self, message: Message) -> dict[str, Any]:
        """Return the JSON this service shows as a card."""

    def signed(self, url: URL, letter: dict[str, Any], secret: str, *, now: datetime) -> tuple[URL, dict[str, Any]]:
        """Return address and letter as they are sent."""
        return url, letter

    def _judge(self, answer: Answer) -> None:
        """Raise unless the service took the message. Its JSON says so: the status is 200 for nearly everything."""
        said = _object(answer.body)
        code = said.get("errcode", said.get("code"))
        if answer.status == 200 and code == 0:
            return
        words = str(said.get("errmsg") or said.get("msg") or "")[:120]
        log.warning("robot refused", channel=self.kind, status=answer.status, code=code, said=words)
        if code in self.limits or answer.status == 429:
            raise Undeliverable(LIMIT, said=words, retry_after=SILENCED)
        if code in self.bad_tokens or answer.status in (401, 403, 404):
            # A token is put right by a person; until then it is tried now and then, and nothing is thrown away.
            raise Undeliverable(TOKEN, said=words, retry_after=SILENCED)
        if code in self.busy or answer.status >= 500:
            raise Undeliverable(BUSY, said=words, retry_after=wait(answer.retry_after, now=self._clock()) or SOON)
        raise Undeliverable(REFUSED, said=words)


def encoded(letter: dict[str, Any]) -> bytes:
    return json.dumps(letter, ensure_ascii=False, separators=(",", ":")).encode()


def plain(text: str) -> str:
    """Return what people typed so that it cannot be Markdown: these services know no way to escape it."""
    return " ".join(text.translate(LOOKALIKES).split())


def markdown(message: Message, *, most: int) -> str:
    """Return title and lines as Markdown of at most `most` bytes; lines that find no room are left out."""
    text = f"**{plain(message.title)}**"
    lines = [f"- [{plain(item.text)}]({item.url})" for item in message.items]
    end = f"\n\n[{plain(message.words.open)}]({message.url})"
    for line in lines or [f"> {plain(message.body)}"]:
        if len(f"{text}\n\n{line}{end}".encode()) > most:
            text += "\n\n…"
            break
        text += f"\n\n{line}"
    return text + end


def cut(text: str, most: int) -> str:
    """Shorten to `most` bytes of UTF-8."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - 3].decode(errors="ignore") + "…"


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
