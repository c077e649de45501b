"""A roster that is asked a million times: between two of its edges the answer stays what it was. Pure."""

from bisect import bisect_right
from dataclasses import dataclass, field, fields
from datetime import datetime
from uuid import UUID

from app.people.models import Person
from app.rosters.roster import Roster


@dataclass(frozen=True, slots=True)
class Steady(Roster):
    """Answers like the roster it was made of; between `since` and `until` it works nothing out twice."""

    known: list[datetime] = field(default_factory=list)

    @classmethod
    def of(cls, roster: Roster, since: datetime, until: datetime) -> "Steady":
        given = {one.name: getattr(roster, one.name) for one in fields(Roster) if one.init}
        return cls(**given, known=[since, *roster.edges(since, until), until])

    def on_duty(self, at: datetime) -> list[Person]:
        return Roster.on_duty(self, self._edge(at))

    def red(self, at: datetime) -> frozenset[UUID]:
        return Roster.red(self, self._edge(at))

    def _edge(self, at: datetime) -> datetime:
        """The latest moment at which the answer was worked out and has not changed since."""
        place = bisect_right(self.known, at)
        return self.known[place - 1] if 0 < place < len(self.known) else at
