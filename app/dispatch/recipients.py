"""Who is called by a rung, why they, and who is asked a little later. Pure, over a snapshot of the roster."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.flows.audience import Concerned, deputies, meant
from app.flows.document import Audience, Rung
from app.flows.routing import Route, Routing
from app.people.models import Person
from app.rosters.roster import Roster

MANY = 2  # open anomalies of one's own
ASKED_LATER = timedelta(minutes=1)
URGENT = 1  # rings everybody at once, whatever they have to do and whatever hour it is
AT_ONCE = timedelta(0)
NOBODY_OWNS_ANY: Mapping[UUID, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to call, after `wait`; `muted`: only inside the app.

    `why` answers "why me?": the audience that names them, the route that put it there, whom they stand in for, and the
    rung's clock and delay.
    """

    person: Person
    why: dict[str, object]
    wait: timedelta = AT_ONCE
    muted: bool = False


def recipients(
    rung: Rung,
    anomaly: Concerned,
    *,
    at: datetime,
    roster: Roster,
    routing: Routing,
    teams: Mapping[str, UUID],
    called: Collection[UUID] = (),
    seen: Collection[UUID] = (),
    load: Mapping[UUID, int] = NOBODY_OWNS_ANY,
) -> list[Recipient]:
    """Return each person a rung calls once, in the order of its audiences.

    Who is on duty with a red phone is left out while a green one is among them. Unless it is urgent, who owns many
    anomalies already (`load`) is asked to take one more later than who owns fewer, and nobody is disturbed in their
    quiet hours or who wants no calls; but never so that nobody would be called now.
    """
    found: dict[UUID, Recipient] = {}
    by_duty: set[UUID] = set()
    for audience, route in _audiences(rung, anomaly, at.astimezone(roster.zone), routing):
        people = meant(audience, anomaly, at=at, roster=roster, teams=teams, called=called, seen=seen)
        why: dict[str, object] = {"audience": _said(audience), "clock": rung.clock, "after": rung.after}
        if route is not None:
            why["route"] = {"name": route.name, "for": _matched(route)}
        for person in people:
            found.setdefault(person.id, Recipient(person, why))
        if audience.deputies:
            for deputy, absent in deputies(people, at=at, roster=roster):
                found.setdefault(deputy.id, Recipient(deputy, why | {"deputy_of": absent.name}))
        if not (audience.owner or audience.unseen):
            by_duty |= {person.id for person in people}
    chosen = _green(list(found.values()), by_duty, roster.red(at))
    if anomaly.severity == URGENT:
        return chosen
    if rung.clock == "accepted":
        chosen = _fewest_first(chosen, load)
    return _quietly(chosen, at, roster)


def quiet_for(person: Person, at: datetime, roster: Roster) -> timedelta:
    """Return how long `person` must not be disturbed from `at` on, by the clock on the wall; zero: not now."""
    begins, ends = person.quiet_from, person.quiet_until
    if begins is None or ends is None or begins == ends:
        return AT_ONCE
    local = at.astimezone(roster.zone)
    clock = local.time()
    if not (begins <= clock < ends if begins < ends else clock >= begins or clock < ends):
        return AT_ONCE
    day = local.date() if clock < ends else local.date() + timedelta(1)
    return max(datetime.combine(day, ends, roster.zone) - at, AT_ONCE)


def _audiences(
    rung: Rung, anomaly: Concerned, local: datetime, routing: Routing
) -> Iterator[tuple[Audience, Route | None]]:
    """The audiences of a rung, those of the most specific route in the place of the flow's own team."""
    for audience in rung.call:
        route = routing.route(anomaly, local=local) if audience.team == "owner" else None
        if route is None:
            yield audience, None
        else:
            yield from ((_narrowed(one, audience), route) for one in route.call)


def _green(found: Sequence[Recipient], by_duty: Collection[UUID], red: Collection[UUID]) -> list[Recipient]:
    """Leave out red phones of people on duty while a green one among them covers. Whom the anomaly names stays."""
    silent = {one for one in by_duty if one in red}
    covered = any(one.person.id in by_duty and one.person.id not in silent for one in found)
    return [one for one in found if not (covered and one.person.id in silent)]


def _fewest_first(found: Sequence[Recipient], load: Mapping[UUID, int]) -> list[Recipient]:
    busy = {one.person.id for one in found if load.get(one.person.id, 0) >= MANY}
    if len(busy) == len(found):
        return list(found)
    return [replace(one, wait=ASKED_LATER) if one.person.id in busy else one for one in found]


def _quietly(found: Sequence[Recipient], at: datetime, roster: Roster) -> list[Recipient]:
    quiet = [quiet_for(one.person, at, roster) for one in found]
    if not any(not wait and not one.person.calls_muted for one, wait in zip(found, quiet, strict=True)):
        return list(found)
    return [
        replace(one, wait=max(one.wait, wait), muted=one.person.calls_muted)
        for one, wait in zip(found, quiet, strict=True)
    ]


@lru_cache(maxsize=1024)
def _narrowed(routed: Audience, audience: Audience) -> Audience:
    """What a ladder asks of the duty responders beside their team (a role, deputies) holds for routed ones too."""
    return routed.model_copy(update=audience.model_dump(exclude={"team"}, exclude_defaults=True))


@lru_cache(maxsize=1024)
def _said(audience: Audience) -> dict[str, Any]:
    return audience.model_dump(mode="json", exclude_defaults=True)


def _matched(route: Route) -> list[str]:
    """What of the anomaly the route asked for, in the order in which it counts."""
    asked = ("station", "line", "area", "categories", "severities", "shifts")
    return [name for name in asked if getattr(route, name)]
