"""Why a source is not connected, in words a person on the floor can act on.

Errors of the wire are known by the name of their class, so that this page needs no OPC UA library. `needs_person`:
trying again soon cannot help, and hammering may lock an account; everything else is tried again within seconds.
Longer than most files because each reason has its sentence.
"""

import socket
from dataclasses import dataclass

from app.kit.errors import N_


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason. `code` is stored and stable; `message` is an English msgid."""

    code: str
    message: str
    needs_person: bool = False


class LinkError(Exception):
    """Something we found out about a link ourselves; `code` is one of FAULTS."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code


LOGIN_REFUSED = Fault(
    "source.login_refused",
    N_("The machine's server refused the user name or password. Correct them in the settings of this source."),
    needs_person=True,
)
LOGIN_WANTED = Fault(
    "source.login_wanted",
    N_("The machine's server wants a login. Enter a user name and password in the settings of this source."),
    needs_person=True,
)
NOT_TRUSTED_BY_SERVER = Fault(
    "source.not_trusted_by_server",
    N_("The machine's server does not trust Pullcord yet. Accept our certificate on the server, then try again."),
    needs_person=True,
)
NOT_TRUSTED_BY_US = Fault(
    "source.not_trusted_by_us",
    N_("Nobody has accepted this server's certificate yet. Compare its fingerprint at the machine, then accept it."),
    needs_person=True,
)
CERTIFICATE_CHANGED = Fault(
    "source.certificate_changed",
    N_(
        "This server shows another certificate than the one that was accepted. Nothing was sent to it. "
        "Ask who changed it, compare the new one at the machine, then accept it."
    ),
    needs_person=True,
)
CERTIFICATE_OVER = Fault(
    "source.certificate_over",
    N_(
        "The certificate of this server has expired, or is not valid yet. Nothing was sent to it. "
        "Make a new one at the machine (or set its clock and ours), then accept it here."
    ),
    needs_person=True,
)
OWN_CERTIFICATE_OVER = Fault(
    "source.own_certificate_over",
    N_(
        "Our own certificate has expired, or the clock of this computer is wrong. Set the clock; if it is right, "
        "remove the file opcua.pem from the data folder, start anew, and accept the new certificate on the servers."
    ),
    needs_person=True,
)
CERTIFICATE_UNREADABLE = Fault(
    "source.certificate_unreadable",
    N_(
        "What this server shows as its certificate cannot be read. Nothing was sent to it. "
        "Have a new one made at the machine."
    ),
    needs_person=True,
)
WOULD_BE_HEARD = Fault(
    "source.would_be_heard",
    N_(
        "The password would travel in the clear, so it was not sent. Choose an encrypted connection, or say in the "
        "settings of this source that nobody else can listen on this network."
    ),
    needs_person=True,
)
SEALED_ELSEWHERE = Fault(
    "source.sealed_elsewhere",
    N_(
        "The login of this source was sealed by another installation and cannot be opened here. "
        "Enter it anew in the settings of this source."
    ),
    needs_person=True,
)
CERTIFICATE = Fault(
    "source.certificate",
    N_(
        "A certificate has expired, was made for another address, or a clock is wrong. Make a new one or set the clock."
    ),
    needs_person=True,
)
SECURITY = Fault(
    "source.security",
    N_("The machine's server does not offer this kind of encryption. Choose one that it offers."),
    needs_person=True,
)
BAD_ADDRESS = Fault(
    "source.bad_address",
    N_("This is not the address of an OPC UA server. It must look like opc.tcp://10.20.1.15:4840."),
    needs_person=True,
)
BAD_PATH = Fault(
    "source.bad_path",
    N_("The server answers, but does not know the path in this address. Remove what follows the port number."),
    needs_person=True,
)
BAD_SETTINGS = Fault(
    "source.bad_settings",
    N_("The settings of this source cannot be read. Correct them; until then it is not watched."),
    needs_person=True,
)
UNKNOWN_HOST = Fault(
    "source.unknown_host",
    N_("The name of the machine's server is not known in this network. Use its number (IP address), or ask IT."),
)
NOTHING_THERE = Fault(
    "source.nothing_there",
    N_("Nothing answers at this address. The OPC UA server is off, the port is wrong, or a firewall is in between."),
)
NOT_OPC_UA = Fault(
    "source.not_opc_ua",
    N_("Something answers at this address, but it does not speak OPC UA. Check the port number."),
)
NO_ANSWER = Fault(
    "source.no_answer",
    N_("No answer in time. The machine is off or frozen, or the network is blocked."),
)
NO_SUCH_NODE = Fault(
    "source.no_such_node",
    N_("The machine's server does not know this tag. Check the node id, or look for it in the list."),
)
FULL = Fault(
    "source.full",
    N_("The machine's server has no free place for another client. Close one that is not needed."),
)
SHUT_DOWN = Fault("source.shut_down", N_("The machine's server is shutting down."))
RESTARTED = Fault("source.restarted", N_("The machine's server was started anew; its values are being read again."))
FELL_SILENT = Fault("source.fell_silent", N_("The connection is open, but the machine's server stopped sending."))
LOST = Fault("source.lost", N_("The connection was lost."))
UNEXPECTED = Fault(
    "source.unexpected",
    N_("The machine's server answered something unexpected; the log has the details. We keep trying."),
)

