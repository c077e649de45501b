"""Four clocks: not displayed, not accepted, not on site, not resolved. Each strikes at its time, over its own ways."""

from datetime import time, timedelta

import pytest
from sqlmodel import select

from app.dispatch.models import Delivery, DeliveryState, Outlet
from app.flows.actions import publish_routing
from app.flows.document import Audience
from app.flows.routing import Route
from app.people.addresses import keep_address
from app.people.models import Person
from app.rosters.models import CheckIn
from tests import factories
from tests.factories import MONDAY, id_of
from tests.journeys.harness import done, on_any_database

FIRST = {"Li Wei", "Sun Hao", "Wang Lei"}


class Short:
    """A way to reach people that only notes whom it reached."""

    def __init__(self, kind: str = "sms") -> None:
        self.kind, self.sent = kind, []

    async def send(self, message, address):
        self.sent.append(address.get("number") or address.get("outlet"))

    async def close(self):
        pass

    def to(self) -> list[str]:
        """Whom it reached since it was last asked."""
        sent, self.sent = self.sent, []
        return sent


async def with_numbers(plant, *names: str, kind: str = "sms") -> Short:
    """Let these people have a telephone number too."""
    short = Short(kind)

    def numbers(session):
        for name in names:
            person = session.get_one(Person, id_of("person", name))
            keep_address(session, person, kind, {"number": name}, unique=f"{kind} {name}", label="", now=MONDAY)

    await plant.changes(numbers)
    await plant.calls_through({**plant.channels, kind: short})
    return short


async def stands(plant, name: str, **what: object) -> None:
    """Let something be true of somebody."""

    def change(session):
        person = session.get_one(Person, id_of("person", name))
        for key, value in what.items():
            setattr(person, key, value)
        session.add(person)

    await plant.changes(change)


async def shows(plant, name: str) -> None:
    phone = plant.phones[name]
    done(await plant.taps(phone.displays(phone.shown()[-1])))


# --- not displayed ---


async def test_what_no_phone_has_shown_goes_over_the_next_way_to_the_same_people(plant):
    short = await with_numbers(plant, "Li Wei", "Wang Lei", "Chen Jing")
    report = await plant.worker_reports("Press 7")
    assert (plant.ringing(), short.to()) == (FIRST, [])

    await plant.waits(seconds=59)
    assert short.to() == []
    await plant.waits(seconds=1)

    assert sorted(short.to()) == ["Li Wei", "Wang Lei"]
    assert plant.rings() == dict.fromkeys(FIRST, 1)  # nobody's phone rings twice for it
    told = await plant.sees(f"/anomalies/{report.anomaly}/timeline", by="Wang Lei")
    assert "No phone has shown it yet" in told.text


async def test_one_phone_that_shows_it_stops_this_clock_and_no_other(plant):
    short = await with_numbers(plant, "Li Wei", "Wang Lei")
    await plant.worker_reports("Press 7")
    await plant.waits(seconds=30)

    await shows(plant, "Sun Hao")
    await plant.waits(minutes=4)

    assert short.to() == []
    assert "Chen Jing" not in plant.ringing()
    await plant.waits(seconds=30)
    assert "Chen Jing" in plant.ringing()


async def test_the_deputy_is_called_in_parallel(plant):
    await stands(plant, "Li Wei", deputy_id=id_of("person", "Ma Jun"))
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()

    await plant.waits(minutes=1)

    assert plant.rings() == {"Ma Jun": 1}
    calls = (await plant.sees(f"/anomalies/{report.anomaly}/calls", by="Wang Lei")).text
    assert "Li Wei" in calls


async def test_who_has_no_other_way_is_on_record_as_not_reached(plant):
    report = await plant.worker_reports("Press 7")

    await plant.waits(minutes=1)

    assert await plant.events(report.anomaly) == ["reported", "called", "unseen"]


async def test_after_acceptance_nobody_asks_whether_it_was_shown(plant):
    short = await with_numbers(plant, "Li Wei")
    report = await plant.worker_reports("Press 7")

    done(await plant.accepts("Sun Hao", report.anomaly))
    await plant.waits(minutes=5)

    assert short.to() == []


async def test_it_counts_from_the_first_call_also_when_dispatch_stood_still(plant):
    short = await with_numbers(plant, "Li Wei")
    plant.loops_run = False
    await plant.worker_reports("Press 7")
    await plant.stands_still(minutes=3)
    plant.loops_run = True
    await plant.settles()
    assert (plant.ringing(), short.to()) == (FIRST, [])

    await plant.waits(minutes=1)

    assert short.to() == ["Li Wei"]


