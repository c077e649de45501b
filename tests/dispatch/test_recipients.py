"""Who is meant by a rung, each once, and why they."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from app.dispatch.recipients import recipients
from app.dispatch.words import why
from app.flows.document import Audience, Rung
from app.flows.ladders import DUTY, ENGINEERS, LEADS, LINE_LEAD, MANAGERS, OWNER
from app.people.models import Person, Role
from tests.factories import CAST, id_of

PEOPLE = [
    Person(
        id=id_of("person", name),
        site_id=id_of("site", "Suzhou"),
        name=name,
        role=role,
        team_id=id_of("team", team) if team else None,
        line_id=id_of("line", line) if line else None,
    )
    for name, (role, team, line) in CAST.items()
]
LINE_3, MAINTENANCE = id_of("line", "Line 3"), id_of("team", "maintenance")
TEAMS = {key: id_of("team", key) for key in ("maintenance", "quality", "production")}


@dataclass
class Subject:
    line_id: UUID = LINE_3
    team_id: UUID | None = MAINTENANCE
    owner_id: UUID | None = None


def called(*audiences: Audience, subject: Subject | None = None, on_duty: list[Person] = PEOPLE) -> list[str]:
    rung = Rung(clock="accepted", after=300, call=audiences)
    everybody = {person.id: person for person in PEOPLE}
    found = recipients(rung, subject or Subject(), on_duty=on_duty, teams=TEAMS, everybody=everybody)
    return [recipient.person.name for recipient in found]


@pytest.mark.parametrize(
    ("audience", "names"),
    [
        (DUTY, ["Li Wei", "Sun Hao"]),
        (LINE_LEAD, ["Wang Lei"]),
        (LEADS, ["Wang Lei", "Liu Yang"]),
        (ENGINEERS, ["Chen Jing"]),
        (MANAGERS, ["Zhao Min"]),
        (OWNER, []),
        (Audience(team="quality"), ["He Fang"]),
        (Audience(team="no such team"), []),
        (Audience(team="production", role=Role.OPERATOR), ["Ma Jun"]),
        (Audience(team="owner", line=True), ["Li Wei", "Sun Hao"]),
    ],
)
def test_an_audience_is_people_on_duty(audience, names):
    assert called(audience) == names


def test_somebody_of_another_line_is_not_meant_and_somebody_of_none_is():
    assert called(Audience(team="owner", line=True), subject=Subject(line_id=id_of("line", "Line 4"))) == ["Sun Hao"]


def test_everybody_is_called_once_whoever_else_they_are():
    assert called(DUTY, LINE_LEAD, LEADS) == ["Li Wei", "Sun Hao", "Wang Lei", "Liu Yang"]


def test_the_owner_is_told_on_duty_or_not():
    mine = Subject(owner_id=id_of("person", "Sun Hao"))

    assert called(OWNER, DUTY, subject=mine, on_duty=[]) == ["Sun Hao"]


def test_nobody_on_duty_is_nobody():
    assert called(DUTY, LEADS, MANAGERS, on_duty=[]) == []


def test_without_a_team_nobody_is_meant_by_its_team():
    assert called(DUTY, subject=Subject(team_id=None)) == []


def test_why_me():
    rung = Rung(clock="accepted", after=300, call=(DUTY, LINE_LEAD))
    found = recipients(rung, Subject(), on_duty=PEOPLE, teams=TEAMS, everybody={})

    assert {r.person.name: why(r.why) for r in found} == {
        "Li Wei": "on duty for this kind of problem, nobody came within 5 min",
        "Sun Hao": "on duty for this kind of problem, nobody came within 5 min",
        "Wang Lei": "team lead on duty, of this line, nobody came within 5 min",
    }
