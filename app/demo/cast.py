"""Who works in the demonstration plant.

The fixed cast and whoever is alone in a team stand in no roster: they are always on duty. Maintenance and quality have
four crews each that take turns: two early, two late, two night shifts, two days off. So somebody of every team is there
at every hour.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, update
from sqlmodel import Session, col, func, select

from app.kit.ids import new_id
from app.kit.secret import digest
from app.people.login import set_pin
from app.people.models import Address, Person, Role, Team
from app.plant.models import Line, Site
from app.rosters.models import Absence, AwayFor, Duty, Shift, Squad, SquadMember

PIN = "2580"
"""Everybody's. No secret: it is printed at every start."""

PHONE = "webpush"

ROSTER_BACK, ROSTER_AHEAD = 33, 14  # days: the history, with the night before it; two weeks to come

SHIFTS = (
    ("早", {"en": "Early", "zh": "早班"}, time(6), time(14)),
    ("中", {"en": "Late", "zh": "中班"}, time(14), time(22)),
    ("夜", {"en": "Night", "zh": "夜班"}, time(22), time(6)),
)
SQUAD_KEY = "rapid"
SQUAD = {"en": "Rapid response", "zh": "异常处理小组"}
MEMBERS = ("Chen Jing", "Tang Hao", "Liu Yang")
DEPUTIES = {"Wang Lei": "Liu Yang", "Liu Yang": "Wang Lei", "Chen Jing": "Tang Hao", "Tang Hao": "Chen Jing",
            "Huang Jun": "Guo Ming", "Guo Ming": "Huang Jun"}  # fmt: skip
AWAY, AWAY_FROM, AWAY_UNTIL = "He Ying", 3, 5  # days from today: a gap that can be seen before it is there
TEAMS = {
    "maintenance": {"en": "Maintenance", "zh": "设备组"},
    "quality": {"en": "Quality", "zh": "品质组"},
    "logistics": {"en": "Logistics", "zh": "物流组"},
    "process": {"en": "Process", "zh": "工艺组"},
    "production": {"en": "Production", "zh": "生产组"},
    "facilities": {"en": "Facilities", "zh": "动力组"},
    "safety": {"en": "Safety", "zh": "安全组"},
    "it": {"en": "IT", "zh": "信息组"},
}


@dataclass(frozen=True, slots=True)
class Part:
    """One person. `line` counts from 0; `crew` from 0, None: on duty at all hours."""

    name: str
    zh: str
    role: Role
    team: str = ""
    line: int | None = None
    crew: int | None = None

    @property
    def badge(self) -> str:
        """What this person's badge says. Anybody can guess it: this is a demonstration."""
        return f"demo-{self.name.lower().replace(' ', '-')}"


_OPERATOR, _LEAD, _ENGINEER, _MANAGER = Role.OPERATOR, Role.TEAM_LEAD, Role.ENGINEER, Role.MANAGER

LEADING = (
    Part("Li Wei", "李伟", _OPERATOR, "production", 0),
    Part("Wang Lei", "王磊", _LEAD, "production", 0),
    Part("Chen Jing", "陈静", _ENGINEER, "maintenance"),
    Part("Zhao Min", "赵敏", _MANAGER),
    Part("Admin", "管理员", Role.ADMIN),
)
CAST = (
    *LEADING,
    Part("Liu Yang", "刘洋", _LEAD, "production", 1),
    Part("Zhang Qiang", "张强", _OPERATOR, "maintenance", crew=0),
    Part("Sun Tao", "孙涛", _OPERATOR, "maintenance", crew=1),
    Part("Zhou Bin", "周斌", _OPERATOR, "maintenance", crew=2),
    Part("Gao Feng", "高峰", _OPERATOR, "maintenance", crew=3),
    Part("Lin Na", "林娜", _OPERATOR, "quality", crew=0),
    Part("Xu Jie", "徐洁", _OPERATOR, "quality", crew=1),
    Part("Ma Li", "马丽", _OPERATOR, "quality", crew=2),
    Part("He Ying", "何颖", _OPERATOR, "quality", crew=3),
    Part("Huang Jun", "黄军", _OPERATOR, "logistics"),
    Part("Guo Ming", "郭明", _OPERATOR, "logistics"),
    Part("Tang Hao", "唐浩", _ENGINEER, "process"),
    Part("Xie Gang", "谢刚", _OPERATOR, "facilities"),
    Part("Luo Min", "罗敏", _OPERATOR, "safety"),
    Part("Cao Yu", "曹宇", _OPERATOR, "it"),
)


