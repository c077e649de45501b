"""The demonstration plant: a past that could have happened, a present that rings nobody by itself, and its machines."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from app import demo
from app.anomaly.lifecycle import OPEN, TRANSITIONS, Action, Status
from app.anomaly.models import Anomaly, Clock, Event, Fingerprint, Occurrence
from app.capture.observation import Kind
from app.capture.sources import alarms, phone
from app.capture.sources.phone import PhoneReport
from app.demo import cast, machines
from app.dispatch import actions as dispatch
from app.dispatch import deliveries
from app.dispatch.models import Delivery, DeliveryState
from app.dispatch.queries import told
from app.kit.db import Database, finish
from app.kit.ids import new_id
from app.machines.demo import DEMO_TAGS, culprit
from app.machines.models import AlarmState, Source
from app.people.login import by_badge, by_pin
from app.people.models import Person, Team
from app.plant.models import Site, Station
from app.resolve.models import Resolution
from app.rosters import queries as rosters
from app.triage.queries import queue
from tests.databases import CommittingSession, Copies

NOW = datetime(2026, 11, 20, 3, 25, tzinfo=UTC)  # a Friday, before lunch in Shanghai
FACTS = select(Anomaly.number, Anomaly.category, Anomaly.received_at, Anomaly.status).order_by(col(Anomaly.number))
STEPS = frozenset(str(action) for action in Action)
ENDED = (Status.CLOSED, Status.CANCELLED)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def seeded(request: pytest.FixtureRequest, copies: Callable[[str], Copies]) -> Iterator[Database]:
    """One plant for all tests that only look at it."""
    kind = copies(request.param)
    url = kind.fresh()
    db = Database(url)
    with CommittingSession(db.engine, expire_on_commit=False) as session:
        demo.seed(session, now=NOW)
        session.commit()
    yield db
    db.close()
    kind.throw_away(url)


@pytest.fixture
def plant(seeded: Database) -> Iterator[Session]:
    """What a test does to it is taken back."""
    with Session(seeded.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


def test_a_plant_of_ones_own_is_never_touched(plant: Session) -> None:
    with pytest.raises(demo.NotEmpty):
        demo.seed(plant, now=NOW)

    plant.exec(select(Site)).one().names = {"en": "Our plant"}
    with pytest.raises(demo.NotEmpty):
        demo.is_here(plant)


def test_every_story_follows_the_lifecycle(plant: Session) -> None:
    events = _events(plant)
    for anomaly in plant.exec(select(Anomaly)):
        status, at = Status.REPORTED, anomaly.received_at
        for event in events[anomaly.id]:
            assert event.at >= at, f"#{anomaly.number}: {event.kind} before what came before it"
            at = event.at
            if event.kind in STEPS and not (event.kind == "hand_over" and not event.details.get("taken")):
                status = TRANSITIONS[status, Action(event.kind)]
        assert status == anomaly.status
        assert anomaly.in_queue is (status in OPEN)
        assert (anomaly.ended_at is not None) is (status in ENDED)


def test_every_signal_is_counted(plant: Session) -> None:
    kinds: dict[Any, Counter[str]] = {}
    for signal_ in plant.exec(select(Occurrence)):
        kinds.setdefault(signal_.anomaly_id, Counter())[signal_.kind] += 1
    for anomaly in plant.exec(select(Anomaly)):
        counted = kinds[anomaly.id]
        back = counted.pop(Kind.RETURN_TO_NORMAL, 0)
        assert anomaly.occurrences == counted.total()
        assert (anomaly.me_too, anomaly.alarms) == (counted[Kind.ME_TOO], counted[Kind.ALARM])
        assert anomaly.alarms_active == counted[Kind.ALARM] - back


def test_what_is_open_or_watched_has_its_fingerprint_and_what_ended_has_none(plant: Session) -> None:
    owned = {print_.anomaly_id for print_ in plant.exec(select(Fingerprint))}
    for anomaly in plant.exec(select(Anomaly)):
        assert (anomaly.id in owned) is (anomaly.status not in ENDED), anomaly.number
    active = plant.exec(select(func.count()).select_from(AlarmState).where(col(AlarmState.active))).one()
    assert active == sum(plant.exec(select(Anomaly.alarms_active)))


def test_what_is_watched_closes_by_itself_one_day(plant: Session) -> None:
    watched = plant.exec(select(Anomaly).where(Anomaly.status == Status.WATCHING)).all()

    assert all(a.clock == Clock.WATCH and a.next_clock_at and a.next_clock_at > NOW for a in watched)

    later = NOW + timedelta(days=15)
    _strike_until(plant, later)
    left = plant.exec(select(func.count()).select_from(Anomaly).where(Anomaly.status == Status.WATCHING)).one()
    assert len(watched) > 50
    assert left == 0


def test_nobody_is_rung_when_it_starts(plant: Session) -> None:
    assert not dispatch.due(plant, now=NOW)
    assert not deliveries.deliveries_due(plant, now=NOW)
    assert plant.exec(select(Delivery).where(Delivery.state != DeliveryState.SENT)).all() == []


def test_six_are_open_at_different_stages(plant: Session) -> None:
    shown = queue(plant, "all", _person(plant, "Zhao Min"), now=NOW).cards
    assert [card.status for card in shown if card.held] == [Status.ON_SITE]
    assert Counter(card.status for card in shown) == {
        Status.REPORTED: 2, Status.ACCEPTED: 1, Status.ON_SITE: 1, Status.CONTAINED: 1, Status.RESOLVED: 1,
    }  # fmt: skip
    assert all(timedelta() < NOW - card.received_at < timedelta(hours=2) for card in shown)
    for card in shown:
        reached = told(plant, [card.id])[card.id].reached
        assert reached.rang >= reached.displayed > 0


def test_wang_lei_has_something_to_verify(plant: Session) -> None:
    mine = queue(plant, "mine", _person(plant, "Wang Lei"), now=NOW).cards

    assert [card.station["en"] for card in mine if "verify" in card.can] == ["Press 7"]


def test_a_machine_and_a_person_are_one_anomaly_and_the_line_stands(plant: Session) -> None:
    both = plant.exec(select(Anomaly).where(Anomaly.in_queue, Anomaly.alarms > 0, Anomaly.occurrences > 1)).one()

    assert (both.severity, both.line_stopped, both.status) == (1, True, Status.CONTAINED)


def test_the_month_is_believable(plant: Session) -> None:
    past = plant.exec(select(Anomaly).where(~col(Anomaly.in_queue))).all()
    stations = {station.id: station.code for station in plant.exec(select(Station))}
    where = Counter(stations[anomaly.station_id] for anomaly in past)
    hours = Counter(anomaly.local_hour for anomaly in past)
    kinds = Counter(plant.exec(select(Event.kind)))
    waits = sorted((a.accepted_at - a.received_at).total_seconds() / 60 for a in past if a.accepted_at)

    assert 250 < len(past) < 500
    assert len(where) == 12
    assert where.most_common(1)[0][0] == demo.PRESS_7
    assert sum(hours[h] for h in range(7, 17)) > 2 * sum(hours[h] for h in (22, 23, *range(6)))
    assert NOW - timedelta(days=31) <= min(a.received_at for a in past) < NOW - timedelta(days=29)
    assert {"send_back", "hand_over", "hold", "contain", "recur", "me_too", "return_to_normal"} <= kinds.keys()
    assert {a.end_reason for a in past} == {"", "false", "recalled"}
    assert 2 < waits[len(waits) // 2] < 10
    assert any(a.previous_id for a in past)


def test_whoever_fixes_does_not_verify(plant: Session) -> None:
    told = plant.exec(select(Resolution).where(Resolution.verdict == "verified")).all()

    assert len(told) > 200
    assert [r for r in told if r.verdict_by_id == r.by_id] == []


def test_numbers_and_events_go_with_time(plant: Session) -> None:
    numbers = plant.exec(select(Anomaly.number).order_by(col(Anomaly.received_at))).all()
    past = plant.exec(select(Event.at).order_by(col(Event.seq))).all()

    assert list(numbers) == sorted(numbers)
    assert list(past) == sorted(past)


def test_somebody_of_every_team_is_there_at_every_hour(plant: Session) -> None:
    site = plant.exec(select(Site)).one()
    teams = set(plant.exec(select(Team.id)))
    quality = plant.exec(select(Team.id).where(Team.key == "quality")).one()
    for hours in range(-30 * 24, 14 * 24, 5):
        here = rosters.on_duty(plant, site.id, now=NOW + timedelta(hours=hours))
        assert {person.team_id for person in here} >= (teams if hours <= 2 * 24 else teams - {quality})
        assert {"Wang Lei", "Chen Jing"} <= {person.name for person in here}
        assert len(here) < len(cast.CAST)


def test_a_training_to_come_leaves_a_gap_that_the_roster_shows(plant: Session) -> None:
    site = plant.exec(select(Site)).one()
    week = rosters.week(plant, site.id, NOW.date(), now=NOW)

    gaps = {group.team.key: sum(map(len, group.gaps)) for group in week.groups if group.team}
    assert {key for key, missing in gaps.items() if missing} == {"quality"}


def test_the_roster_goes_on_when_it_is_started_again_later(plant: Session) -> None:
    site, later = plant.exec(select(Site)).one(), NOW + timedelta(days=40)
    demo.prolong(plant, now=later)

    for hours in range(0, 14 * 24, 7):
        names = {person.name for person in rosters.on_duty(plant, site.id, now=later + timedelta(hours=hours))}
        assert len(names & {"Zhang Qiang", "Sun Tao", "Zhou Bin", "Gao Feng"}) == 1


def test_everybody_logs_in_with_the_pin_or_the_badge(plant: Session) -> None:
    for part in demo.LEADING:
        by, fits = by_pin(plant, part.name, demo.PIN, now=NOW)
        assert by is not None
        assert fits
        assert by.role == part.role
        assert by_badge(plant, part.badge, now=NOW).name == part.name


@pytest.mark.parametrize("number", [None, *range(1, 13)])
def test_a_machine_that_misbehaves_opens_a_new_anomaly(plant: Session, number: int | None) -> None:
    tag = culprit(number)
    source = plant.exec(select(Source)).one()
    soon = NOW + timedelta(minutes=1)
    panel = machines.take_over(plant, source, now=soon)
    last = plant.exec(select(func.max(Anomaly.number))).one()
    if number in (1, 5):  # these are abnormal already: well again first
        _show(plant, panel, tag.path, tag.normal, soon)

    _show(plant, panel, tag.path, tag.abnormal, NOW + timedelta(minutes=15))

    new = plant.exec(select(Anomaly).where(Anomaly.number > last)).all()
    assert [a.status for a in new] == ([] if number in (1, 5) else [Status.REPORTED])


def test_a_thumb_on_a_tile_of_press_7_calls_at_once(plant: Session) -> None:
    report = PhoneReport(new_id(), demo.PRESS_7, "machine", NOW)
    received = phone.door(plant, [report])[0]
    finish(plant)
    dispatch.strike_next(plant, now=NOW, channels=["log"])

    assert received.opened  # type: ignore[union-attr]
    called = calls_of(plant, received.anomaly_id)  # type: ignore[union-attr]
    assert {"Chen Jing", "Wang Lei"} <= called


def test_a_code_or_a_number_names_the_machine(plant: Session) -> None:
    assert machines.suspect(plant, None)[0] == machines.suspect(plant, "7k3q")[0] == machines.suspect(plant, "3")[0]
    assert [machines.suspect(plant, str(tag.station))[1].position for tag in DEMO_TAGS] == [
        t.station for t in DEMO_TAGS
    ]
    with pytest.raises(machines.NoSuchMachine):
        machines.suspect(plant, "13")


def test_no_demonstration_no_machines(session: Session) -> None:
    assert machines.address(session) is None
    assert demo.is_here(session) is None


def test_the_same_chance_tells_the_same_past_on_every_database(plant: Session, copies: Callable[[str], Copies]) -> None:
    again = Database(copies("sqlite").fresh())
    with Session(again.engine, expire_on_commit=False) as session:
        demo.seed(session, now=NOW)
        told = session.exec(FACTS).all()
    again.close()

    assert told == plant.exec(FACTS).all()


def test_its_pictures_are_small() -> None:
    pictures = demo.photos()
    assert len(pictures) == 3
    assert sum(map(len, pictures)) < 60_000


@pytest.mark.slow
def test_it_starts_misbehaves_and_stops(tmp_path: Path) -> None:
    """The real commands: another port when one is taken, an alarm from a real server, Ctrl-C with pages open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = {**os.environ, "PULLCORD_DATA_DIR": str(tmp_path / "var"), "PULLCORD_PORT": str(port)}
        out, err = tmp_path / "out", tmp_path / "err"
        command = [sys.executable, "-m", "workers.cli"]
        with out.open("w") as o, err.open("w") as e:
            running = subprocess.Popen([*command, "demo"], env=env, stdout=o, stderr=e, cwd=_root())
        try:
            _until(lambda: "Ctrl-C" in out.read_text() or running.poll() is not None, within=90)
            found = re.search(r"http://127\.0\.0\.1:(\d+)/s/7K3Q", out.read_text())
            assert found, err.read_text()
            assert int(found[1]) != port
            pages = [_open(int(found[1]), "/stream") for _ in range(3)]
            assert _open(int(found[1]), "/s/7K3Q").read().count(b"7K3Q") > 1

            said = subprocess.run(
                [*command, "misbehave"], env=env, capture_output=True, text=True, cwd=_root(), timeout=60
            )
            assert "Press 7" in said.stdout, said.stderr
            database = tmp_path / "var" / "pullcord.db"
            _until(lambda: _count(database, "Spindle temperature too high") > 0, within=30)
        finally:
            running.send_signal(signal.SIGINT)
            asked = time.monotonic()
            code = running.wait(timeout=30)
    assert code == 0, err.read_text()
    assert time.monotonic() - asked < 8
    assert "Traceback" not in err.read_text()
    assert pages[0].read().endswith(b"\n\n")


