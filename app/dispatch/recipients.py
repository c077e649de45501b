"""Who is meant by a rung, and why they. Pure, over the people who are on duty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.flows.document import Audience, Rung
from app.people.models import Person


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to call. `why` answers "why me?": the audience that names them, and the rung's delay."""

    person: Person
    why: dict[str, object]


class Concerned(Protocol):
    """What routing looks at in an anomaly."""

    line_id: UUID
    team_id: UUID | None
    owner_id: UUID | None


def recipients(
    rung: Rung,
    anomaly: Concerned,
    *,
    on_duty: Sequence[Person],
    teams: dict[str, UUID],
    everybody: dict[UUID, Person],
) -> list[Recipient]:
    """Return each person a rung calls once, in the order of its audiences.

    The owner of an anomaly is told on duty or not: it is theirs.
    """
    found: dict[UUID, Recipient] = {}
    for audience in rung.call:
        for person in _meant(audience, anomaly, on_duty, teams, everybody):
            why = {"audience": audience.model_dump(mode="json", exclude_defaults=True), "after": rung.after}
            found.setdefault(person.id, Recipient(person, why))
    return list(found.values())


def _meant(
    audience: Audience,
    anomaly: Concerned,
    on_duty: Sequence[Person],
    teams: dict[str, UUID],
    everybody: dict[UUID, Person],
) -> Iterable[Person]:
    if audience.owner:
        owner = everybody.get(anomaly.owner_id) if anomaly.owner_id else None
        return [owner] if owner else []
    team = anomaly.team_id if audience.team == "owner" else teams.get(audience.team)
    return [
        person
        for person in on_duty
        if (not audience.team or (team is not None and person.team_id == team))
        and (audience.role is None or person.role == audience.role)
        and (not audience.line or person.line_id in (None, anomaly.line_id))
    ]
