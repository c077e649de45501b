"""The most specific route says who the duty responder is; new versions never change old ones."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import permutations
from uuid import UUID

import pytest
from pydantic import ValidationError

from app.flows import queries
from app.flows.actions import publish_routing
from app.flows.document import Audience
from app.flows.routing import Hours, Route, Routing
from tests import factories
from tests.factories import MONDAY, id_of

SITE, AREA, LINE = id_of("site", "Suzhou"), id_of("area", "Stamping"), id_of("line", "Line 3")
PRESS, NIGHT = id_of("station", "Press 7"), id_of("shift", "night")
CALL = (Audience(team="quality"),)


@dataclass(frozen=True)
class Subject:
    site_id: UUID = SITE
    line_id: UUID = LINE
    station_id: UUID = PRESS
    team_id: UUID | None = None
    owner_id: UUID | None = None
    category: str = "machine"
    severity: int = 2


def route(name: str, **given: object) -> Route:
    return Route(name=name, call=CALL, **given)


def chosen(*routes: Route, subject: Subject | None = None, hour: int = 10) -> str:
    ground = {"areas": {LINE: AREA}, "shifts": [Hours(NIGHT, SITE, time(22), time(6))]}
    found = Routing(routes, **ground).route(subject or Subject(), local=datetime(2026, 11, 23, hour, tzinfo=UTC))
    return found.name if found else ""


BY_PRECISION = [
    route("anything"),
    route("night", shifts=[NIGHT]),
    route("urgent", severities=[1, 2]),
    route("machines", categories=["machine"]),
    route("area", area=AREA),
    route("line", line=LINE),
    route("line, machines", line=LINE, categories=["machine"]),
    route("press", station=PRESS),
    route("press, machines at night", station=PRESS, categories=["machine"], shifts=[NIGHT]),
]


@pytest.mark.parametrize("many", range(1, len(BY_PRECISION) + 1))
def test_the_most_specific_one_wins_wherever_it_stands(many):
    some = BY_PRECISION[:many]

    assert chosen(*some, hour=23) == chosen(*reversed(some), hour=23) == some[-1].name


def test_of_two_that_are_equally_specific_the_first_one_wins():
    for first, second in permutations([route("one", line=LINE), route("two", line=LINE)]):
        assert chosen(first, second) == first.name


@pytest.mark.parametrize(
    "other",
    [
        route("elsewhere", station=id_of("station", "Oven 1")),
        route("another line", line=id_of("line", "Line 4")),
        route("another area", area=id_of("area", "Painting")),
        route("another kind", categories=["quality"]),
        route("less severe", severities=[3, 4]),
        route("another shift", shifts=[NIGHT]),
    ],
)
def test_what_does_not_fit_is_not_taken(other):
    assert chosen(other) == ""


@pytest.mark.parametrize(("hour", "works"), [(22, True), (5, True), (6, False), (21, False)])
def test_a_shift_over_midnight_is_one_shift(hour, works):
    assert chosen(route("night", shifts=[NIGHT]), hour=hour) == ("night" if works else "")


def test_the_shift_of_another_site_does_not_run_here():
    assert chosen(route("night", shifts=[NIGHT]), subject=Subject(site_id=id_of("site", "Berlin")), hour=23) == ""


@pytest.mark.parametrize(
    "given",
    [{"call": []}, {"line": LINE, "station": PRESS}, {"severities": [5]}, {"when": "later"}, {"name": "x" * 81}],
)
def test_what_makes_no_sense_is_refused(given):
    with pytest.raises(ValidationError):
        Route.model_validate({"call": CALL} | given)


def test_nothing_published_is_no_route(session):
    assert queries.current_routing(session) == Routing()


def test_publishing_makes_a_new_version_that_knows_the_plant_and_leaves_the_old_one(session):
    factories.plant(session)

    publish_routing(session, [route("old", area=AREA)], by="Zhao Min", now=MONDAY)
    publish_routing(session, [route("new", shifts=[NIGHT]), route("old", area=AREA)], now=MONDAY)

    now = queries.current_routing(session)
    assert [one.name for one in now.routes] == ["new", "old"]
    assert now.areas[LINE] == AREA
    assert NIGHT in {shift.id for shift in now.shifts}
    assert [(v.number, v.published_by, len(v.document)) for v in queries.routing_versions(session)] == [
        (2, "", 2),
        (1, "Zhao Min", 1),
    ]
