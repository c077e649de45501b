"""How somebody wants to be called: in what order, when not, and who stands in."""

from dataclasses import dataclass
from datetime import time
from uuid import UUID

from sqlmodel import Session

from app.kit.errors import N_, DomainError
from app.people import addresses
from app.people.models import Person
from app.people.ways import kinds_of


class HalfQuiet(DomainError):
    code = "people.half_quiet"
    message = N_(
        "Quiet hours need a beginning and another time as their end. Nothing was changed. Fill in both, or clear both."
    )
    status = 400


class NoDeputy(DomainError):
    code = "people.no_deputy"
    message = N_("This person cannot stand in for you. Nothing was changed. Choose a colleague of your plant.")
    status = 400


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the two switches, the quiet hours and the deputy say."""

    calls: bool
    news: bool
    quiet_from: time | None
    quiet_until: time | None
    deputy_id: UUID | None


def wish(session: Session, person_id: UUID, wishes: Wishes) -> None:
    """Write down how somebody wants to be called. Severity 1 rings whatever it says.

    Raises:
        HalfQuiet, NoDeputy
    """
    quiet = wishes.quiet_from, wishes.quiet_until
    if (None in quiet and quiet != (None, None)) or (None not in quiet and quiet[0] == quiet[1]):
        raise HalfQuiet()
    person = session.get_one(Person, person_id)
    deputy = session.get(Person, wishes.deputy_id) if wishes.deputy_id else None
    if wishes.deputy_id and (
        deputy is None or deputy.id == person.id or deputy.left_at or deputy.site_id != person.site_id
    ):
        raise NoDeputy()
    person.calls_muted, person.news_muted = not wishes.calls, not wishes.news
    person.quiet_from, person.quiet_until = quiet
    person.deputy_id = wishes.deputy_id
    session.add(person)


def prefer(session: Session, person_id: UUID, kind: str) -> None:
    """Move one of somebody's channels a place up; one they do not have moves nothing."""
    person = session.get_one(Person, person_id)
    kinds = kinds_of(person, addresses.of_person(session, person_id))
    if kind in kinds[1:]:
        place = kinds.index(kind)
        kinds[place - 1 : place + 1] = [kind, kinds[place - 1]]
        person.ways = kinds
        session.add(person)
