"""The plant of the tests: who works there, where, and what can go wrong. Plain functions that add rows.

The fixed cast. Li Wei repairs machines on Line 3, Sun Hao too but for the whole plant. Wang Lei leads Line 3, Liu Yang
Line 4. Chen Jing is the engineer, Zhao Min the manager, Gao Yan the administrator. Ma Jun runs Press 8 and repairs
nothing. He Fang is the quality inspector.
"""

from datetime import UTC, date, datetime, time
from functools import cache
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlmodel import Session

from app.flows import starter
from app.flows.actions import publish
from app.kit.ids import new_id
from app.machines.models import AlarmRule, Source, Tag
from app.machines.rules import Kind
from app.people.login import HASHER, new_badge
from app.people.models import Person, Role, Team
from app.plant.models import Area, Line, Site, Station
from app.rosters.models import Duty, Shift

ZONE = "Asia/Shanghai"
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # ten in the morning there: the early shift works
PIN = "2468"

TEAMS = ("production", "maintenance", "quality", "logistics", "process", "facilities", "safety", "it")
CAST: dict[str, tuple[Role, str | None, str | None]] = {
    "Li Wei": (Role.OPERATOR, "maintenance", "Line 3"),
    "Sun Hao": (Role.OPERATOR, "maintenance", None),
    "Ma Jun": (Role.OPERATOR, "production", "Line 3"),
    "He Fang": (Role.OPERATOR, "quality", None),
    "Wang Lei": (Role.TEAM_LEAD, "production", "Line 3"),
    "Liu Yang": (Role.TEAM_LEAD, "production", "Line 4"),
    "Chen Jing": (Role.ENGINEER, "process", None),
    "Zhao Min": (Role.MANAGER, None, None),
    "Gao Yan": (Role.ADMIN, None, None),
}
LINES = {"Line 3": "三号线", "Line 4": "四号线"}
STATIONS = {
    "Press 7": ("7K3Q", "Line 3", "7 号冲压机"),
    "Press 8": ("8M2R", "Line 3", "8 号冲压机"),
    "Oven 1": ("9N4T", "Line 4", "1 号烘箱"),
}
RETIRED = "DEAD"  # the code on the label of a station that is gone
SHIFTS = {"early": (6, 14), "late": (14, 22), "night": (22, 6)}
ALARMS = {
    "overheating": (Kind.HIGH, 80.0, 2, "machine"),
    "overloaded": (Kind.HIGH, 90.0, 1, "machine"),
    "out of spec": (Kind.HIGH, 5.0, 3, "quality"),
    "no coolant": (Kind.LOW, 10.0, 2, "machine"),
    **{f"sensor {n}": (Kind.HIGH, 50.0, 3, "machine") for n in range(1, 16)},
}


def id_of(kind: str, name: str) -> UUID:
    """Everything with a name has the same id in every test."""
    return uuid5(NAMESPACE_URL, f"test:{kind}:{name}")


def code_of(station: str) -> str:
    return STATIONS[station][0]


def plant(session: Session) -> None:
    """Add everything: places, people, shifts, the starter flows, and machines with their alarms."""
    site = Site(id=id_of("site", "Suzhou"), names={"en": "Suzhou", "zh": "苏州"}, timezone=ZONE)
    area = Area(id=id_of("area", "Stamping"), site_id=site.id, names={"en": "Stamping", "zh": "冲压"})
    add(session, site, area)
    for position, (name, chinese) in enumerate(LINES.items()):
        names = {"en": name, "zh": chinese}
        add(session, Line(id=id_of("line", name), area_id=area.id, names=names, position=position))
    for name, (code, line, chinese) in STATIONS.items():
        station(session, name, code=code, line=line, chinese=chinese)
    station(session, "Press 1", code=RETIRED, line="Line 3", retired_at=datetime(2025, 1, 1, tzinfo=UTC))
    add(session, *(team(key) for key in TEAMS))
    for name, (role, of_team, line) in CAST.items():
        person(session, name, role, team=of_team, line=line)
    for name, (starts, ends) in SHIFTS.items():
        hours = {"starts": time(starts), "ends": time(ends)}
        add(session, Shift(id=id_of("shift", name), site_id=site.id, names={"en": name, "zh": name}, **hours))
    for document in starter.documents():
        publish(session, document, now=MONDAY)
    machines(session)


def station(
    session: Session,
    name: str,
    *,
    code: str,
    line: str,
    chinese: str = "",
    retired_at: datetime | None = None,
) -> Station:
    names = {"en": name, "zh": chinese or name}
    place = {"line_id": id_of("line", line), "site_id": id_of("site", "Suzhou")}
    made = Station(id=id_of("station", name), code=code, names=names, retired_at=retired_at, **place)
    add(session, made)
    return made


def team(key: str) -> Team:
    return Team(id=id_of("team", key), site_id=id_of("site", "Suzhou"), key=key, names={"en": key, "zh": key})


def person(
    session: Session,
    name: str,
    role: Role = Role.OPERATOR,
    *,
    team: str | None = None,
    line: str | None = None,
    language: str = "",
) -> Person:
    made = Person(
        id=id_of("person", name),
        site_id=id_of("site", "Suzhou"),
        team_id=id_of("team", team) if team else None,
        line_id=id_of("line", line) if line else None,
        name=name,
        role=role,
        language=language,
        pin=_hash(PIN),
    )
    add(session, made)
    return made


def badge(session: Session, name: str) -> str:
    """Give somebody a new badge; return what its QR code says after /b/."""
    owner = session.get_one(Person, id_of("person", name))
    secret = new_badge(owner)
    session.add(owner)
    return secret


def duty(session: Session, name: str, shift: str, day: date) -> None:
    """Put somebody on the roster: from now on they are on duty only when it says so."""
    add(session, Duty(person_id=id_of("person", name), shift_id=id_of("shift", shift), day=day))


def machines(session: Session) -> None:
    """One source with one tag for each thing that can go wrong at Press 7, and at Oven 1."""
    add(session, Source(id=id_of("source", "PLC"), name="PLC", url="opc.tcp://127.0.0.1:4840"))
    for place in ("Press 7", "Oven 1"):
        for what, (kind, limit, severity, category) in ALARMS.items():
            tag = Tag(
                id=id_of("tag", f"{place} {what}"),
                source_id=id_of("source", "PLC"),
                station_id=id_of("station", place),
                node=f"nsu=urn:test:plc;s={place}.{what}",
                names={"en": what, "zh": what},
            )
            rule = AlarmRule(
                id=id_of("rule", f"{place} {what}"),
                tag_id=tag.id,
                kind=kind,
                setpoint=limit,
                severity=severity,
                category=category,
                component=what,
                message={"en": what, "zh": what},
            )
            add(session, tag, rule)


def add(session: Session, *rows: object) -> None:
    for row in rows:
        session.add(row)
        session.flush()  # in this order: rows name each other


def report_key() -> str:
    """What a phone makes before it sends."""
    return str(new_id())


@cache
def _hash(pin: str) -> str:
    return HASHER.hash(pin)
