"""The timeline if nobody reacts: pure, so every turn of it is told in one line."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.flows.document import Audience, FlowDocument, Ladder, Rung
from app.flows.ladders import DUTY, ENGINEERS, LEADS, MANAGERS, OWNER, UNSEEN
from app.flows.routing import Routing
from app.foresight.timeline import Case, Plan, Stretch, missed, nobody_reacts, play
from app.people.models import Address, Person, Role
from app.rosters.roster import Roster
from tests.factories import id_of

AT = datetime(2026, 11, 23, 19, 10, tzinfo=UTC)
TODAY = date(2026, 11, 24)  # there
MAINTENANCE = id_of("team", "maintenance")


def person(name: str, role: Role = Role.OPERATOR, **more: object) -> Person:
    return Person(id=id_of("person", name), site_id=id_of("site", "Suzhou"), name=name, role=role, **more)


LI_WEI = person("Li Wei", team_id=MAINTENANCE, deputy_id=id_of("person", "Wang Lei"))
WANG_LEI = person("Wang Lei", Role.TEAM_LEAD)
ZHAO_MIN = person("Zhao Min", Role.MANAGER)


def phone(of: Person, channel: str = "webpush") -> Address:
    return Address(
        person_id=of.id, channel=channel, fingerprint=f"{of.name}{channel}", target={}, created_at=AT, seen_at=AT
    )


def plan(*rungs: Rung, away: tuple[Person, ...] = (), phones: tuple[Address, ...] = ()) -> Plan:
    flow = FlowDocument(
        category="machine", names={"en": "Machine"}, icon="machine", team="maintenance", ladders={4: Ladder(rungs=rungs)}
    )  # fmt: skip
    addresses: dict = {}
    for one in phones:
        addresses.setdefault(one.person_id, []).append(one)
    return Plan(
        roster=Roster(
            ZoneInfo("Asia/Shanghai"), [LI_WEI, WANG_LEI, ZHAO_MIN], [], away=frozenset((one.id, TODAY) for one in away)
        ),
        routing=Routing(),
        flows={"machine": flow},
        teams={"maintenance": MAINTENANCE},
        addresses=addresses,
        channels=frozenset({"stream", "webpush", "sms", "log"}),
    )


def rung(minutes: float, *call: Audience, clock: str = "accepted", channels: tuple[str, ...] = ()) -> Rung:
    return Rung(clock=clock, after=int(minutes * 60), call=call, channels=channels)


def case(owner: Person | None = None) -> Case:
    return Case(
        id_of("site", "Suzhou"), id_of("line", "Line 3"), id_of("station", "Press 7"), "machine", 2, MAINTENANCE,
        owner.id if owner else None,
    )  # fmt: skip


def told(found) -> list[tuple]:
    return [
        ((step.at - AT).total_seconds() / 60, step.clock, step.place, [one.person.name for one in step.found])
        for step in found
    ]


def test_each_rung_at_its_time_then_a_reminder():
    found = nobody_reacts(case(), plan(rung(0, DUTY), rung(5, LEADS), rung(15, MANAGERS)), at=AT)

    assert told(found) == [
        (0, "accepted", 0, ["Li Wei"]),
        (5, "accepted", 1, ["Wang Lei"]),
        (15, "accepted", 2, ["Zhao Min"]),
        (30, "accepted", 3, ["Zhao Min"]),
    ]
    assert [step.repeat for step in found] == [False, False, False, True]


def test_a_ladder_of_one_step_ends_too():
    assert told(nobody_reacts(case(LI_WEI), plan(rung(10, OWNER, clock="on_site")), at=AT, clock="on_site")) == [
        (10, "on_site", 0, ["Li Wei"]),
        (25, "on_site", 1, ["Li Wei"]),
    ]


def test_without_steps_nothing_happens():
    assert nobody_reacts(case(), plan(), at=AT) == []


def test_nobody_there_falls_through_at_once():
    found = nobody_reacts(case(), plan(rung(0, ENGINEERS), rung(5, LEADS), rung(9, MANAGERS)), at=AT)

    assert told(found)[:3] == [
        (0, "accepted", 0, []),
        (0, "accepted", 1, ["Wang Lei"]),
        (9, "accepted", 2, ["Zhao Min"]),
    ]
    assert [step.early for step in found[:3]] == [False, True, False]


def test_no_phone_shows_it_so_the_next_channel_and_the_deputy():
    ladder = rung(0, DUTY), rung(1, UNSEEN, clock="displayed", channels=("sms",)), rung(5, LEADS)
    found = nobody_reacts(case(), plan(*ladder, phones=(phone(LI_WEI), phone(LI_WEI, "sms"))), at=AT)

    assert told(found)[1] == (1, "displayed", 0, ["Li Wei", "Wang Lei"])


@pytest.mark.parametrize(
    ("shown_after", "clocks"), [(30, ["accepted"]), (90, ["accepted", "displayed"]), (None, ["accepted", "displayed"])]
)
def test_once_a_phone_has_shown_it_that_clock_rests(shown_after, clocks):
    ladder = rung(0, DUTY), rung(1, UNSEEN, clock="displayed"), rung(5, LEADS)
    shown = AT + timedelta(seconds=shown_after) if shown_after else None
    stretch = Stretch("accepted", AT, AT, AT + timedelta(minutes=5), shown)

    assert [
        step.clock for step in play(case(), plan(*ladder, phones=(phone(LI_WEI), phone(LI_WEI, "sms"))), stretch)
    ] == clocks


def test_who_is_away_or_has_nothing_that_rings_is_named():
    known = plan(rung(0, DUTY, LEADS), away=(LI_WEI,), phones=(phone(ZHAO_MIN),))
    (first, *_) = nobody_reacts(case(), known, at=AT)

    assert [(one.person.name, one.why) for one in missed(first, case(), known)] == [
        ("Li Wei", "away"),
        ("Wang Lei", "no phone"),
    ]
