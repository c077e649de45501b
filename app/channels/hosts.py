"""Which push services we talk to. Phones name their own: without a list they could make us call anything."""

import re
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from yarl import URL

from app.kit.errors import N_, DomainError

# Chrome and Edge on Android, Debian's Chromium, Safari, Firefox, Edge on Windows.
KNOWN: Final = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "*.push.apple.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",
)

_ENTRY: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


class BadPushSetting(DomainError):
    code = "channels.bad_push_setting"
    message = N_("The setting %(setting)s is not usable: %(why)s. Pullcord did not start; nothing was changed.")
    status = 500


class PushHosts:
    """The known push services and those an installation adds.

    An entry is a host, `*.` before a domain of at least two labels for everything below it, or host:port.
    Always https; plain http only for an entry host:port on this very machine, which is how a stand-in is
    reached. An IP address is allowed only when it is an entry itself.
    """

    def __init__(self, more: Iterable[str] = (), *, known: Iterable[str] = KNOWN, setting: str = "push_hosts") -> None:
        self._setting = setting
        self._exact: set[tuple[str, int]] = set()
        self._plain: set[tuple[str, int]] = set()
        self._below: set[tuple[str, int]] = set()
        for entry in (*known, *more):
            self._add(entry)

    def allows(self, url: URL) -> bool:
        """Tell whether a message may be sent to this address."""
        if url.user is not None or url.password is not None or not url.host or url.port is None:
            return False
        place = (url.host, url.port)
        if url.scheme == "http":
            return place in self._plain
        return url.scheme == "https" and (place in self._exact or self._is_below(*place))

    def _is_below(self, host: str, port: int) -> bool:
        if _ip(host):
            return False
        labels = host.split(".")
        return all(labels) and any((".".join(labels[n:]), port) in self._below for n in range(1, len(labels)))

    def _add(self, entry: str) -> None:
        below = entry.startswith("*.")
        url = _parse(entry.removeprefix("*."))
        if url is None or url.host is None or url.port is None:
            raise BadPushSetting(setting=self._setting, why=f"{entry!r} is neither a host nor host:port")
        if below and ("." not in url.host or _ip(url.host)):
            raise BadPushSetting(setting=self._setting, why=f"{entry!r} would allow far too much")
        (self._below if below else self._exact).add((url.host, url.port))
        if url.explicit_port and not below and is_here(url.host):
            self._plain.add((url.host, url.port))


def trusting(authority: Path | None) -> ssl.SSLContext | None:
    """Return TLS settings that also trust the plant's own authority."""
    if authority is None:
        return None
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=authority)
    except OSError as error:
        raise BadPushSetting(setting="push_trust", why=f"{authority} cannot be read as a certificate") from error
    return context


def is_here(host: str) -> bool:
    """Tell whether `host` is this machine."""
    return host == "localhost" or host.endswith(".localhost") or (_ip(host) and ip_address(host).is_loopback)


def _parse(entry: str) -> URL | None:
    if not _ENTRY.fullmatch(entry):
        return None
    try:
        url = URL(f"https://{entry}")
        return url if url.port else None
    except ValueError:
        return None


def _ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
