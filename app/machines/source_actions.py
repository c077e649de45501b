"""Writes about sources: which there are, how they are spoken to, whom they trust, what is read there.

Longer than most files because every way a person's entry is refused stands beside what it would have changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlmodel import Session, col, update

from app.kit.errors import N_, DomainError
from app.kit.secret import seal
from app.machines import certificates, source_queries
from app.machines.asking import Seen
from app.machines.certificates import Unreadable
from app.machines.models import AlarmRule, ServerCertificate, Source, Tag
from app.machines.rules import Kind
from app.machines.security import CHOICES, Login, Mode, Policy, Security
from app.people.models import Person
from app.plant.models import Station

MARGIN = 0.1
"""Of its range: how far from the ends limits are proposed."""
SLACK = 0.01
"""Of its range: the dead-band that is proposed."""
MOST_AT_ONCE = 200

log = structlog.get_logger()


class BadSource(DomainError):
    code = "machines.bad_source"
    message = N_(
        "A name, an address and one of the ways in are needed. Nothing was stored. Fill them in and save again."
    )
    status = 400


class LoginMissing(DomainError):
    code = "machines.login_missing"
    message = N_(
        "This login needs a user name and a password. Nothing was stored. "
        "Enter both; after a change of the address the password is asked for anew."
    )
    status = 400


class PasswordWouldBeHeard(DomainError):
    code = "machines.password_would_be_heard"
    message = N_(
        "On this connection everybody on the network could read the password. Nothing was stored. "
        "Choose an encrypted one, or say that nobody else can listen on this network."
    )
    status = 400


class BadUserCertificate(DomainError):
    code = "machines.bad_user_certificate"
    message = N_(
        "This is not a certificate with its key. Nothing was stored. Paste both as PEM text, the key without a "
        "password: from -----BEGIN CERTIFICATE----- to the end of the PRIVATE KEY."
    )
    status = 400


class AnotherCertificate(DomainError):
    code = "machines.another_certificate"
    message = N_(
        "The server shows another certificate now than the one you compared. Nothing was accepted. "
        "Look at it again, and ask who changed it."
    )


class NothingPicked(DomainError):
    code = "machines.nothing_picked"
    message = N_("Nothing was picked, or no station for it. Nothing was stored. Pick tags and the station they are at.")
    status = 400


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person entered about a source. `way` is policy/mode; empty secrets mean: as before."""

    name: str
    url: str
    way: str
    login: str
    user: str = ""
    password: str = ""
    pem: str = ""
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """A value somebody wants to watch: what it is called here, and whether limits shall be proposed."""

    seen: Seen
    name: str
    unit: str
    propose: bool


def add(session: Session, wish: Wish, *, by: Person, secret: bytes, now: datetime) -> Source:
    """Write a new source. It is watched as soon as its certificate is trusted, or at once where it has none.

    Raises:
        BadSource, LoginMissing, PasswordWouldBeHeard, BadUserCertificate
    """
    source = Source(name="", url="")
    _fill(source, wish, secret, now)
    session.add(source)
    session.flush()
    log.info("source.added", source=source.name, url=source.url, by=by.name)
    return source


def change(session: Session, source_id: UUID, wish: Wish, *, by: Person, secret: bytes, now: datetime) -> None:
    """Change how a source is spoken to. Secrets that are not entered stay, unless they would go to another address.

    Raises:
        NotFound, BadSource, LoginMissing, PasswordWouldBeHeard, BadUserCertificate
    """
    source = source_queries.get(session, source_id)
    _fill(source, wish, secret, now)
    source.try_at = now
    session.add(source)
    log.info("source.changed", source=source.name, url=source.url, by=by.name)


def switch(session: Session, source_id: UUID, on: bool, *, by: Person, now: datetime) -> None:
    """Watch a source, or stop watching it.

    Raises:
        NotFound
    """
    source = source_queries.get(session, source_id)
    source.enabled, source.try_at = on, now
    session.add(source)
    log.info("source.switched", source=source.name, on=on, by=by.name)


