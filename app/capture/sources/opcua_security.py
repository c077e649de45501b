"""How a connection to an OPC UA server is opened: with whom we speak is known before anything secret is sent.

The certificate a person has accepted is pinned: the channel is encrypted for its key alone, and a server that shows
another one is told nothing. Longer than most files because the OPC UA library may be imported in few modules only.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asyncua import Client, ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.crypto import security_policies as wire
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from app.capture.sources.hello import address, speaks_opc_ua
from app.kit.clock import utcnow
from app.kit.secret import Unsealable, unseal
from app.machines import certificates, faults
from app.machines.certificates import Identity, Keys, Unreadable
from app.machines.faults import LinkError
from app.machines.security import Login, Mode, Offer, Policy, Security

CONNECT_S = 20.0
GOODBYE_S = 2.0
SERVICE_FAULT = ua.FourByteNodeId(ua.Int32(ua.ObjectIds.ServiceFault_Encoding_DefaultBinary))
NOBODY = "urn:pullcord:opcua-client"  # our application URI where no certificate is shown

_POLICIES: dict[Policy, type[wire.SecurityPolicy]] = {
    Policy.BASIC256_SHA256: wire.SecurityPolicyBasic256Sha256,
    Policy.AES128_SHA256_RSA_OAEP: wire.SecurityPolicyAes128Sha256RsaOaep,
    Policy.AES256_SHA256_RSA_PSS: wire.SecurityPolicyAes256Sha256RsaPss,
}
_BY_URI = {wire.SecurityPolicyNone.URI: Policy.NONE} | {known.URI: policy for policy, known in _POLICIES.items()}
_MODES = {
    ua.MessageSecurityMode.None_: Mode.NONE,
    ua.MessageSecurityMode.Sign: Mode.SIGN,
    ua.MessageSecurityMode.SignAndEncrypt: Mode.SIGN_AND_ENCRYPT,
}
_LOGINS = {
    ua.UserTokenType.Anonymous: Login.ANONYMOUS,
    ua.UserTokenType.UserName: Login.NAME,
    ua.UserTokenType.Certificate: Login.CERTIFICATE,
}


class CarefulClient(Client):
    """The library's client, which does not send a password that others could read."""

    may_carry_secrets = False

    def _add_user_auth(self, params: Any, username: str | None, password: str | None) -> None:
        policy = self.server_policy(ua.UserTokenType.UserName).SecurityPolicyUri
        # Even a server that offers to have the password encrypted is not believed on a channel that is open to all.
        open_to_all = self.security_policy.URI == wire.SecurityPolicyNone.URI
        if (open_to_all or policy in (None, "", wire.SecurityPolicyNone.URI)) and not self.may_carry_secrets:
            raise LinkError(faults.WOULD_BE_HEARD.code)
        super()._add_user_auth(params, username, password)


@dataclass(frozen=True, slots=True)
class Met:
    """Who answers at an address, and which ways in it offers that we may use, the best first."""

    name: str
    uri: str
    offers: tuple[Offer, ...]


def prepared(url: str, keys: Keys | None, *, patience_s: float) -> CarefulClient:
    """Return a client that is connected to nothing yet. Its supervision is ours."""
    client = CarefulClient(url, timeout=patience_s, watchdog_intervall=1e6)
    client.name, client.application_uri = "Pullcord", keys.identity.uri if keys else NOBODY
    # The library's publish loop swallows what it cannot read and retries on a dead line; ours tell.
    client.uaclient.session.ensure_publish_loop = lambda: None  # type: ignore[method-assign]
    return client


async def enter(client: CarefulClient, url: str, security: Security, keys: Keys | None) -> None:
    """Connect and log in, as was decided for this source.

    Raises:
        LinkError: it must not be, and why.
        Exception: whatever else went wrong; `faults.explain` knows what it means.
    """
    host, port = address(url)
    try:
        async with asyncio.timeout(CONNECT_S):
            if security.policy is not Policy.NONE:
                await _secure(client, url, security, keys)
            _log_in(client, security, keys)
            await client.connect()
    except ConnectionError as error:
        if not isinstance(error, ConnectionRefusedError) and not await speaks_opc_ua(host, port):
            raise LinkError(faults.NOT_OPC_UA.code) from error
        raise


