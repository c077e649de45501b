"""SMS and voice calls: for phones without network, and for those who sleep. Carried by Aliyun, Tencent, or Apprise.

checked-address: done
gone: done
retry-after: done
timeout: done
replaces: exempt (a text that was sent is sent; the ladder sends one for each rung, not for each try)
displayed: exempt (carriers tell whether a network took it, not whether somebody looked)
no-secrets-logged: done
tested: done
"""

from collections.abc import Mapping
from typing import ClassVar, Final, Self

import structlog

from app.channels.base import Message, Undeliverable
from app.channels.carrier import Carrier, carrier
from app.channels.personal import NUMBER
from app.kit.errors import N_
from app.settings import Settings

log = structlog.get_logger(__name__)

NO_NUMBER: Final = N_("This is not a telephone number.")
NO_SMS: Final = N_("Text messages are not set up here. Your administrator can name a carrier in the setting sms_url.")
NO_VOICE: Final = N_("Phone calls are not set up here. Your administrator can name a carrier in the setting voice_url.")


class Telephone:
    """One carrier, or a sentence that says there is none."""

    kind: ClassVar[str]
    missing: ClassVar[str]

    def __init__(self, by: Carrier | None) -> None:
        self._by = by

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        number = str(address.get("number", ""))
        if not NUMBER.fullmatch(number):
            raise Undeliverable(NO_NUMBER, gone=True)
        if self._by is None:
            raise Undeliverable(self.missing)
        try:
            await self._by.carry(message, number)
        except Undeliverable as refusal:
            log.warning("carrier refused", channel=self.kind, reason=refusal.reason, said=refusal.said)
            raise

    async def close(self) -> None:
        if self._by is not None:
            await self._by.close()


class Sms(Telephone):
    kind: ClassVar[str] = "sms"
    missing: ClassVar[str] = NO_SMS

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        url = settings.sms_url.get_secret_value()
        return cls(carrier(url, setting="sms_url", voice=False) if url else None)


class Voice(Telephone):
    kind: ClassVar[str] = "voice"
    missing: ClassVar[str] = NO_VOICE

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        url = settings.voice_url.get_secret_value()
        return cls(carrier(url, setting="voice_url", voice=True) if url else None)
