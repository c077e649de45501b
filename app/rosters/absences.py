"""Who is away, and who stands in for whom."""

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from app.kit.errors import N_, BadInput, DomainError, NotFound
from app.people.models import Person
from app.rosters.actions import check_near
from app.rosters.models import Absence, AwayFor
from app.rosters.queries import colleague, here


class Backwards(DomainError):
    code = "rosters.backwards"
    message = N_("The last day is before the first. Nothing was stored. Correct one of the two.")
    status = 400


class OwnDeputy(DomainError):
    code = "rosters.own_deputy"
    message = N_("Nobody can stand in for themselves. Nothing was changed. Choose somebody else.")


def be_away(
    session: Session, person_id: UUID, first: date, last: date, reason: str, *, by: Person, now: datetime
) -> Absence:
    """Note days on which somebody is not there; the roster keeps their duties, and shows them as gaps.

    Raises:
        Backwards, FarDay
        NotAllowed: neither oneself nor a team lead.
    """
    person = colleague(session, person_id, by=by)
    if reason not in list(AwayFor):
        raise BadInput()
    check_near(first, now=now)
    check_near(last, now=now)
    if last < first:
        raise Backwards()
    absence = Absence(person_id=person.id, first_day=first, last_day=last, reason=AwayFor(reason))
    session.add(absence)
    return absence


def be_back(session: Session, absence_id: UUID, *, by: Person) -> UUID:
    """Take an absence back; return whose it was."""
    absence = session.get(Absence, absence_id)
    if absence is None:
        raise NotFound()
    person = colleague(session, absence.person_id, by=by)
    session.delete(absence)
    return person.id


def set_deputy(session: Session, person_id: UUID, deputy_id: UUID | None, *, by: Person) -> None:
    """Say who is told when this person's phone is silent; None: nobody.

    Raises:
        OwnDeputy
        NotAllowed: neither oneself nor a team lead.
    """
    person = colleague(session, person_id, by=by)
    if deputy_id == person.id:
        raise OwnDeputy()
    person.deputy_id = here(session, deputy_id, by).id if deputy_id else None
    session.add(person)