def trust(session: Session, source_id: UUID, der: bytes, seen: str, *, by: Person, now: datetime) -> None:
    """Accept the certificate `der` a server shows now. `seen` is the SHA-256 thumbprint the person compared.

    Raises:
        NotFound, AnotherCertificate
    """
    source = source_queries.get(session, source_id)
    try:
        certificate = certificates.read(der)
    except Unreadable as error:
        raise AnotherCertificate() from error
    if certificate.sha256 != seen:
        raise AnotherCertificate()
    of_source = col(ServerCertificate.source_id) == source.id, col(ServerCertificate.ended_at).is_(None)
    session.execute(update(ServerCertificate).where(*of_source).values(ended_at=now))
    session.add(
        ServerCertificate(
            source_id=source.id,
            der=certificate.der,
            sha256=certificate.sha256,
            trusted_at=now,
            trusted_by=by.name,
        )
    )
    source.try_at = now
    session.add(source)
    log.info("source.trusted", source=source.name, sha256=certificate.sha256, by=by.name)


def add_tags(session: Session, source_id: UUID, station_id: UUID, picks: Sequence[Pick], *, by: Person) -> int:
    """Watch these values from now on, and return how many are new. Limits are proposed as rules that are switched off.

    Raises:
        NotFound, NothingPicked
    """
    source = source_queries.get(session, source_id)
    if not picks or len(picks) > MOST_AT_ONCE or session.get(Station, station_id) is None:
        raise NothingPicked()
    known = source_queries.known_nodes(session, source_id)
    fresh = {pick.seen.node: pick for pick in picks if pick.seen.node not in known}
    for pick in fresh.values():
        seen = pick.seen
        tag = Tag(
            source_id=source.id,
            station_id=station_id,
            node=seen.node,
            names={"en": pick.name, "zh": pick.name},
            unit=pick.unit,
            eu_low=seen.low,
            eu_high=seen.high,
        )
        session.add(tag)
        session.flush()
        if pick.propose:
            session.add_all(proposed(tag.id, seen))
    log.info("source.tags_added", source=source.name, tags=len(fresh), by=by.name)
    return len(fresh)


def proposed(tag_id: UUID, seen: Seen) -> list[AlarmRule]:
    """Return limits that fit the range a machine tells of a value, switched off; none where it tells none."""
    if seen.low is None or seen.high is None:
        return []
    span = seen.high - seen.low
    limits = {Kind.LOW: seen.low + MARGIN * span, Kind.HIGH: seen.high - MARGIN * span}
    return [
        AlarmRule(tag_id=tag_id, kind=kind, setpoint=float(f"{at:.6g}"), deadband=float(f"{SLACK * span:.6g}"),
                  on_delay_s=2.0, enabled=False)
        for kind, at in limits.items()
    ]  # fmt: skip


def _fill(source: Source, wish: Wish, secret: bytes, now: datetime) -> None:
    policy, _, mode = wish.way.partition("/")
    if (policy, mode) not in CHOICES or not wish.name.strip() or wish.login not in list(Login):
        raise BadSource()
    login, moved = Login(wish.login), wish.url != source.url
    as_before = source.sealed if login is source.login and not moved else ""
    source.sealed = _sealed(login, wish, as_before, secret, now)
    source.name, source.url = wish.name.strip()[:80], wish.url
    source.policy, source.mode, source.login = Policy(policy), Mode(mode), login
    source.isolated = wish.isolated
    security = Security(source.policy, source.mode, isolated=wish.isolated)
    if login is Login.NAME and security.policy is Policy.NONE and not security.may_carry_secrets:
        raise PasswordWouldBeHeard()


def _sealed(login: Login, wish: Wish, before: str, secret: bytes, now: datetime) -> str:
    if login is Login.ANONYMOUS:
        return ""
    if login is Login.NAME:
        if wish.user.strip() and wish.password:
            return seal(secret, {"user": wish.user.strip(), "password": wish.password})
        if not before or wish.user.strip():
            raise LoginMissing()
        return before
    if not wish.pem.strip() and before:
        return before
    try:
        if certificates.identity_of(wish.pem.encode()).certificate.is_over(now=now):
            raise BadUserCertificate()
    except Unreadable as error:
        raise BadUserCertificate() from error
    return seal(secret, {"pem": wish.pem})
