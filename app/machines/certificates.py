"""Certificates: ours, made once and kept in the data folder, and those of servers, as a person compares them.

What reads them is loaded where it is used: most starts of the web server look at none.
"""

import hashlib
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.kit.ids import new_id
from app.kit.secret import SECRET_FILE, keep

if TYPE_CHECKING:
    from cryptography import x509

OWN_FILE: Final = "opcua.pem"
OWN_LIFE: Final = timedelta(days=10 * 365)
KEY_BITS: Final = 2048  # what all three policies and the oldest controllers take
WARN_BEFORE: Final = timedelta(days=30)
CLOCKS_DIFFER: Final = timedelta(days=1)


class Unreadable(ValueError):
    """This is no certificate, or no key that fits it."""


@dataclass(frozen=True)
class Certificate:
    """What a person, and the connection, need to know of one."""

    der: bytes
    subject: str
    uris: tuple[str, ...]
    hosts: tuple[str, ...]
    begins: datetime
    ends: datetime

    @cached_property
    def sha1(self) -> str:
        return _thumbprint(hashlib.sha1(self.der, usedforsecurity=False).hexdigest())

    @cached_property
    def sha256(self) -> str:
        return _thumbprint(hashlib.sha256(self.der).hexdigest())

    def is_over(self, *, now: datetime) -> bool:
        return now > self.ends

    def is_early(self, *, now: datetime) -> bool:
        return now < self.begins

    def ends_soon(self, *, now: datetime) -> bool:
        return now > self.ends - WARN_BEFORE


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to servers: certificate and key as DER, and the application URI that stands in the certificate."""

    certificate: Certificate
    key: bytes

    @property
    def uri(self) -> str:
        return self.certificate.uris[0]


@dataclass(frozen=True, slots=True)
class Keys:
    """What this installation needs to open what it has sealed, and to prove that it is itself."""

    identity: Identity
    secret: bytes


def keys(data_dir: Path, *, now: datetime) -> Keys:
    """Return the keys of this installation; our certificate is made at the first call."""
    pem = keep(data_dir / OWN_FILE, lambda: _make(now))
    return Keys(identity_of(pem), keep(data_dir / SECRET_FILE))


def read(der: bytes) -> Certificate:
    """Return what a certificate says; of a chain, its first.

    Raises:
        Unreadable
    """
    from cryptography import x509

    der = _first(der)
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            der,
            found.subject.rfc4514_string()[:300],
            *_names(found),
            found.not_valid_before_utc,
            found.not_valid_after_utc,
        )
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        raise Unreadable from error


def identity_of(pem: bytes) -> Identity:
    """Return certificate and key of a PEM text that holds both.

    Raises:
        Unreadable: one is missing, protected by a password, no RSA key, or they do not belong together.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem[pem.index(b"-----BEGIN", _key_at(pem)) :], password=None)
    except (ValueError, TypeError) as error:
        raise Unreadable from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise Unreadable
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    own = key.private_bytes(encoding, form, serialization.NoEncryption())
    return Identity(read(certificate.public_bytes(encoding)), own)


def _key_at(pem: bytes) -> int:
    """Where the key begins, whichever of the two comes first."""
    at = pem.find(b"PRIVATE KEY-----")
    return pem.rindex(b"-----BEGIN", 0, at) if at >= 0 else len(pem)


def _first(der: bytes) -> bytes:
    """Servers send their certificate with those that signed it, one behind the other."""
    if len(der) < 4 or der[:2] != b"\x30\x82":
        return der
    return der[: int.from_bytes(der[2:4], "big") + 4]


def _names(found: "x509.Certificate") -> tuple[tuple[str, ...], tuple[str, ...]]:
    from cryptography import x509

    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    hosts = names.get_values_for_type(x509.DNSName)
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier)), (*hosts, *addresses)


def _thumbprint(digits: str) -> str:
    """As servers and their tools show it: pairs that can be compared by eye."""
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2)).upper()


def _make(now: datetime) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    host = socket.gethostname()[:60] or "localhost"
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    names = [(NameOID.COMMON_NAME, f"Pullcord@{host}"), (NameOID.ORGANIZATION_NAME, "Pullcord")]
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
    usage = x509.KeyUsage(True, True, True, True, False, True, False, False, False)
    also = [x509.UniformResourceIdentifier(f"urn:pullcord:{new_id()}"), x509.DNSName(_ascii(host))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - CLOCKS_DIFFER)
        .not_valid_after(now.astimezone(UTC) + OWN_LIFE)
        .add_extension(x509.SubjectAlternativeName(also), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    own = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM) + own


def _ascii(host: str) -> str:
    return host if host.isascii() else "localhost"
