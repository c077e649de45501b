"""Who works when, read from the database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from app.kit.direct import Direct, among
from app.kit.errors import NotAllowed, NotFound
from app.people.models import Person, Role, Team
from app.people.queries import addresses
from app.plant.models import Site
from app.rosters.grid import Week, draw
from app.rosters.holidays import public_days
from app.rosters.models import Absence, CheckIn, Duty, Shift, Squad, SquadMember
from app.rosters.roster import HORIZON, Roster, Spell, away_days, moment, spell

DAY = timedelta(days=1)
MIDNIGHT = time(0)


def roster(session: Session, site_id: UUID, *, since: datetime, until: datetime | None = None) -> Roster:
    """Return who works at a site from `since` until `until` (else at that one moment)."""
    zone = ZoneInfo(session.get_one(Site, site_id).timezone)
    first = since.astimezone(zone).date() - HORIZON - DAY
    last = (until or since).astimezone(zone).date() + HORIZON + DAY
    hours = {shift.id: shift for shift in shifts(session, site_id)}
    duties = _DUTIES.rows(session.connection(), first=first, last=last, shifts=list(hours))
    absences = session.exec(select(Absence).where(col(Absence.last_day) >= first, col(Absence.first_day) <= last))
    silent = session.exec(
        select(CheckIn).where(
            col(CheckIn.day) >= first, col(CheckIn.silent_at).is_not(None), col(CheckIn.answered_at).is_(None)
        )
    )
    left = {
        (one.person_id, one.shift_id, one.day): one.left_at
        for one in session.exec(select(CheckIn).where(col(CheckIn.day) >= first, col(CheckIn.left_at).is_not(None)))
    }
    spells = [spell(person_id, shift_id, day, hours[shift_id], zone) for person_id, shift_id, day in duties]
    if left:
        spells = [_until(one, left.get((one.person_id, one.shift_id, one.day))) for one in spells]
    squads: dict[str, set[UUID]] = {}
    members = select(Squad.key, SquadMember.person_id).join(SquadMember, col(SquadMember.squad_id) == col(Squad.id))
    for key, person_id in session.exec(members.where(col(Squad.site_id) == site_id)):
        squads.setdefault(key, set()).add(person_id)
    return Roster(
        zone=zone,
        staff=staff(session, site_id),
        spells=spells,
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


def staff(session: Session, site_id: UUID) -> Sequence[Person]:
    """Return everybody who has not left, by name."""
    here = select(Person).where(col(Person.site_id) == site_id, col(Person.left_at).is_(None))
    return session.exec(here.order_by(col(Person.name))).all()


def shifts(session: Session, site_id: UUID) -> Sequence[Shift]:
    """Return the shifts of a site in the order of the day, which begins with the one nearest to six."""
    found = session.exec(select(Shift).where(col(Shift.site_id) == site_id)).all()
    return sorted(found, key=lambda shift: ((shift.starts.hour * 60 + shift.starts.minute - 300) % 1440, shift.id))


def cells(
    session: Session, people: Collection[UUID], first: date, last: date
) -> dict[tuple[UUID, date], frozenset[UUID]]:
    """Return what the roster says of these people from `first` to `last`; a day off is not named."""
    which = select(Duty).where(col(Duty.person_id).in_(people), col(Duty.day).between(first, last))
    found: dict[tuple[UUID, date], frozenset[UUID]] = {}
    for duty in session.exec(which):
        found[duty.person_id, duty.day] = found.get((duty.person_id, duty.day), frozenset()) | {duty.shift_id}
    return found


def week(session: Session, site_id: UUID, first: date, *, days: int = 7, now: datetime) -> Week:
    """Return the roster of some days as a grid: who works, what is not covered, whose phone is silent."""
    site = session.get_one(Site, site_id)
    zone = ZoneInfo(site.timezone)
    since = moment(first, MIDNIGHT, zone)
    snapshot = roster(session, site_id, since=since, until=since + days * DAY)
    teams = session.exec(select(Team).where(col(Team.site_id) == site_id).order_by(col(Team.id))).all()
    shown = [first + n * DAY for n in range(days)]
    return draw(
        snapshot,
        teams,
        shifts(session, site_id),
        shown,
        public_days(site.timezone, shown[0], shown[-1]),
        phones=addresses(session, snapshot.members).keys(),
        red=roster(session, site_id, since=now).red(now),
        now=now,
    )


def squads(session: Session, site_id: UUID) -> list[tuple[Squad, list[Person]]]:
    """Return the squads with their members, both by name."""
    members: dict[UUID, list[Person]] = {}
    joined = select(SquadMember.squad_id, Person).join(Person, col(Person.id) == col(SquadMember.person_id))
    for squad_id, person in session.exec(joined.where(col(Person.left_at).is_(None)).order_by(col(Person.name))):
        members.setdefault(squad_id, []).append(person)
    here = session.exec(select(Squad).where(col(Squad.site_id) == site_id).order_by(col(Squad.id))).all()
    return [(squad, members.get(squad.id, [])) for squad in here]


def today(session: Session, site_id: UUID, *, now: datetime) -> date:
    """Return the date at a site."""
    return now.astimezone(ZoneInfo(session.get_one(Site, site_id).timezone)).date()


def _until(one: Spell, left: datetime | None) -> Spell:
    """Who has checked out is not on duty any more."""
    return one if left is None else replace(one, ends=max(one.begins, min(one.ends, left)))


def here(session: Session, person_id: UUID, by: Person) -> Person:
    """Return somebody of the same site who has not left.

    Raises:
        NotFound
    """
    person = session.get(Person, person_id)
    if person is None or person.left_at is not None or person.site_id != by.site_id:
        raise NotFound()
    return person


def colleague(session: Session, person_id: UUID, *, by: Person) -> Person:
    """Return the person whose times `by` may change: their own; a team lead, everybody's.

    Raises:
        NotFound, NotAllowed
    """
    person = here(session, person_id, by)
    if by.id != person.id and by.role.rank < Role.TEAM_LEAD.rank:
        raise NotAllowed()
    return person


_DUTY: Any = Duty.__table__  # type: ignore[attr-defined]
_DUTIES = Direct(  # asked for whenever somebody is called, and there are thousands
    columns(_DUTY.c.person_id, _DUTY.c.shift_id, _DUTY.c.day).where(
        _DUTY.c.day >= bindparam("first"), _DUTY.c.day <= bindparam("last"), among(_DUTY.c.shift_id, "shifts")
    )
)
