"""A machine that is careful whom it talks to: policies, trusted clients, users; and what it has heard of each login."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

URI = "urn:test:vault"
PASSWORD = "let me in"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Papers:
    """A certificate with its key, of anybody."""

    der: bytes
    key: rsa.RSAPrivateKey = KEY

    @property
    def pem(self) -> str:
        form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
        own = self.key.private_bytes(encoding, form, serialization.NoEncryption())
        return (x509.load_der_x509_certificate(self.der).public_bytes(encoding) + own).decode()


def papers(uri: str = URI, *, ends: int = 300, serial: int = 1) -> Papers:
    """Make some, valid for so many days from now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vault of the press shop")])
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName("vault.test")]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(serial)
        .not_valid_before(NOW + timedelta(days=-1))
        .not_valid_after(NOW + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(KEY, hashes.SHA256())
    )
    return Papers(built.public_bytes(serialization.Encoding.DER))


@dataclass
class Vault:
    """`heard`: every login that reached it, right or wrong. `trusted`: clients it knows; None: it takes anybody.

    It lives in a thread of its own, for it takes seconds to start: tests share one, and let it `forget`.
    """

    port: int
    papers: Papers
    trusted: list[bytes] | None = None
    users: tuple[str, ...] = ("anonymous", "pullcord")
    user_certificates: list[bytes] = field(default_factory=list)
    heard: list[tuple[str | None, str | None]] = field(default_factory=list)
    server: Any = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    @staticmethod
    def node(tag: str) -> str:
        return f"nsu={URI};s={tag}"

    def forget(self) -> None:
        """Be as at the start."""
        self.trusted, self.users = None, ("anonymous", "pullcord")
        self.user_certificates.clear()
        self.heard.clear()

    @contextmanager
    def without(self, policy: str) -> Iterator[None]:
        """Offer no endpoint of this policy for a while."""
        endpoints = self.server.iserver.endpoints
        kept = list(endpoints)
        endpoints[:] = [one for one in kept if not one.SecurityPolicyUri.endswith(policy)]
        yield
        endpoints[:] = kept

    def sessions(self) -> int:
        return len(self.server.bserver.clients)

    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        self.heard.append((username, password))
        if certificate in self.user_certificates:
            return User(role=UserRole.User)
        known = (username or "anonymous") in self.users and (not username or password == PASSWORD)
        return User(role=UserRole.User) if known else None

    async def check(self, certificate: x509.Certificate, _: Any) -> None:
        der = certificate.public_bytes(serialization.Encoding.DER)
        if self.trusted is not None and der not in self.trusted:
            raise ServiceError(ua.StatusCodes.BadSecurityChecksFailed)


@contextmanager
def vault(fill: Callable[[Any, int], Awaitable[None]] | None = None) -> Iterator[Vault]:
    """One that runs, with a temperature of 20 in it; `fill` adds more to the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        running = Vault(free.getsockname()[1], papers())
    ready, loop = threading.Event(), asyncio.new_event_loop()
    serving = loop.create_task(_serve(running, ready, fill))
    thread = threading.Thread(target=loop.run_until_complete, args=[_until_cancelled(serving)])
    thread.start()
    assert ready.wait(60), "the vault did not open"
    yield running
    loop.call_soon_threadsafe(serving.cancel)
    thread.join()
    loop.close()


async def _until_cancelled(task: asyncio.Task[None]) -> None:
    with suppress(asyncio.CancelledError):
        await task


async def _serve(running: Vault, ready: threading.Event, fill: Any) -> None:
    server = running.server = Server(user_manager=running)  # type: ignore[arg-type]
    await server.init()
    await server.set_application_uri(URI)
    server.set_endpoint(running.url)
    server.set_security_policy(list(ua.SecurityPolicyType))
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    await server.load_certificate(running.papers.der)
    await server.load_private_key(running.papers.key.private_bytes(encoding, form, serialization.NoEncryption()))
    server.set_certificate_validator(running.check)
    number = await server.register_namespace(URI)
    await server.nodes.objects.add_variable(ua.NodeId("Temp", number), ua.QualifiedName("Temp", number), 20.0)
    if fill:
        await fill(server, number)
    async with server:
        ready.set()
        await asyncio.Event().wait()
