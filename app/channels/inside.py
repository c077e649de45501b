"""Which addresses a webhook may lead to. What an administrator types must not make us call our own network.

A name is resolved when the message is sent, every address it has is looked at, and the connection goes to just those:
who changes the name's address in between gains nothing.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from app.channels.hosts import BadPushSetting
from app.kit.errors import N_

IP = IPv4Address | IPv6Address
INSIDE: Final = N_(
    "This address leads inside the plant's network, so nothing was sent. "
    "If that is meant, name the host in the setting inside_hosts."
)
NAT64: Final = IPv6Network("64:ff9b::/96")
NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class Inside:
    """What may be called though it is no public address: hosts by name, addresses and networks."""

    def __init__(self, allowed: Iterable[str] = (), *, setting: str = "inside_hosts") -> None:
        self.names: set[str] = set()
        self.networks = []
        for entry in allowed:
            try:
                self.networks.append(ip_network(entry, strict=False))
            except ValueError:
                if not NAME.fullmatch(entry.lower()):
                    why = f"{entry!r} is neither a host name nor an address nor a network"
                    raise BadPushSetting(setting=setting, why=why) from None
                self.names.add(entry.lower())

    def named(self, host: str) -> bool:
        """Tell whether an administrator of the machine named this host, or the network it is in, by itself."""
        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            return host.lower().rstrip(".") in self.names
        return any(address in network for network in self.networks)

    def allows(self, host: str, address: str) -> bool:
        """Tell whether `host` may be called at `address`."""
        if host.lower().rstrip(".") in self.names:
            return True
        ip = _bare(ip_address(address))
        return any(ip in network for network in self.networks) or (ip.is_global and not ip.is_multicast)


def _bare(address: IP) -> IP:
    """The address that is meant, however it is wrapped."""
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
    return address