async def test_rung_again_from_the_first_rung_it_is_asked_again(plant):
    short = await with_numbers(plant, "Li Wei")
    report = await plant.worker_reports("Press 7")
    await plant.waits(minutes=1)
    assert short.to() == ["Li Wei"]

    done(await plant.does("Wang Lei", "severity", report.anomaly, severity=1))
    await plant.waits(seconds=30)

    assert short.to() == ["Li Wei"]


# --- over which ways ---


@on_any_database
async def test_everybody_is_called_over_the_way_they_like_best(plant):
    short = await with_numbers(plant, "Li Wei", "Sun Hao")
    await stands(plant, "Li Wei", ways=["sms", "webpush"])

    await plant.worker_reports("Press 7")

    assert short.to() == ["Li Wei"]
    assert plant.ringing() == {"Sun Hao", "Wang Lei"}


@on_any_database
async def test_higher_rungs_add_the_telephone(plant):
    voice = await with_numbers(plant, "Zhao Min", kind="voice")
    await plant.worker_reports("Press 7")

    await plant.waits(minutes=15)
    assert voice.to() == []
    await plant.waits(minutes=15)

    assert voice.to() == ["Zhao Min"]
    assert plant.rings("Zhao Min") == {"Zhao Min": 2}


@on_any_database
@pytest.mark.parametrize(
    ("scope", "rings"),
    [
        ({}, [5]),
        ({"from_rung": False}, [0, 5, 15, 30, 120]),
        ({"line_id": id_of("line", "Line 4")}, []),
        ({"team_id": id_of("team", "maintenance")}, [5]),
        ({"team_id": id_of("team", "quality")}, []),
        ({"severity": 1}, []),
        ({"paused_at": MONDAY}, []),
        ({"gone_at": MONDAY}, []),
    ],
)
async def test_a_lamp_is_rung_by_the_rung_that_names_it_within_its_scope(plant, scope, rings):
    def lamp(session):
        place = {"site_id": id_of("site", "Suzhou"), "channel": "stacklight", "name": "Lamp", "target": "sealed"}
        factories.add(session, Outlet(id=id_of("outlet", "Lamp"), created_at=MONDAY, **place | scope))

    await plant.changes(lamp)
    plant.channels = {**plant.channels, "stacklight": Short("stacklight")}  # it is planned here, not sent
    report = await plant.worker_reports("Press 7")
    await plant.waits(hours=2)

    to_lamp = [one for one in await plant.all(Delivery) if one.outlet_id and one.purpose == "call"]
    assert [int((one.planned_at - MONDAY).total_seconds() // 60) for one in to_lamp] == rings
    assert all(one.once.endswith(one.outlet_id.hex) and one.anomaly_id == report.anomaly for one in to_lamp)


# --- who is called later, or not ---


async def test_who_has_two_already_is_asked_a_minute_later(plant):
    for station in ("Press 8", "Oven 1"):
        one = await plant.worker_reports(station)
        done(await plant.accepts("Li Wei", one.anomaly))
    plant.all_quiet()

    await plant.worker_reports("Press 7")
    assert plant.ringing() == {"Sun Hao", "Wang Lei"}
    await plant.waits(minutes=1)

    assert plant.ringing() == FIRST


@on_any_database
async def test_who_is_rung_in_the_moment_the_clock_strikes_cannot_have_shown_it_yet(plant):
    await stands(plant, "Li Wei", deputy_id=id_of("person", "Ma Jun"))
    for station in ("Press 8", "Oven 1"):
        one = await plant.worker_reports(station)
        done(await plant.accepts("Li Wei", one.anomaly))
    plant.all_quiet()
    await plant.worker_reports("Press 7")

    await plant.waits(minutes=1)

    assert "Li Wei" in plant.ringing()
    assert "Ma Jun" not in plant.ringing()


async def test_who_would_be_asked_later_is_not_asked_when_somebody_has_taken_it(plant):
    for station in ("Press 8", "Oven 1"):
        one = await plant.worker_reports(station)
        done(await plant.accepts("Li Wei", one.anomaly))
    plant.all_quiet()
    report = await plant.worker_reports("Press 7")

    done(await plant.accepts("Sun Hao", report.anomaly))
    await plant.waits(minutes=2)

    assert "Li Wei" not in plant.ringing()
    dropped = [one for one in await plant.all(Delivery) if one.state == DeliveryState.DROPPED]
    assert {one.person_id for one in dropped} == {id_of("person", "Li Wei")}


@on_any_database
async def test_the_most_severe_rings_everybody_at_once_whatever_they_have(plant):
    for station in ("Press 8", "Oven 1"):
        one = await plant.worker_reports(station)
        done(await plant.accepts("Li Wei", one.anomaly))
    await stands(plant, "Sun Hao", quiet_from=time(9), quiet_until=time(12))
    plant.all_quiet()

    await plant.worker_reports("Press 7", line_stopped="yes")

    assert plant.ringing() == FIRST


async def test_in_quiet_hours_a_phone_rings_when_they_are_over_unless_somebody_has_it(plant):
    await stands(plant, "Li Wei", quiet_from=time(9), quiet_until=time(10, 30))
    taken = await plant.worker_reports("Press 7")
    await plant.worker_reports("Press 8", "quality")  # nobody else would be called for this one
    waiting = await plant.worker_reports("Oven 1")
    assert "Li Wei" not in plant.ringing()
    done(await plant.accepts("Sun Hao", taken.anomaly))

    await plant.waits(minutes=30)

    (rang,) = plant.phones["Li Wei"].rang()
    assert (await plant.card(waiting.anomaly)).station["en"] in rang["title"]


async def test_a_red_phone_is_left_out_while_a_green_one_covers(plant):
    def silent(session):
        day = MONDAY.date()
        factories.duty(session, "Li Wei", "early", day)
        test = {"person_id": id_of("person", "Li Wei"), "shift_id": id_of("shift", "early"), "day": day}
        began = MONDAY - timedelta(hours=4)
        factories.add(session, CheckIn(rung_at=began, silent_at=began + timedelta(minutes=5), **test))

    await plant.changes(silent)

    await plant.worker_reports("Press 7")

    assert plant.ringing() == {"Sun Hao", "Wang Lei"}


# --- routes ---


async def test_a_route_decides_who_the_duty_responder_is_and_the_card_says_why(plant):
    presses = Route(name="Presses", station=id_of("station", "Press 7"), call=(Audience(team="quality"),))
    await plant.changes(lambda session: publish_routing(session, [presses], now=MONDAY))

    report = await plant.worker_reports("Press 7")
    assert plant.ringing() == {"He Fang", "Wang Lei"}
    (call,) = await plant.changes(
        lambda session: session.exec(
            select(Delivery).where(Delivery.person_id == id_of("person", "He Fang"), Delivery.channel == "webpush")
        ).all()
    )
    assert call.why["route"] == {"name": "Presses", "for": ["station"]}
    assert "Presses" in (await plant.sees(f"/anomalies/{report.anomaly}/calls", by="Wang Lei")).text

    plant.all_quiet()
    await plant.worker_reports("Press 8")
    assert plant.ringing() == FIRST


@on_any_database
async def test_a_route_is_asked_when_a_rung_rings_not_when_it_was_opened(plant):
    plant.loops_run = False
    await plant.worker_reports("Press 7")
    elsewhere = Route(call=(Audience(team="quality"),))
    await plant.changes(lambda session: publish_routing(session, [elsewhere], now=MONDAY))

    plant.loops_run = True
    await plant.settles()

    assert plant.ringing() == {"He Fang", "Wang Lei"}


# --- the end of the ladder, and holds ---


async def test_when_nobody_at_all_was_there_whoever_comes_is_called_with_the_next_reminder(plant):
    def nobody(session):
        for name in factories.CAST:
            factories.duty(session, name, "late", MONDAY.date())
        factories.duty(session, "Li Wei", "early", MONDAY.date() - timedelta(days=7))

    await plant.changes(nobody)
    await plant.waits(hours=3, minutes=40)
    report = await plant.worker_reports("Press 7")  # twenty minutes before the late shift begins
    assert plant.ringing() == set()
    assert await plant.events(report.anomaly) == ["reported", *["nobody"] * 5]

    await plant.waits(minutes=44)
    assert plant.ringing() == set()
    await plant.waits(minutes=1)  # after a quarter of an hour still nobody; after half an hour more the late shift

    assert plant.ringing() == {"Zhao Min"}


async def test_reminders_of_a_hold_call_no_rung_of_the_clock_that_waits(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.arrives("Li Wei", report.anomaly))
    done(await plant.does("Li Wei", "hold", report.anomaly, reason="Parts", minutes="60"))
    plant.all_quiet()
    await plant.waits(hours=3)
    assert plant.rings() == {"Li Wei": 3}

    done(await plant.does("Li Wei", "hold/end", report.anomaly))
    plant.all_quiet()
    await plant.waits(hours=1, minutes=59)
    assert plant.rings() == {}
    await plant.waits(minutes=1)

    assert plant.ringing() == {"Li Wei", "Wang Lei", "Chen Jing"}
