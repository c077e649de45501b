"""A ladder whose last step could be empty is refused, with the hour at which it would be."""

from datetime import date, timedelta

import pytest

from app.flows import starter
from app.flows.document import Audience, FlowDocument, Ladder, Rung
from app.flows.ladders import DUTY, LINE_LEAD, MANAGERS, OWNER, STARTING
from app.flows.staffed import NoLastStep, NotAlwaysStaffed, require_staffed
from tests import factories
from tests.factories import MONDAY, id_of

MACHINE = starter.documents()[0]


@pytest.fixture
def plant(session):
    factories.plant(session)
    return session


def ending_with(*audiences: Audience) -> FlowDocument:
    rungs = (Rung(clock="accepted", after=0, call=(DUTY,)), Rung(clock="accepted", after=300, call=audiences))
    return MACHINE.model_copy(update={"ladders": {4: Ladder(rungs=rungs)}})


def works(session, name: str, **shifts: range) -> None:
    for shift, days in shifts.items():
        for day in days:
            factories.duty(session, name, shift, date(2026, 11, day))


@pytest.mark.parametrize("audience", [MANAGERS, DUTY, LINE_LEAD, Audience(person=id_of("person", "Gao Yan"))])
def test_who_stands_in_no_roster_is_always_there(plant, audience):
    require_staffed(plant, ending_with(audience), [4], now=MONDAY)


def test_the_ladders_a_plant_starts_with_end_with_somebody(plant):
    require_staffed(plant, MACHINE, STARTING, now=MONDAY)


def test_the_first_hour_without_anybody_is_named_in_the_wall_clock_of_the_site(plant):
    works(plant, "Zhao Min", early=range(23, 31), late=range(23, 31), night=[*range(22, 26), *range(27, 31)])

    with pytest.raises(NotAlwaysStaffed) as refusal:
        require_staffed(plant, ending_with(MANAGERS), [4], now=MONDAY)

    assert refusal.value.details == {"severity": 4, "when": "2026-11-26 22:00"}


def test_who_is_never_missing_together_covers(plant):
    works(plant, "Zhao Min", early=range(23, 31), late=range(23, 31))
    works(plant, "He Fang", night=range(22, 31))

    require_staffed(plant, ending_with(MANAGERS, Audience(team="quality")), [4], now=MONDAY)


def test_one_line_without_a_lead_is_a_hole(plant):
    plant.get_one(type(factories.person(plant, "Nobody")), id_of("person", "Liu Yang")).left_at = MONDAY
    plant.flush()

    with pytest.raises(NotAlwaysStaffed):
        require_staffed(plant, ending_with(LINE_LEAD), [4], now=MONDAY)


@pytest.mark.parametrize("audience", [OWNER, Audience(squad="no such"), Audience(team="no such")])
def test_whoever_may_not_exist_is_no_last_step(plant, audience):
    with pytest.raises(NotAlwaysStaffed):
        require_staffed(plant, ending_with(audience), [4], now=MONDAY + timedelta(hours=1))


def test_a_ladder_that_calls_nobody_is_refused(plant):
    silent = MACHINE.model_copy(update={"ladders": {4: Ladder(rungs=())}})

    with pytest.raises(NoLastStep):
        require_staffed(plant, silent, [4], now=MONDAY)
