"""Login without passwords for the floor: a badge, or a name and a PIN. Managers and admins may have a password.

Argon2 with OWASP's minimum: at shift start a whole shift logs in within minutes, and the library's default would cost
that PC a quarter of a second for each.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlmodel import Session, col, func, select

from app.kit.errors import N_, DomainError, NotAllowed
from app.kit.secret import digest
from app.people.models import Login, Person, Role

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
STAYS = timedelta(days=30)
TRIES = 5
LOCKED_FOR = timedelta(minutes=10)
SHORTEST_PASSWORD = 10
_NOBODY = HASHER.hash(secrets.token_hex(8))  # an unknown name takes as long as a known one


class WrongLogin(DomainError):
    code = "people.wrong_login"
    message = N_("Name and PIN do not match. Nothing was changed. Try again, or scan your badge.")
    status = 403


class LockedOut(DomainError):
    code = "people.locked_out"
    message = N_(
        "Too many wrong tries: this name is locked for %(minutes)s minutes. "
        "Your badge still works, or ask your team lead."
    )
    status = 403


class WeakPassword(DomainError):
    code = "people.weak_password"
    message = N_("This password is too short: it needs %(least)s characters. Nothing was changed. Choose a longer one.")
    status = 400


class UnknownBadge(DomainError):
    code = "people.unknown_badge"
    message = N_(
        "This badge is not valid any more. Nothing was changed. Use your name and PIN, or ask for a new badge."
    )
    status = 403


class LoginNeeded(DomainError):
    code = "people.login_needed"
    message = N_("Log in first to do this. Nothing was changed. Scan your badge, or use your name and PIN.")
    status = 401


def by_pin(session: Session, name: str, pin: str, *, now: datetime) -> tuple[Person | None, bool]:
    """Return who has this name, and whether the PIN or password fits; `note_try` writes it down.

    A check costs tens of milliseconds on purpose, so it runs on a reader: the writer has a whole plant waiting.

    Raises:
        LockedOut: too many wrong tries; nothing was checked.
    """
    which = select(Person).where(func.lower(Person.name) == name.strip().lower(), col(Person.left_at).is_(None))
    person = session.exec(which).first()
    if person and person.locked_until and person.locked_until > now:
        left = (person.locked_until - now).total_seconds()
        raise LockedOut(minutes=int(left // 60) + 1)
    hashes = [person.pin, person.password] if person else []
    fits = [_fits(known, pin) for known in hashes or [_NOBODY]]  # all of them: equal time for every name
    return person, any(fits)


def note_try(session: Session, person_id: UUID, *, fits: bool, now: datetime) -> None:
    """Count a wrong try, and lock the name after too many; a right one forgives."""
    person = session.get_one(Person, person_id, with_for_update=True)
    person.failed_logins = 0 if fits else person.failed_logins + 1
    if person.failed_logins >= TRIES:
        person.failed_logins, person.locked_until = 0, now + LOCKED_FOR
    session.add(person)


def by_badge(session: Session, secret: str, *, now: datetime) -> Person:
    """Return whose badge this is.

    Raises:
        UnknownBadge
    """
    which = select(Person).where(Person.badge == digest(secret), col(Person.left_at).is_(None))
    if person := session.exec(which).first():
        return person
    raise UnknownBadge()


def open_session(session: Session, person: Person, *, device: str, now: datetime) -> str:
    """Log `person` in and return the secret for the cookie."""
    cookie = secrets.token_urlsafe(32)
    session.add(
        Login(
            token=digest(cookie),
            person_id=person.id,
            device=device[:200],
            created_at=now,
            expires_at=now + STAYS,
        )
    )
    return cookie


def close_session(session: Session, cookie: str) -> None:
    """Log out. The cookie is worth nothing any more."""
    if login := session.get(Login, digest(cookie)):
        session.delete(login)


def set_pin(person: Person, pin: str) -> None:
    person.pin = HASHER.hash(pin)


def set_password(person: Person, password: str) -> None:
    """Managers and admins may have one beside the PIN."""
    if person.role.rank >= Role.MANAGER.rank:
        person.password = HASHER.hash(password)


def new_password(session: Session, person_id: UUID, current: str, password: str) -> str:
    """Return the hash of a manager's new password; `current` is the PIN or password so far. "": that was wrong.

    Raises:
        WeakPassword
    """
    person = session.get_one(Person, person_id)
    if person.role.rank < Role.MANAGER.rank:
        raise NotAllowed()
    if not any([_fits(known, current) for known in (person.pin, person.password)]):  # noqa: C419
        return ""
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword(least=SHORTEST_PASSWORD)
    return HASHER.hash(password)


def store_password(session: Session, person_id: UUID, hashed: str) -> None:
    person = session.get_one(Person, person_id)
    person.password = hashed
    session.add(person)


def new_badge(person: Person) -> str:
    """Give out a new badge and return its secret; the old one is worth nothing any more."""
    secret = secrets.token_urlsafe(24)
    person.badge = digest(secret)
    return secret


def _fits(known: str, given: str) -> bool:
    try:
        return bool(known) and HASHER.verify(known, given)
    except (VerifyMismatchError, InvalidHashError):
        return False
