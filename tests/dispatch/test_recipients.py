"""Who is meant by a rung, each once, why they, and who is asked a little later."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.dispatch.recipients import ASKED_LATER, Recipient, quiet_for, recipients
from app.dispatch.words import why
from app.flows.document import Audience, Rung
from app.flows.ladders import DUTY, ENGINEERS, LEADS, LINE_LEAD, MANAGERS, OWNER
from app.flows.routing import Route, Routing
from app.people.models import Person, Role
from app.rosters.roster import Roster, Spell
from tests.factories import CAST, MONDAY, ZONE, id_of

HOUR = timedelta(hours=1)
TEAMS = {key: id_of("team", key) for key in ("maintenance", "quality", "production")}
LATE_SHIFT = id_of("shift", "late")
SITE, LINE_3, PRESS_7 = id_of("site", "Suzhou"), id_of("line", "Line 3"), id_of("station", "Press 7")


def people(**changes: dict[str, object]) -> list[Person]:
    """The cast, with `changes` by first name."""
    return [
        Person(
            id=id_of("person", name),
            site_id=SITE,
            name=name,
            role=role,
            team_id=id_of("team", team) if team else None,
            line_id=id_of("line", line) if line else None,
            **changes.get(name.split()[0], {}),
        )
        for name, (role, team, line) in CAST.items()
    ]


def roster(
    *, off: tuple[str, ...] = (), red: tuple[str, ...] = (), squads: dict[str, tuple[str, ...]] | None = None, **changes
) -> Roster:
    """Everybody works but those who are `off`; whose phone is `red` stands in the roster and did not answer."""
    shifts = [(name, 24 * HOUR, 32 * HOUR) for name in off] + [(name, -HOUR, HOUR) for name in red]
    day = MONDAY.date()
    spells = [Spell(MONDAY + a, MONDAY + b, id_of("person", name), LATE_SHIFT, day) for name, a, b in shifts]
    return Roster(
        zone=ZoneInfo(ZONE),
        staff=people(**changes),
        spells=spells,
        silent=frozenset((id_of("person", name), LATE_SHIFT, day) for name in red),
        squads={key: frozenset(id_of("person", n) for n in names) for key, names in (squads or {}).items()},
    )


@dataclass
class Subject:
    site_id: UUID = SITE
    line_id: UUID = LINE_3
    station_id: UUID = PRESS_7
    team_id: UUID | None = TEAMS["maintenance"]
    owner_id: UUID | None = None
    category: str = "machine"
    severity: int = 2


@dataclass
class Asked:
    """What a test asks with; every part has a usual value."""

    here: Roster = field(default_factory=roster)
    subject: Subject = field(default_factory=Subject)
    routing: Routing = field(default_factory=Routing)
    clock: str = "accepted"
    called: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    load: dict[str, int] = field(default_factory=dict)

    def found(self, *audiences: Audience) -> list[Recipient]:
        return recipients(
            Rung(clock=self.clock, after=300, call=audiences),
            self.subject,
            at=MONDAY,
            roster=self.here,
            routing=self.routing,
            teams=TEAMS,
            called=[id_of("person", name) for name in self.called],
            seen=[id_of("person", name) for name in self.seen],
            load={id_of("person", name): many for name, many in self.load.items()},
        )

    def names(self, *audiences: Audience) -> list[str]:
        return [one.person.name for one in self.found(*audiences)]

    def waits(self, *audiences: Audience) -> dict[str, timedelta]:
        return {one.person.name: one.wait for one in self.found(*audiences)}


def to(name: str) -> Audience:
    return Audience(person=id_of("person", name))


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
        (Audience(squad="rescue"), ["He Fang", "Zhao Min"]),
        (Audience(squad="rescue", role=Role.MANAGER), ["Zhao Min"]),
        (Audience(squad="no such squad"), []),
        (to("Gao Yan"), ["Gao Yan"]),
    ],
)
def test_an_audience_is_people_on_duty(audience, names):
    assert Asked(roster(squads={"rescue": ("Zhao Min", "He Fang")})).names(audience) == names


def test_somebody_of_another_line_is_not_meant_and_somebody_of_none_is():
    other = Subject(line_id=id_of("line", "Line 4"))

    assert Asked(subject=other).names(Audience(team="owner", line=True)) == ["Sun Hao"]


def test_everybody_is_called_once_whoever_else_they_are():
    assert Asked().names(DUTY, LINE_LEAD, LEADS) == ["Li Wei", "Sun Hao", "Wang Lei", "Liu Yang"]


def test_the_owner_is_told_on_duty_or_not():
    mine = Subject(owner_id=id_of("person", "Sun Hao"))

    assert Asked(roster(off=tuple(CAST)), mine).names(OWNER, DUTY) == ["Sun Hao"]


def test_nobody_on_duty_is_nobody():
    assert Asked(roster(off=tuple(CAST))).names(DUTY, LEADS, MANAGERS, to("Zhao Min")) == []


def test_without_a_team_nobody_is_meant_by_its_team():
    assert Asked(subject=Subject(team_id=None)).names(DUTY) == []


# --- not displayed ---


def test_unseen_is_who_was_called_and_whose_phone_has_not_shown_it_on_duty_or_not():
    asked = Asked(roster(off=("Li Wei",)), clock="displayed", called=("Li Wei", "Wang Lei"), seen=("Wang Lei",))

    assert asked.names(Audience(unseen=True)) == ["Li Wei"]


def test_deputies_come_in_parallel_if_they_are_on_duty_and_know_for_whom():
    stands_in = {"Li": {"deputy_id": id_of("person", "Ma Jun")}, "Wang": {"deputy_id": id_of("person", "Liu Yang")}}
    asked = Asked(roster(off=("Liu Yang",), **stands_in), clock="displayed", called=("Li Wei", "Wang Lei"))

    found = asked.found(Audience(unseen=True, deputies=True))

    assert [one.person.name for one in found] == ["Li Wei", "Wang Lei", "Ma Jun"]
    assert found[2].why["deputy_of"] == "Li Wei"


# --- red phones ---


def test_a_red_phone_is_left_out_while_a_green_one_covers():
    assert Asked(roster(red=("Li Wei",))).names(DUTY) == ["Sun Hao"]


def test_when_all_are_red_they_are_called_all_the_same():
    assert Asked(roster(red=("Li Wei", "Sun Hao"))).names(DUTY) == ["Li Wei", "Sun Hao"]


def test_whom_the_anomaly_names_neither_covers_nor_is_left_out():
    mine = Subject(owner_id=id_of("person", "Li Wei"))

    assert Asked(roster(red=("Li Wei", "Wang Lei")), mine).names(OWNER, LINE_LEAD) == ["Li Wei", "Wang Lei"]


# --- load ---


@pytest.mark.parametrize(
    ("severity", "clock", "load", "later"),
    [
        (2, "accepted", {"Li Wei": 2}, {"Li Wei"}),
        (4, "accepted", {"Li Wei": 5, "Sun Hao": 1}, {"Li Wei"}),
        (2, "accepted", {"Li Wei": 1}, set()),
        (2, "accepted", {"Li Wei": 2, "Sun Hao": 3}, set()),  # nobody is there who could be asked before
        (1, "accepted", {"Li Wei": 9}, set()),  # the most severe rings everybody at once
        (2, "resolved", {"Li Wei": 2}, set()),
    ],
)
def test_who_holds_two_is_asked_after_who_holds_fewer(severity, clock, load, later):
    asked = Asked(subject=Subject(severity=severity), clock=clock, load=load)

    assert asked.waits(DUTY) == {n: ASKED_LATER if n in later else timedelta(0) for n in ("Li Wei", "Sun Hao")}


# --- quiet hours: it is ten in the morning ---

QUIET = {"quiet_from": time(9), "quiet_until": time(12, 30)}


def test_in_quiet_hours_the_phone_rings_when_they_are_over():
    assert Asked(roster(Li=QUIET)).waits(DUTY) == {"Li Wei": 2.5 * HOUR, "Sun Hao": 0 * HOUR}


@pytest.mark.parametrize("severity", [1, 2])
def test_quiet_hours_never_keep_the_most_severe_or_the_only_one_from_ringing(severity):
    both = roster(Li=QUIET, Sun=QUIET) if severity > 1 else roster(Li=QUIET)

    assert set(Asked(both, Subject(severity=severity)).waits(DUTY).values()) == {timedelta(0)}


def test_who_wants_no_calls_gets_them_inside_the_app_unless_it_is_the_only_one():
    def muted(found: list[Recipient]) -> list[str]:
        return [one.person.name for one in found if one.muted]

    wants_none = {"calls_muted": True}

    assert muted(Asked(roster(Li=wants_none)).found(DUTY)) == ["Li Wei"]
    assert muted(Asked(roster(Li=wants_none, Sun=QUIET)).found(DUTY)) == []
    assert muted(Asked(roster(Li=wants_none), Subject(severity=1)).found(DUTY)) == []


@pytest.mark.parametrize(
    ("begins", "ends", "at", "minutes"),
    [
        (time(22), time(6), (23, 0), 7 * 60),
        (time(22), time(6), (5, 59), 1),
        (time(22), time(6), (6, 0), 0),
        (time(22), time(6), (21, 59), 0),
        (time(12), time(13), (12, 0), 60),
        (time(12), time(12), (12, 0), 0),
        (None, time(12), (11, 0), 0),
    ],
)
def test_quiet_hours_are_by_the_clock_on_the_wall_also_over_midnight(begins, ends, at, minutes):
    person = people(Li={"quiet_from": begins, "quiet_until": ends})[0]
    moment = datetime(2026, 11, 23, *at, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)

    assert quiet_for(person, moment, roster()) == timedelta(minutes=minutes)


def test_the_night_the_clock_is_set_back_is_an_hour_longer():
    berlin = Roster(zone=ZoneInfo("Europe/Berlin"), staff=[], spells=[])
    person = people(Li={"quiet_from": time(22), "quiet_until": time(6)})[0]

    assert quiet_for(person, datetime(2026, 10, 24, 20, 0, tzinfo=UTC), berlin) == timedelta(hours=9)


# --- why me ---


def test_why_me():
    found = Asked().found(DUTY, LINE_LEAD)

    assert {r.person.name: why(r.why) for r in found} == {
        "Li Wei": "on duty for this kind of problem, nobody came within 5 min",
        "Sun Hao": "on duty for this kind of problem, nobody came within 5 min",
        "Wang Lei": "team lead on duty, of this line, nobody came within 5 min",
    }


def test_a_route_replaces_the_flows_own_team_and_says_so():
    route = Route(name="Presses", station=id_of("station", "Press 7"), call=(to("Ma Jun"), DUTY))

    found = Asked(routing=Routing([route])).found(DUTY, LINE_LEAD)

    assert [one.person.name for one in found] == ["Ma Jun", "Li Wei", "Sun Hao", "Wang Lei"]
    assert found[0].why["route"] == {"name": "Presses", "for": ["station"]}
    assert "route" not in found[3].why


def test_what_the_ladder_asks_beside_the_team_holds_for_who_is_routed_too():
    route = Route(call=(Audience(team="production"),))
    stands_in = roster(Ma={"deputy_id": id_of("person", "Liu Yang")})

    asked = Asked(stands_in, routing=Routing([route]))

    assert asked.names(Audience(team="owner", role=Role.OPERATOR, deputies=True)) == ["Ma Jun", "Liu Yang"]
