"""Who the duty responder is: here, for this, at this hour. Pure; looked at when a rung rings, not when it opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from uuid import UUID

from pydantic import Field, TypeAdapter, model_validator

from app.flows.audience import Concerned
from app.flows.document import Audience, Severity, Strict
from app.rosters.shifts import shift_at


class Route(Strict):
    """For this place, these categories, severities and shifts (empty: for all of them), call these people.

    They come instead of the flow's own team wherever a ladder says `Audience(team="owner")`; inside `call`, the same
    words mean the flow's own team.
    """

    name: str = Field(default="", max_length=80, description="What people read as the reason they were called.")
    area: UUID | None = None
    line: UUID | None = None
    station: UUID | None = None
    categories: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    shifts: tuple[UUID, ...] = ()
    call: tuple[Audience, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_place(self) -> "Route":
        if sum(place is not None for place in (self.area, self.line, self.station)) > 1:
            raise ValueError("a route is for an area, a line or a station, not for several of them")
        return self

    @property
    def precision(self) -> tuple[int, int, int, int]:
        """The greater, the more specific: a station before its line before its area, then category, severity, shift."""
        place = 3 if self.station else 2 if self.line else 1 if self.area else 0
        return place, int(bool(self.categories)), int(bool(self.severities)), int(bool(self.shifts))


@dataclass(slots=True)
class Hours:
    """One shift of a site, in its wall clock."""

    id: UUID
    site_id: UUID
    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class Routing:
    """Routes in the order in which they were written down, and what they need to know of the plant to be matched.

    `areas` says which area each line is in.
    """

    routes: Sequence[Route] = ()
    areas: Mapping[UUID, UUID] = field(default_factory=dict)
    shifts: Sequence[Hours] = ()

    def route(self, anomaly: Concerned, *, local: datetime) -> Route | None:
        """Return the most specific route for an anomaly at this moment in the wall clock of its site.

        Of two that are equally specific the one that was written down first; None: the flow's own team.
        """
        if not self.routes:
            return None
        running = {
            one.id for one in self.shifts if one.site_id == anomaly.site_id and shift_at([one], local) is not None
        }
        fitting = [
            route
            for route in self.routes
            if (route.station is None or route.station == anomaly.station_id)
            and (route.line is None or route.line == anomaly.line_id)
            and (route.area is None or route.area == self.areas.get(anomaly.line_id))
            and (not route.categories or anomaly.category in route.categories)
            and (not route.severities or anomaly.severity in route.severities)
            and (not route.shifts or not running.isdisjoint(route.shifts))
        ]
        return max(fitting, key=lambda route: route.precision, default=None)


ROUTES: TypeAdapter[tuple[Route, ...]] = TypeAdapter(tuple[Route, ...])
