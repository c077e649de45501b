"""Who is here, who is on duty, and how they are reached."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.people.models import Address, Duty, Login, Person, Shift, Team
from app.people.shifts import shift_at
from app.plant.models import Site

ROSTER_HORIZON = timedelta(days=7)


def on_duty(session: Session, site_id: UUID, *, now: datetime) -> list[Person]:
    """Return who works at this minute, by name.

    Somebody who stands in no roster of the surrounding week counts as on duty: a small plant needs no roster.
    """
    site = session.get_one(Site, site_id)
    shifts = session.exec(select(Shift).where(col(Shift.site_id) == site_id)).all()
    local = now.astimezone(ZoneInfo(site.timezone))
    running = shift_at(shifts, local)
    week = col(Duty.day).between(local.date() - ROSTER_HORIZON, local.date() + ROSTER_HORIZON)
    rostered = set(session.exec(select(Duty.person_id).where(week).distinct()).all())
    working: set[UUID] = set()
    if running:
        shift_id, day = running
        here = select(Duty.person_id).where(col(Duty.shift_id) == shift_id, col(Duty.day) == day)
        working = set(session.exec(here).all())
    staff = (
        select(Person).where(col(Person.site_id) == site_id, col(Person.left_at).is_(None)).order_by(col(Person.name))
    )
    return [p for p in session.exec(staff) if p.id not in rostered or p.id in working]


def addresses(session: Session, people: Iterable[UUID]) -> dict[UUID, list[Address]]:
    """Return the live addresses of these people."""
    found: dict[UUID, list[Address]] = {}
    which = select(Address).where(col(Address.person_id).in_(list(people)), col(Address.gone_at).is_(None))
    for address in session.exec(which.order_by(col(Address.created_at))):
        found.setdefault(address.person_id, []).append(address)
    return found


def logged_in(session: Session, token_digest: str, *, now: datetime) -> Person | None:
    """Return the person behind a session cookie, unless it has ended or the person has left."""
    which = (
        select(Person)
        .join(Login, col(Login.person_id) == col(Person.id))
        .where(Login.token == token_digest, col(Login.expires_at) > now, col(Person.left_at).is_(None))
    )
    return session.exec(which).first()


def colleagues(session: Session, person: Person, *, now: datetime) -> Sequence[tuple[Person, Team | None]]:
    """Return who could take over from `person` now: everybody else on duty at the site, with their team."""
    teams = {team.id: team for team in session.exec(select(Team))}
    here = on_duty(session, person.site_id, now=now)
    return [(p, teams.get(p.team_id) if p.team_id else None) for p in here if p.id != person.id]
