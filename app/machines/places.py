"""Where a machine may be: what an administrator types must lead to the machines' networks and nowhere else."""

import re
import socket
from ipaddress import ip_address
from typing import Final

from app.channels.inside import Inside
from app.kit.errors import N_, DomainError

PORT: Final = 4840  # registered for OPC UA
SCHEME: Final = "opc.tcp://"
HOST: Final = r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})"
ADDRESS: Final = re.compile(HOST + r"(:(?P<port>[0-9]{1,5}))?(?P<path>/\S*)?")


class NoAddress(DomainError):
    code = "machines.no_address"
    message = N_(
        "This is no address of a machine. Nothing was stored. "
        "Type its number or name, such as 10.20.1.15 or opc.tcp://oven-plc:4840."
    )
    status = 400


class NotThere(DomainError):
    code = "machines.not_there"
    message = N_(
        "%(host)s is not in the networks where machines may be, so nothing was sent there. "
        "If it is right, ask whoever runs this server to add it to the setting machine_hosts."
    )
    status = 400


class NameUnknown(DomainError):
    code = "machines.name_unknown"
    message = N_(
        "The name %(host)s is not known in this network. Nothing was stored. Use its number (IP address), or ask IT."
    )
    status = 400


def address(typed: str) -> str:
    """Return the full address of what a person typed: a host, perhaps with a port, perhaps opc.tcp and a path.

    Raises:
        NoAddress
    """
    text = typed.strip()
    found = ADDRESS.fullmatch(text[len(SCHEME) :] if text.lower().startswith(SCHEME) else text)
    if found is None or len(text) > 400:
        raise NoAddress()
    port = int(found["port"] or PORT)
    if not 0 < port < 65536:
        raise NoAddress()
    return f"{SCHEME}{found['host'].lower()}:{port}{found['path'] or ''}"


def check(url: str, allowed: Inside) -> None:
    """Make sure that a full address leads where machines may be. Asks the network for names: slow, in a thread.

    Raises:
        NotThere, NameUnknown
    """
    found = ADDRESS.fullmatch(url[len(SCHEME) :])
    if found is None:
        raise NoAddress()
    host = found["host"].strip("[]")
    if allowed.named(host):
        return
    try:
        ip_address(host)
    except ValueError:
        try:
            known = {str(place[0]) for *_, place in socket.getaddrinfo(host, None)}
        except OSError as error:
            raise NameUnknown(host=host) from error
        if known and all(allowed.named(one.partition("%")[0]) for one in known):
            return
    raise NotThere(host=host)