def engage(session: Session, site: Site, lines: list[Line], *, now: datetime) -> tuple[dict[str, Person], list[Shift]]:
    """Write teams, people with badge, PIN and phone, shifts, and the roster around `now`."""
    teams = {key: Team(site_id=site.id, key=key, names=names) for key, names in TEAMS.items()}
    shifts = [
        Shift(site_id=site.id, sign=sign, names=names, starts=starts, ends=ends) for sign, names, starts, ends in SHIFTS
    ]
    session.add_all([*teams.values(), *shifts])
    session.flush()
    first = Person(site_id=site.id, name="")
    set_pin(first, PIN)  # hashing costs 31 ms: once is enough for a PIN that all share
    people = {part.name: _person(part, site, teams, lines, pin=first.pin) for part in CAST}
    session.add_all(people.values())
    session.flush()
    session.add_all(_phone(person, now=now) for person in people.values())
    today = now.astimezone(ZoneInfo(site.timezone)).date()
    _stand_by(session, site, people, today)
    _roster(session, people.values(), shifts, _days(today - timedelta(ROSTER_BACK), today + timedelta(ROSTER_AHEAD)))
    return people, shifts


def take_phones_away(session: Session, *, now: datetime) -> None:
    """The phones of the past have no push service behind them: from `now` on only real ones ring."""
    session.execute(update(Address).where(col(Address.channel) == PHONE).values(gone_at=now))


def prolong_roster(session: Session, site: Site, *, now: datetime) -> None:
    """Bring the roster forward to two weeks from `now`."""
    last = session.exec(select(func.max(col(Duty.day)))).one()
    today = now.astimezone(ZoneInfo(site.timezone)).date()
    missing = _days(max(last or today, today - timedelta(ROSTER_BACK)) + timedelta(1), today + timedelta(ROSTER_AHEAD))
    people = session.exec(select(Person).where(col(Person.site_id) == site.id, col(Person.left_at).is_(None))).all()
    shifts = session.exec(select(Shift).where(col(Shift.site_id) == site.id).order_by(col(Shift.starts))).all()
    _roster(session, people, shifts, missing)


def shift_of(crew: int, day: date) -> int | None:
    """Return which shift (0 early, 1 late, 2 night) a crew works on a day; None: it is off. Pure."""
    turn = (day.toordinal() - 2 * crew) % 8 // 2
    return turn if turn < len(SHIFTS) else None


def _person(part: Part, site: Site, teams: dict[str, Team], lines: list[Line], *, pin: str) -> Person:
    return Person(
        site_id=site.id,
        team_id=teams[part.team].id if part.team else None,
        line_id=lines[part.line].id if part.line is not None else None,
        name=part.name,
        role=part.role,
        badge=digest(part.badge),
        pin=pin,
    )


def _phone(person: Person, *, now: datetime) -> Address:
    return Address(
        person_id=person.id,
        channel=PHONE,
        fingerprint=digest(f"{PHONE}:{person.id}"),
        target={},
        created_at=now,
        seen_at=now,
    )


def _stand_by(session: Session, site: Site, people: Mapping[str, Person], today: date) -> None:
    """Say who stands in for whom, who is called together, and who will be away."""
    for name, deputy in DEPUTIES.items():
        people[name].deputy_id = people[deputy].id
    squad = Squad(site_id=site.id, key=SQUAD_KEY, names=SQUAD)
    session.add(squad)
    session.flush()
    session.add_all(SquadMember(squad_id=squad.id, person_id=people[name].id) for name in MEMBERS)
    away = today + timedelta(AWAY_FROM), today + timedelta(AWAY_UNTIL)
    session.add(Absence(person_id=people[AWAY].id, first_day=away[0], last_day=away[1], reason=AwayFor.TRAINING))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def _roster(session: Session, people: Iterable[Person], shifts: Sequence[Shift], days: Sequence[date]) -> None:
    crews = {part.name: part.crew for part in CAST}
    rows = [
        {"id": new_id(), "person_id": person.id, "shift_id": shifts[turn].id, "day": day}
        for person in people
        for day in days
        if (crew := crews.get(person.name)) is not None and (turn := shift_of(crew, day)) is not None
    ]
    if rows:
        session.execute(insert(Duty), rows)
