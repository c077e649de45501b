"""E-mail: for those who sit at a desk. Plain text, one message for each call, one thread for each anomaly.

checked-address: todo (the form that stores it checks; we refuse what is no address when we send)
gone: done
retry-after: done
timeout: done
replaces: exempt (mail cannot be taken back; the thread keeps it together)
displayed: exempt (mail that reports its reader is spying; opening the page counts)
no-secrets-logged: done
tested: done
"""

import ssl
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import ClassVar, Final, Self

import aiosmtplib
import structlog

from app.channels.base import Message, Undeliverable
from app.channels.mailserver import MailServer
from app.kit.clock import utcnow
from app.kit.errors import N_
from app.settings import Settings

log = structlog.get_logger(__name__)

PATIENCE: Final = 15.0  # seconds for each step of the conversation
LATER: Final = 60.0  # seconds; mail servers that say "later" mean minutes

NOT_SET_UP: Final = N_("E-mail is not set up here. Your administrator can name a mail server in the setting smtp_url.")
NO_ADDRESS: Final = N_("This is not an e-mail address.")
UNKNOWN: Final = N_("The mail server does not know this address.")
REFUSED: Final = N_("The mail server refused the message.")
NO_LOGIN: Final = N_("The mail server refused our login. Check the setting smtp_url.")
BUSY: Final = N_("The mail server asked us to try again later.")
UNREACHABLE: Final = N_("The mail server could not be reached.")
UNSAFE: Final = N_(
    "The mail server and we could not agree on encryption and login, so nothing was sent. Check the setting smtp_url."
)


class Email:
    """Sends through the plant's own mail server, or says in one sentence that there is none."""

    kind: ClassVar[str] = "email"

    def __init__(self, server: MailServer | None, *, sender: str, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = sender
        self._tls = tls

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        url = settings.smtp_url.get_secret_value()
        return cls(MailServer.from_url(url) if url else None, sender=settings.mail_from)

    async def send(self, message: Message, address: Mapping[str, object]) -> None:
        server = self._server
        if server is None:
            raise Undeliverable(NOT_SET_UP)
        letter = compose(message, sender=self._sender, to=str(address.get("email", "")))
        try:
            await aiosmtplib.send(
                letter,
                hostname=server.host,
                port=server.port,
                username=server.user or None,
                password=server.password or None,
                use_tls=server.implicit_tls,
                start_tls=None if server.implicit_tls or not server.user else True,
                tls_context=self._tls,
                timeout=PATIENCE,
            )
        except aiosmtplib.SMTPException as error:
            raise _undeliverable(error) from error
        except OSError as error:
            raise Undeliverable(UNREACHABLE, retry_after=LATER) from error

    async def close(self) -> None:
        """A connection lives for one message."""


def compose(message: Message, *, sender: str, to: str) -> EmailMessage:
    """Write the letter. Its link leads to the page and accepts nothing: link previews open every link."""
    letter = EmailMessage()
    try:
        letter["From"], letter["To"] = Address(addr_spec=sender), Address(addr_spec=to)
    except (MessageError, ValueError, IndexError) as error:
        raise Undeliverable(NO_ADDRESS) from error
    domain = letter["From"].addresses[0].domain
    letter["Subject"] = " ".join(message.title.split())
    letter["Date"] = format_datetime(utcnow())
    letter["Message-ID"] = make_msgid(domain=domain)
    letter["References"] = f"<{message.tag}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"  # keeps holiday answers away
    if message.severity == 1:
        letter["Importance"] = "high"
    letter.set_content(f"{message.body}\n\n{message.words.open}: {message.url}\n")
    letter["Content-Language"] = message.lang
    return letter


def _undeliverable(error: aiosmtplib.SMTPException) -> Undeliverable:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else 0
    log.warning("mail refused", code=code, error=type(error).__name__)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Undeliverable(NO_LOGIN)
    if 400 <= code < 500:
        return Undeliverable(BUSY, retry_after=LATER)
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        # 550 5.1.x says the mailbox is none; other 5xx may be about us (policy, size) and pass.
        gone = code in (550, 551, 553) and not error.message.startswith(("5.7", "5.2", "5.3"))
        return Undeliverable(UNKNOWN if gone else REFUSED, gone=gone)
    if code >= 500:
        return Undeliverable(REFUSED)
    if isinstance(error, ConnectionError | TimeoutError):
        return Undeliverable(UNREACHABLE, retry_after=LATER)
    return Undeliverable(UNSAFE)
