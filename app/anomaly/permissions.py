"""Who may do what with an anomaly now. Pure; the page shows it and every action asks it again."""

from typing import Protocol
from uuid import UUID

from app.anomaly.lifecycle import OPEN, OWNED, Status
from app.kit.errors import NotAllowed
from app.people.models import Person, Role


class Subject(Protocol):
    """What the decision needs of an anomaly."""

    @property
    def status(self) -> Status: ...
    @property
    def team_id(self) -> UUID | None: ...
    @property
    def owner_id(self) -> UUID | None: ...
    @property
    def offered_to_id(self) -> UUID | None: ...
    @property
    def resolver_id(self) -> UUID | None: ...
    @property
    def held(self) -> bool: ...
    @property
    def helpers(self) -> dict[str, str] | None: ...


def may(anomaly: Subject, person: Person | None) -> set[str]:
    """Return the names of what `person` may do with `anomaly` in its present status."""
    if person is None:
        return set()
    status, lead = anomaly.status, person.role.rank >= Role.TEAM_LEAD.rank
    mine = anomaly.owner_id == person.id
    can: set[str] = set()
    if status == Status.REPORTED and (lead or (person.team_id and person.team_id == anomaly.team_id)):
        can.add("accept")
    if status in OWNED and anomaly.offered_to_id == person.id:
        can.add("take_over")
    if status in OWNED and not mine and str(person.id) not in (anomaly.helpers or {}):
        can.add("assist")
    if status in OWNED and mine:
        can |= {"hand_over", "release", "resolve", "resume" if anomaly.held else "hold"}
        if status == Status.ACCEPTED:
            can.add("arrive")
        if status == Status.ON_SITE:
            can.add("contain")
    if status in OWNED and lead:
        can.add("release")
    if status in (Status.REPORTED, Status.ACCEPTED, Status.ON_SITE) and (mine or lead):
        can.add("cancel")
    if status == Status.RESOLVED and lead and anomaly.resolver_id != person.id:
        can |= {"verify", "send_back"}
    if status in OPEN and lead:
        can |= {"regrade", "split"}
    if status in (Status.REPORTED, Status.ACCEPTED, Status.ON_SITE) and lead:
        can.add("merge")
    return can


def require(anomaly: Subject, person: Person, what: str) -> None:
    """Raise NotAllowed unless `person` may do `what` in the present status."""
    if what not in may(anomaly, person):
        raise NotAllowed()