FAULTS: dict[str, Fault] = {f.code: f for f in list(globals().values()) if isinstance(f, Fault)}

_BY_NAME: dict[str, Fault] = {
    "BadUserAccessDenied": LOGIN_REFUSED,
    "BadIdentityTokenRejected": LOGIN_REFUSED,
    "BadIdentityTokenInvalid": LOGIN_WANTED,
    "BadSecurityChecksFailed": NOT_TRUSTED_BY_SERVER,
    "AssertionError": NOT_TRUSTED_BY_SERVER,  # how the library reports a refused secure channel
    "BadCertificateUntrusted": NOT_TRUSTED_BY_SERVER,
    "BadCertificateInvalid": NOT_TRUSTED_BY_SERVER,
    "BadCertificateUseNotAllowed": NOT_TRUSTED_BY_SERVER,
    "BadCertificateIssuerRevocationUnknown": NOT_TRUSTED_BY_SERVER,
    "BadCertificateChainIncomplete": NOT_TRUSTED_BY_SERVER,
    "BadApplicationSignatureInvalid": CERTIFICATE_CHANGED,
    "InvalidSignature": CERTIFICATE_CHANGED,  # whoever answered does not hold the key of the certificate we know
    "BadUserSignatureInvalid": LOGIN_REFUSED,
    "BadCertificateUriInvalid": CERTIFICATE,
    "BadCertificateTimeInvalid": CERTIFICATE,
    "BadCertificateHostNameInvalid": CERTIFICATE,
    "BadSecurityPolicyRejected": SECURITY,
    "BadSecurityModeRejected": SECURITY,
    "BadTcpEndpointUrlInvalid": BAD_PATH,
    "BadNodeIdUnknown": NO_SUCH_NODE,
    "BadNodeIdInvalid": NO_SUCH_NODE,
    "BadTooManySessions": FULL,
    "BadMaxConnectionsReached": FULL,
    "BadTcpNotEnoughResources": FULL,
    "BadServerHalted": SHUT_DOWN,
    "BadShutdown": SHUT_DOWN,
    "BadTimeout": NO_ANSWER,
}


def explain(error: BaseException) -> Fault:
    """Return the reason behind an error; of a group, behind its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, LinkError):
        return FAULTS[error.code]
    if known := _BY_NAME.get(type(error).__name__):
        return known
    if "No matching endpoints" in str(error):
        return SECURITY
    if isinstance(error, socket.gaierror):
        return UNKNOWN_HOST
    if isinstance(error, ConnectionRefusedError):
        return NOTHING_THERE
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    if isinstance(error, OSError):
        return LOST
    return UNEXPECTED