def test_misbehaving_without_a_demonstration_is_a_sentence(tmp_path: Path) -> None:
    env = {**os.environ, "PULLCORD_DATA_DIR": str(tmp_path / "var")}
    command = [sys.executable, "-m", "workers.cli", "misbehave"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, cwd=_root(), timeout=60)

    assert said.returncode == 1
    assert "make run" in said.stderr
    assert "Traceback" not in said.stderr


def calls_of(session: Session, anomaly_id: Any) -> set[str]:
    which = select(Person.name).join(Delivery, col(Delivery.person_id) == col(Person.id))
    return set(session.exec(which.where(Delivery.anomaly_id == anomaly_id)))


def _events(session: Session) -> dict[Any, list[Event]]:
    found: dict[Any, list[Event]] = {}
    for event in session.exec(select(Event).order_by(col(Event.seq))):
        found.setdefault(event.anomaly_id, []).append(event)
    return found


def _person(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


def _show(session: Session, panel: machines.Panel, path: str, value: float, at: datetime) -> None:
    for edge, said_at in panel.show(path, value, at=at):
        alarms.record(session, panel.source_id, panel.holder, [edge], now=said_at)
        finish(session)


def _strike_until(session: Session, until: datetime) -> None:
    due = select(func.min(col(Anomaly.next_clock_at)))
    while (at := session.exec(due).one()) is not None and at <= until:
        dispatch.strike_next(session, now=at, channels=["log"])
        finish(session)


def _until(condition: Callable[[], bool], *, within: float) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _open(port: int, path: str) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    return connection.getresponse()


def _count(database: Path, message: str) -> int:
    with sqlite3.connect(database) as connection:
        question = "SELECT count(*) FROM anomaly WHERE in_queue AND message LIKE ?"
        return int(connection.execute(question, (f"%{message}%",)).fetchone()[0])


def _root() -> Path:
    return Path(__file__).parents[1]
