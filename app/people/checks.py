"""Results of phone checks: kept for a while under a short code, opened by whoever helps.

Nothing but known names and one figure for each row is kept, so that no stranger writes what an administrator will read.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete

from app.kit.errors import N_, DomainError
from app.people.models import Person, PhoneCheck
from app.people.phonecheck import ROWS
from app.plant.codes import ALPHABET

CODE_LENGTH: Final = 6
KEPT: Final = timedelta(days=30)
LARGEST: Final = 10**7
_MISHEARD: Final = str.maketrans("ILO", "110", " -")


@dataclass(frozen=True, slots=True)
class Found:
    """What a phone says of one row: the name of a finding, and a figure where the finding has one."""

    said: str
    value: float | None = None


class BadCheck(DomainError):
    code = "people.bad_check"
    message = N_("This is not the result of a phone check. Nothing was stored. Reload the page and run the test again.")
    status = 400


class UnknownCheck(DomainError):
    code = "people.unknown_check"
    message = N_(
        "No phone check has this code. Nothing was changed. Ask for the six characters again; "
        "results are kept for thirty days."
    )
    status = 404


def keep_check(
    session: Session, found: Mapping[str, Found], *, person: Person | None, device: str, now: datetime
) -> str:
    """Store what a phone has found and return the code under which an administrator can open it.

    Raises:
        BadCheck: a row or a finding nobody knows, or a row is missing.
    """
    known = found.keys() == ROWS.keys() and all(one.said in ROWS[key].findings for key, one in found.items())
    if not known or any(one.value is not None and not abs(one.value) < LARGEST for one in found.values()):
        raise BadCheck()
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    rows: dict[str, object] = {key: {"said": one.said, "value": one.value} for key, one in found.items()}
    by = person.id if person else None
    session.add(PhoneCheck(code=code, person_id=by, device=device[:200], found=rows, checked_at=now))
    return code


def open_check(session: Session, code: str) -> tuple[PhoneCheck, str]:
    """Return a check by its code, as it was read out, and the name of whose phone it is ("": nobody was signed in).

    Raises:
        UnknownCheck
    """
    check = session.get(PhoneCheck, heard(code))
    if check is None:
        raise UnknownCheck()
    person = session.get(Person, check.person_id) if check.person_id else None
    return check, person.name if person else ""


def heard(code: str) -> str:
    """Return the code in what somebody typed after listening: no case, no gaps, a one for an I. Pure."""
    plain = code[:40].upper().translate(_MISHEARD)
    return plain if plain and all(letter in ALPHABET for letter in plain) else ""


def forget_old_checks(session: Session, *, now: datetime) -> int:
    """Delete what is too old to help anybody; return how many."""
    gone = session.execute(delete(PhoneCheck).where(col(PhoneCheck.checked_at) <= now - KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def rows_of(check: PhoneCheck) -> dict[str, Found]:
    """Return what was found, row by row."""
    found: dict[str, Found] = {}
    for key, said in check.found.items():
        match said:
            case {"said": str(name), "value": value} if key in ROWS and name in ROWS[key].findings:
                found[key] = Found(name, float(value) if value is not None else None)
    return found
