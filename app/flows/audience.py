"""Who is meant by an audience. Pure, over who is on duty and what the anomaly itself names."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.flows.document import Audience
from app.people.models import Person
from app.rosters.roster import Roster


class Concerned(Protocol):
    """What calling looks at in an anomaly."""

    @property
    def site_id(self) -> UUID: ...
    @property
    def line_id(self) -> UUID: ...
    @property
    def station_id(self) -> UUID: ...
    @property
    def team_id(self) -> UUID | None: ...
    @property
    def owner_id(self) -> UUID | None: ...
    @property
    def category(self) -> str: ...
    @property
    def severity(self) -> int: ...


def meant(
    audience: Audience,
    anomaly: Concerned,
    *,
    at: datetime,
    roster: Roster,
    teams: Mapping[str, UUID],
    called: Collection[UUID] = (),
    seen: Collection[UUID] = (),
) -> Sequence[Person]:
    """Return the people an audience means at this moment, without their deputies, in the order of the roster.

    `called` are those who were called in this round, `seen` those of them whose phone has shown it.
    """
    if audience.owner:
        return _named([anomaly.owner_id] if anomaly.owner_id else [], roster)
    if audience.unseen:
        return _named([one for one in called if one not in seen], roster)
    here: Iterable[Person] = roster.on_duty(at)
    if audience.team:
        team = anomaly.team_id if audience.team == "owner" else teams.get(audience.team)
        here = [person for person in here if team is not None and person.team_id == team]
    if audience.role:
        here = [person for person in here if person.role == audience.role]
    if audience.line:
        here = [person for person in here if person.line_id in (None, anomaly.line_id)]
    if audience.squad:
        squad = roster.squads.get(audience.squad, frozenset())
        here = [person for person in here if person.id in squad]
    if audience.person:
        here = [person for person in here if person.id == audience.person]
    return list(here)


def deputies(people: Iterable[Person], *, at: datetime, roster: Roster) -> list[tuple[Person, Person]]:
    """Return who stands in for these people, as far as they are on duty, each with whom they stand in for."""
    here = {person.id: person for person in roster.on_duty(at)}
    return [(here[one.deputy_id], one) for one in people if one.deputy_id and one.deputy_id in here]


def _named(ids: Iterable[UUID], roster: Roster) -> list[Person]:
    return [roster.members[one] for one in ids if one in roster.members]
