"""Who may do what, now. The whole matrix: a row for each status, a column for each kind of person."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from app.anomaly.lifecycle import Status
from app.anomaly.permissions import may, require
from app.kit.errors import NotAllowed
from app.kit.ids import new_id
from app.people.models import Person, Role

MAINTENANCE, SITE = new_id(), new_id()
ORDERS = {"regrade", "split", "merge"}
LATER = ORDERS - {"merge"}  # a repair is under way: it cannot become another one's


def person(role: Role, team: UUID | None = None) -> Person:
    return Person(id=new_id(), site_id=SITE, name=role, role=role, team_id=team)


PEOPLE = {
    "stranger": person(Role.OPERATOR),
    "team": person(Role.OPERATOR, MAINTENANCE),
    "owner": person(Role.OPERATOR, MAINTENANCE),
    "offered": person(Role.OPERATOR),
    "resolver": person(Role.TEAM_LEAD),
    "lead": person(Role.TEAM_LEAD),
    "engineer": person(Role.ENGINEER),
    "manager": person(Role.MANAGER),
    "admin": person(Role.ADMIN),
}
LEADS = ("lead", "engineer", "manager", "admin", "resolver")
OWNERS = {"hand_over", "release", "resolve", "hold"}

OTHERS = {key: {"assist"} for key in ("stranger", "team")}

EXPECTED: dict[Status, dict[str, set[str]]] = {
    Status.REPORTED: {
        "team": {"accept"},
        "owner": {"accept", "cancel"},
        **dict.fromkeys(LEADS, {"accept", "cancel"} | ORDERS),
    },
    Status.ACCEPTED: {
        **OTHERS,
        "owner": OWNERS | {"arrive", "cancel"},
        "offered": {"take_over", "assist"},
        **dict.fromkeys(LEADS, {"assist", "release", "cancel"} | ORDERS),
    },
    Status.ON_SITE: {
        **OTHERS,
        "owner": OWNERS | {"contain", "cancel"},
        "offered": {"take_over", "assist"},
        **dict.fromkeys(LEADS, {"assist", "release", "cancel"} | ORDERS),
    },
    Status.CONTAINED: {
        **OTHERS,
        "owner": OWNERS,
        "offered": {"take_over", "assist"},
        **dict.fromkeys(LEADS, {"assist", "release"} | LATER),
    },
    Status.RESOLVED: {**dict.fromkeys(LEADS, {"verify", "send_back"} | LATER), "resolver": LATER},
    Status.WATCHING: {},
    Status.CLOSED: {},
    Status.CANCELLED: {},
}


@dataclass
class Subject:
    status: Status
    held: bool = False
    team_id: UUID | None = MAINTENANCE
    owner_id: UUID | None = PEOPLE["owner"].id
    offered_to_id: UUID | None = PEOPLE["offered"].id
    resolver_id: UUID | None = PEOPLE["resolver"].id
    helpers: dict[str, str] | None = None


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("who", PEOPLE)
def test_the_matrix(status, who):
    assert may(Subject(status), PEOPLE[who]) == EXPECTED[status].get(who, set())


@pytest.mark.parametrize("status", Status)
def test_nobody_in_particular_may_nothing(status):
    assert may(Subject(status), None) == set()


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.ON_SITE, Status.CONTAINED])
def test_what_is_on_hold_can_go_on_and_not_be_held_twice(status):
    can = may(Subject(status, held=True), PEOPLE["owner"])

    assert ("resume" in can, "hold" in can) == (True, False)


def test_somebody_without_a_team_answers_for_nothing_that_has_none():
    assert may(Subject(Status.REPORTED, team_id=None), PEOPLE["stranger"]) == set()


def test_who_comes_already_is_not_asked_again():
    coming = {str(PEOPLE["team"].id): "team"}

    assert may(Subject(Status.ACCEPTED, helpers=coming), PEOPLE["team"]) == set()


def test_what_may_not_be_done_is_refused():
    require(Subject(Status.REPORTED), PEOPLE["team"], "accept")
    with pytest.raises(NotAllowed):
        require(Subject(Status.REPORTED), PEOPLE["stranger"], "accept")
