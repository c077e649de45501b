"""kill -9 of any process, between any two steps: nothing is lost, and nobody is rung twice."""

import random
import threading
from collections import Counter

import httpx
import pytest
from sqlmodel import col, select

from app.anomaly.models import Anomaly, Event, Occurrence
from app.dispatch.models import Delivery
from tests.factories import report_key
from tests.faults.conftest import CELLS, RUNGS, cell
from tests.processes import until

pytestmark = pytest.mark.slow
KILLS = 8


def test_whatever_is_killed_whenever(parts):
    """A reporter sends as phones do, again until the server says yes. Meanwhile one process after the other dies."""
    running = [parts.process("web"), parts.process("work", "dispatch"), parts.process("work", "deliver")]
    chance = random.Random(20261123)
    said_yes: list[str] = []
    sending = threading.Thread(target=_sends, args=(parts.installation.url, said_yes), daemon=True)
    for process in running:
        process.start()
    try:
        running[0].answers()
        sending.start()
        for _ in range(KILLS):
            victim = chance.choice(running)
            sending.join(chance.uniform(0, 0.7))
            victim.kill()
            victim.start()
        sending.join(120)
        until(lambda: parts.ask(_is_quiet), lambda: "\n".join(process.log() for process in running))
    finally:
        for process in running:
            process.kill()

    reports, anomalies, events, deliveries = parts.ask(_everything)
    assert len(said_yes) == CELLS
    assert sorted(reports) == sorted(said_yes)
    assert Counter(reports.values()) == dict.fromkeys(anomalies, 1)
    called = [(event.anomaly_id, event.details["rung"]) for event in events if event.kind == "called"]
    assert Counter(called) == {(anomaly, rung): 1 for anomaly in anomalies for rung in range(RUNGS)}
    pushed = {str(d.id) for d in deliveries if d.channel == "webpush"}
    assert {d.state for d in deliveries} == {"sent"}
    assert len(pushed) == CELLS * 4
    assert Counter(delivery for _, delivery in parts.heard()) == dict.fromkeys(pushed, 1)


def test_after_the_push_service_took_it_and_before_we_wrote_it_down(parts):
    """The worst moment: the phone has it, we do not know. It comes once more, and lies in the tray already."""
    parts.push.late = True
    with parts.process("web") as web, parts.process("work", "dispatch"):
        deliver = parts.process("work", "deliver").start()
        web.answers()
        _report(parts.installation.url, 0)
        until(lambda: len(parts.push.letters) >= 2, deliver.log)
        deliver.kill()
        parts.push.late = False
        with parts.process("work", "deliver") as again:
            until(lambda: parts.ask(_is_quiet), again.log)

    tags = Counter(letter["tag"] for phone in parts.phones.values() for letter in phone.rang())
    assert sum(tags.values()) > 4
    assert len(parts.heard()) == 4
    assert [len(phone.shown()) for phone in parts.phones.values()] == [1, 1, 1, 1]


def test_a_yes_of_the_web_server_is_on_disk(parts):
    for n in range(2):
        with parts.process("web") as web:
            web.answers()
            key = _report(parts.installation.url, n)
            web.kill()

        assert key in parts.ask(_everything)[0]


def test_told_to_stop_every_process_stops_by_itself(parts):
    commands = (("web",), ("work", "dispatch", "deliver"), ("work", "machines", "tidy"))
    processes = [parts.process(*command).start() for command in commands]
    processes[0].answers()
    _report(parts.installation.url, 0)
    until(lambda: parts.ask(_is_quiet))

    assert [process.stop() for process in processes] == [0, 0, 0]


def _sends(url: str, said_yes: list[str]) -> None:
    said_yes.extend(_report(url, n) for n in range(CELLS))


def _report(url: str, n: int) -> str:
    """Send one report until the server says yes, always under the same name."""
    key = report_key()
    form, headers = {"key": key, "category": "machine"}, {"accept": "application/json"}

    def sent() -> bool:
        try:
            return httpx.post(f"{url}/s/{cell(n)}/reports", data=form, headers=headers, timeout=5).is_success
        except httpx.TransportError:
            return False

    until(sent)
    return key


def _is_quiet(session) -> bool:
    """Whether everybody on the ladder has been called, and nothing waits to be sent."""
    below = session.exec(select(Anomaly.id).where(col(Anomaly.rung) < RUNGS).limit(1)).first()
    planned = session.exec(select(Delivery.id).where(Delivery.state == "planned").limit(1)).first()
    return below is None and planned is None and session.exec(select(Delivery.id).limit(1)).first() is not None


def _everything(session):
    reports = {str(key): anomaly for key, anomaly in session.exec(select(Occurrence.id, Occurrence.anomaly_id)).all()}
    rows = [session.exec(select(table)).all() for table in (Event, Delivery)]
    return reports, session.exec(select(Anomaly.id)).all(), *rows