async def leave(client: Client) -> None:
    """Say goodbye, so that no session is left behind, and hang up."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(GOODBYE_S):
            await client.disconnect()
    client.disconnect_socket()


async def meet(url: str, *, patience_s: float) -> Met:
    """Ask a server who it is and what it offers. Nothing is believed yet, and nothing secret is said.

    Raises:
        Exception: see `faults.explain`.
    """
    host, port = address(url)
    client = Client(url, timeout=patience_s)
    try:
        endpoints = await client.connect_and_get_server_endpoints()
    except ConnectionError as error:
        if not isinstance(error, ConnectionRefusedError) and not await speaks_opc_ua(host, port):
            raise LinkError(faults.NOT_OPC_UA.code) from error
        raise
    finally:
        client.disconnect_socket()
    server = endpoints[0].Server if endpoints else None
    name = (server.ApplicationName.Text if server and server.ApplicationName else None) or host
    return Met(name, (server.ApplicationUri if server else None) or "", tuple(_offers(endpoints)))


def check_still_valid(security: Security) -> None:
    """Make sure that the certificate of a server we speak with has not ended meanwhile.

    Raises:
        LinkError
    """
    if security.policy is Policy.NONE:
        return
    try:
        trusted = certificates.read(security.trusted)
    except Unreadable as error:
        raise LinkError(faults.CERTIFICATE_UNREADABLE.code) from error
    if trusted.is_over(now=(now := utcnow())) or trusted.is_early(now=now):
        raise LinkError(faults.CERTIFICATE_OVER.code)


async def _secure(client: CarefulClient, url: str, security: Security, keys: Keys | None) -> None:
    if keys is None:
        raise LinkError(faults.BAD_SETTINGS.code, "no keys")
    if not security.trusted:
        raise LinkError(faults.NOT_TRUSTED_BY_US.code)
    own = keys.identity.certificate
    if own.is_over(now=utcnow()) or own.is_early(now=utcnow()):
        raise LinkError(faults.OWN_CERTIFICATE_OVER.code)
    met = await meet(url, patience_s=client.uaclient._timeout)
    ways = [offer for offer in met.offers if (offer.policy, offer.mode) == (security.policy, security.mode)]
    if not ways:
        raise LinkError(faults.SECURITY.code)
    if all(offer.certificate != security.trusted for offer in ways):
        raise LinkError(faults.CERTIFICATE_CHANGED.code)
    check_still_valid(security)
    mode = next(known for known, ours in _MODES.items() if ours is security.mode)
    how = _POLICIES[security.policy]
    await client.set_security(how, own.der, keys.identity.key, server_certificate=security.trusted, mode=mode)


def _log_in(client: CarefulClient, security: Security, keys: Keys | None) -> None:
    if security.login is Login.ANONYMOUS:
        return
    if keys is None:
        raise LinkError(faults.BAD_SETTINGS.code, "no keys")
    try:
        opened = unseal(keys.secret, security.sealed)
    except Unsealable as error:
        raise LinkError(faults.SEALED_ELSEWHERE.code) from error
    if security.login is Login.NAME:
        if security.policy is Policy.NONE and not security.may_carry_secrets:
            raise LinkError(faults.WOULD_BE_HEARD.code)
        client.may_carry_secrets = security.may_carry_secrets
        client.set_user(str(opened["user"]))
        client.set_password(str(opened["password"]))
        return
    try:
        user: Identity = certificates.identity_of(str(opened["pem"]).encode())
    except Unreadable as error:
        raise LinkError(faults.LOGIN_REFUSED.code) from error
    client.user_certificate = x509.load_der_x509_certificate(user.certificate.der)
    client.user_private_key = load_der_private_key(user.key, None)


def _offers(endpoints: Iterable[ua.EndpointDescription]) -> list[Offer]:
    """What is offered, once each. What a server says of its own address is not used: people know how they reach it."""
    offers: dict[tuple[Policy, Mode], Offer] = {}
    for endpoint in endpoints:
        policy = _BY_URI.get(endpoint.SecurityPolicyUri or "")
        mode = _MODES.get(endpoint.SecurityMode)
        if policy is None or mode is None or not (endpoint.EndpointUrl or "").startswith("opc.tcp"):
            continue
        tokens = frozenset(_LOGINS[t.TokenType] for t in endpoint.UserIdentityTokens or () if t.TokenType in _LOGINS)
        try:
            der = certificates.read(endpoint.ServerCertificate).der if endpoint.ServerCertificate else b""
        except Unreadable:
            der = b""
        offer = Offer(policy, mode, int(endpoint.SecurityLevel or 0), tokens, der)
        offers.setdefault((policy, mode), offer)
    best = list(Mode)
    return sorted(offers.values(), key=lambda offer: (best.index(offer.mode), offer.level, offer.policy), reverse=True)


_process = UASocketProtocol._process_received_message


def _told_why(self: Any, message: Any) -> None:
    """A server that refuses our certificate answers with a fault; the library trips over it and says nothing useful."""
    opening = isinstance(self._open_secure_channel_exchange, ua.OpenSecureChannelParameters)
    if opening and isinstance(message, ua.Message):
        body = message.body().copy()  # type: ignore[no-untyped-call]
        if nodeid_from_binary(body) == SERVICE_FAULT:
            struct_from_binary(ua.ResponseHeader, body).ServiceResult.check()
    _process(self, message)


UASocketProtocol._process_received_message = _told_why  # type: ignore[method-assign, assignment]
