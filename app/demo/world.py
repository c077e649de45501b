"""The demonstration plant in memory, for telling its past: who was there, what was watched."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, func, select

from app.flows import queries as flows
from app.flows.document import FlowDocument
from app.machines.watch import Alarm
from app.people.models import Person, Team
from app.plant.models import Line, Site, Station
from app.rosters import queries as rosters
from app.rosters.models import Duty, Shift
from app.rosters.roster import Roster
from app.rosters.shifts import shift_at


@dataclass(frozen=True, slots=True)
class World:
    """Everything a story needs. Stations and alarms go by station numbers, people by name, teams and flows by key."""

    site: Site
    zone: ZoneInfo
    stations: dict[int, Station]
    leads: dict[UUID, Person]
    people: dict[str, Person]
    teams: dict[str, UUID]
    shifts: list[Shift]
    roster: Roster
    flows: dict[str, tuple[UUID, FlowDocument]]
    alarms: dict[int, list[Alarm]]

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def shift(self, moment: datetime) -> tuple[UUID, date] | None:
        return shift_at(self.shifts, self.local(moment))

    def on_duty(self, moment: datetime) -> list[Person]:
        """Who worked at that minute, by name."""
        return self.roster.on_duty(moment)


def look_around(
    session: Session,
    site: Site,
    lines: list[Line],
    stations: dict[int, Station],
    people: dict[str, Person],
    shifts: list[Shift],
    alarms: tuple[Alarm, ...],
) -> World:
    """Put together what was just written with what the other slices say of it."""
    first, last = session.execute(select(func.min(Duty.day), func.max(Duty.day))).one()
    since, until = (datetime.combine(day, time(12), UTC) for day in (first, last))
    here = {station.id: number for number, station in stations.items()}
    of_station: dict[int, list[Alarm]] = {number: [] for number in stations}
    for alarm in alarms:
        if not alarm.is_signal:
            of_station[here[alarm.station_id]].append(alarm)
    return World(
        site=site,
        zone=ZoneInfo(site.timezone),
        stations=stations,
        leads={line.id: _lead(people, line) for line in lines},
        people=dict(sorted(people.items())),
        teams=dict(session.exec(select(Team.key, Team.id)).all()),
        shifts=shifts,
        roster=rosters.roster(session, site.id, since=since, until=until),
        flows={document.category: (version, document) for version, document in flows.current(session)},
        alarms=of_station,
    )


def _lead(people: dict[str, Person], line: Line) -> Person:
    return next(person for person in people.values() if person.line_id == line.id and person.role.rank == 1)
