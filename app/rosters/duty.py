"""Who covers what at this minute, whose phone is known to ring, and who comes next."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session, col, select

from app.kit.columns import Names
from app.people import queries as people
from app.people.models import Person, Role, Team
from app.plant.queries import lines_of
from app.rosters.checkin import NO_PHONES, checkin_of, own_spell
from app.rosters.handover import waiting
from app.rosters.models import CheckIn, HandoverNote, Shift
from app.rosters.queries import roster
from app.rosters.roster import Roster, Spell


class Phone(StrEnum):
    """What is known of somebody's phone in this shift."""

    GREEN = "green"
    RINGING = "ringing"
    RED = "red"
    UNTESTED = "untested"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody on duty. `since` is when the phone became what it is; `until` the end of the shift, if there is one."""

    name: str
    role: Role
    line: Names | None
    phone: Phone
    since: datetime | None
    proven: datetime | None
    until: datetime | None
    deputy: str


@dataclass(frozen=True, slots=True)
class Post:
    """What one team covers now. Nobody there: a gap."""

    names: Names
    people: list[Colleague]
    coming: list[str]


@dataclass(frozen=True, slots=True)
class Mine:
    """The viewer's own shift, running or about to begin; `next` is when the one after it begins."""

    shift: Names | None
    begins: datetime | None
    ends: datetime | None
    checkin: CheckIn | None
    phone: Phone
    proven: datetime | None
    next: datetime | None


@dataclass(frozen=True, slots=True)
class Board:
    posts: list[Post]
    no_lead: list[Names]
    rostered: bool
    next_at: datetime | None
    next_shift: Names | None
    mine: Mine
    handed_over: Sequence[tuple[HandoverNote, Person]]

    @property
    def red(self) -> int:
        return sum(one.phone == Phone.RED for post in self.posts for one in post.people)


def board(session: Session, viewer: Person, *, now: datetime) -> Board:
    """Return who is on duty at the viewer's site now, team by team, and how it stands with the viewer."""
    plan = roster(session, viewer.site_id, since=now)  # a week ahead is in it
    shifts = {shift.id: shift for shift in session.exec(select(Shift).where(Shift.site_id == viewer.site_id))}
    lines = {line.id: line.names for line in lines_of(session, viewer.site_id)}
    here = plan.on_duty(now)
    running = {one.person_id: one for one in plan.spells if one.begins <= now < one.ends}
    coming = sorted(one for one in plan.spells if one.begins > now and (one.person_id, one.day) not in plan.away)
    following = [one for one in coming if one.begins == coming[0].begins]
    phones = _phones(session, here, running, now=now)
    found = [_colleague(one, lines, phones[one.id], running.get(one.id), plan) for one in here]
    leads = [one for one in here if one.role == Role.TEAM_LEAD]
    led = any(one.role == Role.TEAM_LEAD for one in plan.staff)
    return Board(
        posts=_posts(session, viewer.site_id, plan, list(zip(here, found, strict=True)), following),
        no_lead=[n for i, n in lines.items() if led and not any(one.line_id in (None, i) for one in leads)],
        rostered=bool(plan.spells),
        next_at=following[0].begins if following else None,
        next_shift=shifts[following[0].shift_id].names if following else None,
        mine=_mine(session, viewer, shifts, coming, now=now),
        handed_over=waiting(session, viewer, now=now),
    )


Known = tuple[Phone, datetime | None, datetime | None]
"""What a phone is, since when, and when it was last proven."""


def _phones(
    session: Session, here: Iterable[Person], running: dict[UUID, Spell], *, now: datetime
) -> dict[UUID, Known]:
    ids = [person.id for person in here]
    has = {
        person_id
        for person_id, addresses in people.addresses(session, ids).items()
        if any(address.channel not in NO_PHONES for address in addresses)
    }
    proven = people.last_proven(session, ids)
    days = {one.day for one in running.values()}
    asked = {
        (one.person_id, one.shift_id, one.day): one
        for one in session.exec(select(CheckIn).where(col(CheckIn.day).in_(days), col(CheckIn.person_id).in_(ids)))
    }
    return {
        one: (*_state(one in has, asked.get(_key(running[one])) if one in running else None), proven.get(one))
        for one in ids
    }


def _key(duty: Spell) -> tuple[UUID, UUID, date]:
    return duty.person_id, duty.shift_id, duty.day


def _state(has_phone: bool, asked: CheckIn | None) -> tuple[Phone, datetime | None]:
    if not has_phone:
        return Phone.NONE, asked.answered_at if asked else None
    if asked is None:
        return Phone.UNTESTED, None
    if asked.answered_at:
        return Phone.GREEN, asked.answered_at
    if asked.silent_at:
        return Phone.RED, asked.silent_at
    return Phone.RINGING, asked.rung_at


def _colleague(person: Person, lines: dict[UUID, Names], known: Known, duty: Spell | None, plan: Roster) -> Colleague:
    phone, since, proven = known
    deputy = plan.members.get(person.deputy_id) if person.deputy_id else None
    return Colleague(
        name=person.name,
        role=person.role,
        line=lines.get(person.line_id) if person.line_id else None,
        phone=phone,
        since=since,
        proven=proven,
        until=duty.ends if duty else None,
        deputy=deputy.name if deputy else "",
    )


def _posts(
    session: Session,
    site_id: UUID,
    plan: Roster,
    here: list[tuple[Person, Colleague]],
    following: Sequence[Spell],
) -> list[Post]:
    """Each team that has people, those without anybody here first; who is in no team comes last."""
    teams: dict[UUID | None, Names] = {
        team.id: team.names for team in session.exec(select(Team).where(Team.site_id == site_id).order_by(Team.key))
    }
    teams[None] = {}
    posts = []
    for team_id, names in teams.items():
        if any(person.team_id == team_id for person in plan.staff):
            found = [one for person, one in here if person.team_id == team_id]
            next_ones = [plan.members[one.person_id] for one in following if one.person_id in plan.members]
            posts.append(Post(names, found, sorted(p.name for p in next_ones if p.team_id == team_id)))
    return sorted(posts, key=lambda post: bool(post.people))


def _mine(
    session: Session, viewer: Person, shifts: dict[UUID, Shift], coming: Sequence[Spell], *, now: datetime
) -> Mine:
    duty = own_spell(session, viewer, now=now)
    asked = checkin_of(session, duty) if duty else None
    addresses: Collection[str] = {one.channel for one in people.addresses(session, [viewer.id]).get(viewer.id, [])}
    ahead = (one.begins for one in coming if one.person_id == viewer.id and one != duty)
    return Mine(
        shift=shifts[duty.shift_id].names if duty else None,
        begins=duty.begins if duty else None,
        ends=duty.ends if duty else None,
        checkin=asked,
        phone=_state(bool(set(addresses) - NO_PHONES), asked)[0],
        proven=people.last_proven(session, [viewer.id]).get(viewer.id),
        next=next(ahead, None),
    )
