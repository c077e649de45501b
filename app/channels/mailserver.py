"""The plant's own mail server, as one setting names it."""

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from app.kit.errors import N_, DomainError

PORTS: Final = {"smtp": 587, "smtps": 465}


class BadMailSetting(DomainError):
    code = "channels.bad_mail_setting"
    message = N_(
        "The setting smtp_url must look like smtp://user:password@host:587 or smtps://…. "
        "Pullcord did not start; nothing was changed."
    )
    status = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out.

    `implicit_tls`: encrypted from the first byte (smtps). Else STARTTLS if offered; with a login, always.
    """

    host: str
    port: int
    implicit_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError) as error:
            raise BadMailSetting() from error
        if not parts.hostname or (parts.username and not parts.password):
            raise BadMailSetting()
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme == "smtps", user, password)
