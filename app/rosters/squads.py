"""Squads: people of any team who are called together."""

from uuid import UUID

from sqlmodel import Session

from app.kit.errors import N_, DomainError, NotFound
from app.kit.ids import new_id
from app.people.models import Person
from app.rosters.models import Squad, SquadMember
from app.rosters.queries import here

LONGEST_NAME = 60


class SquadName(DomainError):
    code = "rosters.squad_name"
    message = N_("A squad needs a name of at most %(most)s characters. Nothing was stored. Write another one.")
    status = 400


def found(session: Session, name: str, *, by: Person) -> Squad:
    """Make a squad. Ladders know it by a key that stays when its name is changed.

    Raises:
        SquadName
    """
    made = new_id()
    squad = Squad(id=made, site_id=by.site_id, key=f"squad-{made.hex[-12:]}", names=_names(name))
    session.add(squad)
    return squad


def rename(session: Session, squad_id: UUID, name: str, *, by: Person) -> None:
    squad = _squad(session, squad_id, by)
    squad.names = _names(name)
    session.add(squad)


def join(session: Session, squad_id: UUID, person_id: UUID, *, by: Person) -> None:
    """Put somebody into a squad; twice is once."""
    squad, person = _squad(session, squad_id, by), here(session, person_id, by)
    session.merge(SquadMember(squad_id=squad.id, person_id=person.id))


def leave(session: Session, squad_id: UUID, person_id: UUID, *, by: Person) -> None:
    """Take somebody out of a squad."""
    if member := session.get(SquadMember, (_squad(session, squad_id, by).id, person_id)):
        session.delete(member)


def _squad(session: Session, squad_id: UUID, by: Person) -> Squad:
    squad = session.get(Squad, squad_id)
    if squad is None or squad.site_id != by.site_id:
        raise NotFound()
    return squad


def _names(name: str) -> dict[str, str]:
    """The name as it was written: one who names a squad in Chinese means it in English too."""
    said = name.strip()
    if not 0 < len(said) <= LONGEST_NAME:
        raise SquadName(most=LONGEST_NAME)
    return {"en": said, "zh": said}
