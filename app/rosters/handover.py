"""The note from one shift to the next: given with what was open, received by whoever leads now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from app.kit.errors import N_, DomainError, NotAllowed, NotFound
from app.people.models import Person, Role
from app.rosters.models import HandoverNote

KEPT = timedelta(days=1)  # what nobody has received by then is history


class OwnNote(DomainError):
    code = "rosters.own_note"
    message = N_(
        "You wrote this handover, so somebody else has to receive it. Nothing was changed. Show it to the next lead."
    )


class AlreadyReceived(DomainError):
    code = "rosters.already_received"
    message = N_("%(name)s has received this handover already. Nothing was changed. You can still read it.")


def note(session: Session, note_id: UUID, *, viewer: Person) -> tuple[HandoverNote, Person, Person | None]:
    """Return a handover with who gave and who received it.

    Raises:
        NotFound: there is none with this id at the viewer's site.
    """
    found = session.get(HandoverNote, note_id)
    if found is None or found.site_id != viewer.site_id:
        raise NotFound()
    receiver = session.get_one(Person, found.received_by_id) if found.received_by_id else None
    return found, session.get_one(Person, found.from_id), receiver


def may_receive(found: HandoverNote, giver: Person, person: Person) -> bool:
    """Tell whether `person` may say that it has arrived: not who wrote it, and nobody below a lead from a lead."""
    lead = Role.TEAM_LEAD.rank
    return found.received_at is None and giver.id != person.id and person.role.rank >= min(lead, giver.role.rank)


def waiting(session: Session, person: Person, *, now: datetime) -> Sequence[tuple[HandoverNote, Person]]:
    """Return what others have handed over to the place of `person` and nobody has received, newest first."""
    everywhere = col(HandoverNote.line_id).is_(None)
    here = [or_(col(HandoverNote.line_id) == person.line_id, everywhere)] if person.line_id else []
    which = (
        select(HandoverNote, Person)
        .join(Person, col(Person.id) == col(HandoverNote.from_id))
        .where(col(HandoverNote.received_at).is_(None), HandoverNote.given_at > now - KEPT, *here)
        .where(HandoverNote.site_id == person.site_id, HandoverNote.from_id != person.id)
        .order_by(col(HandoverNote.given_at).desc())
        .limit(10)
    )
    return [(found, giver) for found, giver in session.exec(which) if may_receive(found, giver, person)]


def receive(session: Session, note_id: UUID, *, by: Person, now: datetime) -> HandoverNote:
    """Say that it has been read and taken on. The same person twice is once.

    Raises:
        OwnNote, AlreadyReceived, NotAllowed
    """
    found, giver, receiver = note(session, note_id, viewer=by)
    if receiver is not None and receiver.id == by.id:
        return found
    if giver.id == by.id:
        raise OwnNote()
    if receiver is None and not may_receive(found, giver, by):
        raise NotAllowed()
    first = col(HandoverNote.id) == note_id, col(HandoverNote.received_at).is_(None)
    taken = session.execute(update(HandoverNote).where(*first).values(received_by_id=by.id, received_at=now))
    session.refresh(found)
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyReceived(name=session.get_one(Person, found.received_by_id).name)
    return found
