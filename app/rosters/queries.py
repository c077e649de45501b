"""Who works when, read from the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.people.models import Person, Team
from app.plant.models import Site
from app.rosters.models import Absence, CheckIn, Duty, Shift, Squad, SquadMember
from app.rosters.roster import HORIZON, Roster, away_days, spell

DAY = timedelta(days=1)


def roster(session: Session, site_id: UUID, *, since: datetime, until: datetime | None = None) -> Roster:
    """Return who works at a site from `since` until `until` (else at that one moment)."""
    zone = ZoneInfo(session.get_one(Site, site_id).timezone)
    first = since.astimezone(zone).date() - HORIZON - DAY
    last = (until or since).astimezone(zone).date() + HORIZON + DAY
    staff = session.exec(
        select(Person).where(col(Person.site_id) == site_id, col(Person.left_at).is_(None)).order_by(col(Person.name))
    ).all()
    shifts = {shift.id: shift for shift in session.exec(select(Shift).where(col(Shift.site_id) == site_id))}
    duties = session.exec(select(Duty).where(col(Duty.day).between(first, last), col(Duty.shift_id).in_(list(shifts))))
    absences = session.exec(select(Absence).where(col(Absence.last_day) >= first, col(Absence.first_day) <= last))
    silent = session.exec(
        select(CheckIn).where(
            col(CheckIn.day) >= first, col(CheckIn.silent_at).is_not(None), col(CheckIn.answered_at).is_(None)
        )
    )
    squads: dict[str, set[UUID]] = {}
    members = select(Squad.key, SquadMember.person_id).join(SquadMember, col(SquadMember.squad_id) == col(Squad.id))
    for key, person_id in session.exec(members.where(col(Squad.site_id) == site_id)):
        squads.setdefault(key, set()).add(person_id)
    return Roster(
        zone=zone,
        staff=staff,
        spells=[spell(duty.person_id, duty.shift_id, duty.day, shifts[duty.shift_id], zone) for duty in duties],
        away=away_days((one.person_id, one.first_day, one.last_day) for one in absences),
        silent=frozenset((one.person_id, one.shift_id, one.day) for one in silent),
        squads={key: frozenset(ids) for key, ids in squads.items()},
    )


def on_duty(session: Session, site_id: UUID, *, now: datetime) -> list[Person]:
    """Return who works at this minute, by name."""
    return roster(session, site_id, since=now).on_duty(now)


def colleagues(session: Session, person: Person, *, now: datetime) -> Sequence[tuple[Person, Team | None]]:
    """Return who could take over from `person` now: everybody else on duty at the site, with their team."""
    teams = {team.id: team for team in session.exec(select(Team))}
    here = on_duty(session, person.site_id, now=now)
    return [(p, teams.get(p.team_id) if p.team_id else None) for p in here if p.id != person.id]
