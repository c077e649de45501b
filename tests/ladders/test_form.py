"""A ladder survives its form, and every button does one thing."""

import pytest

from app.flows.document import Audience
from app.flows.ladders import STARTING
from app.kit.errors import BadInput
from app.ladders.form import BadTime, EmptyStep, audience, change, code, drafts, ladder, read
from app.people.models import Role
from tests.factories import id_of


def fields(steps) -> list[tuple[str, str]]:
    """What a browser sends of these steps when nothing was touched."""
    found = []
    for step in steps:
        n = step.number
        found += [(f"clock.{n}", step.rung.clock), (f"after.{n}", str(step.amount)), (f"unit.{n}", step.unit)]
        found += [(f"who.{n}", code(one)) for one in step.rung.call] + [(f"add.{n}", ""), (f"name.{n}", "")]
        found += [(f"channels.{n}", channel) for channel in step.rung.channels]
    return found


@pytest.mark.parametrize("severity", STARTING)
def test_a_ladder_comes_back_from_its_form_as_it_was(severity):
    before = drafts(STARTING[severity])
    after = ladder(read(fields(before), {}))

    assert sorted(after.rungs, key=repr) == sorted(STARTING[severity].rungs, key=repr)


@pytest.mark.parametrize(
    "one",
    [
        Audience(team="owner", line=True, deputies=True),
        Audience(role=Role.TEAM_LEAD, team="production"),
        Audience(person=id_of("person", "Li Wei")),
        Audience(squad="rapid"),
        Audience(unseen=True),
    ],
)
def test_an_audience_is_one_word_and_back(one):
    assert audience(code(one)) == one


@pytest.mark.parametrize("word", ["root=yes", "role=king", "person=me", "line=maybe", "=", "+"])
def test_a_word_nobody_offered_is_refused(word):
    with pytest.raises(BadInput):
        audience(word)


@pytest.mark.parametrize("amount", ["", "-1", "1.5", "soon", "9" * 8, "²", "٣"])
def test_a_time_is_a_number(amount):
    with pytest.raises(BadTime):
        read([("clock.1", "accepted"), ("after.1", amount), ("unit.1", "min"), ("who.1", "owner")], {})


def test_a_step_moves_with_its_time_and_changes_places_without():
    steps = drafts(STARTING[2])
    second = steps[1]
    later = change(steps, f"down:{second.number}")

    assert later[2].rung.call == second.rung.call
    assert [one.rung.after for one in later] == [one.rung.after for one in steps]
    assert change(change(steps, "add:on_site"), "remove:1")[0].rung.call == second.rung.call
    assert change(steps, "up:1") == change(steps, "remove:99") == change(steps, "nonsense") == steps


def test_a_new_step_comes_after_the_others_and_calls_nobody_yet():
    steps = change(drafts(STARTING[1]), "add:accepted")

    with pytest.raises(EmptyStep):
        ladder(steps)
