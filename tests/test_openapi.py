"""Whatever the OpenAPI document allows, and much that it does not: no request makes the app fail."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.errors import SchemathesisError
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Occurrence
from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.dispatch.actions import strike_next
from app.dispatch.models import Delivery
from app.kit.clock import utcnow
from app.kit.db import connect
from app.kit.ids import new_id
from app.people import login
from app.people.models import Person
from app.people.routes import COOKIE
from tests import factories
from tests.databases import CommittingSession
from tests.factories import code_of, id_of
from tests.processes import Installation, Process

EXAMPLES = 6  # for each operation, kind of data and visitor
ENDLESS = "/stream"
LAST = "/logout"
TAKES_ANYTHING = {"/login", "/language", "/theme", "/me/password", "/b/{badge}", "/s/{code}"}  # nothing is not allowed


@pytest.fixture(scope="module")
def served(copies, tmp_path_factory) -> Iterator[tuple[Process, dict[str, str], str]]:
    """A web server of its own with a report in it; real ids for its paths; and the cookie of its administrator."""
    url = copies("sqlite").fresh(factories.plant)
    folder: Path = tmp_path_factory.mktemp("openapi")
    with CommittingSession(connect(url, writer=True)) as session:
        known, cookie = _furnish(session)
    with Process(Installation(url, folder, more={"PULLCORD_REPORTS_A_MINUTE": "100000"}), "web") as process:
        yield process.answers(), known, cookie
        assert not process.ended


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
@pytest.mark.parametrize("visitor", ["anonymous", "administrator"])
def test_no_request_makes_it_fail(served, mode, visitor):
    process, known, cookie = served
    headers = {"cookie": f"{COOKIE}={cookie}"} if visitor == "administrator" else {}
    schema = schemathesis.openapi.from_url(f"{process.installation.url}/schema/openapi.json")

    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        left_out = {ENDLESS} | ({LAST} if headers else set())
        left_out |= TAKES_ANYTHING if mode is GenerationMode.NEGATIVE else set()
        if operation.path not in left_out:
            asked += _asks(operation, mode, headers, known)

    assert asked > 100


def _asks(operation, mode, headers, known) -> int:
    """Send examples of one operation, about real things where they are known; return how many."""
    names = [parameter.name for parameter in operation.path_parameters]
    real = {"path_parameters": {name: known[name] for name in names}} if known.keys() >= set(names) else {}
    asked = 0

    @seed(7)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode, **real if mode is GenerationMode.POSITIVE else {}))
    def ask(case) -> None:
        nonlocal asked
        asked += 1
        answer = case.call(headers=headers, timeout=20, allow_redirects=False)
        assert answer.status_code < 500, f"{case.as_curl_command()}\n{answer.text[:500]}"

    with suppress(Unsatisfiable, SchemathesisError):  # there is nothing to get wrong here
        ask()
    return asked


def _furnish(session: Session) -> tuple[dict[str, str], str]:
    now = utcnow()
    seen = Observation(new_id(), Kind.REPORT, "phone", id_of("station", "Press 7"), "machine", now)
    receive(session, [seen], now=now)
    session.commit()
    strike_next(session, now=now, channels=["stream"])
    cookie = login.open_session(session, session.get_one(Person, id_of("person", "Gao Yan")), device="", now=now)
    session.commit()
    known = {
        "anomaly_id": session.exec(select(Anomaly.id)).one(),
        "key": session.exec(select(Occurrence.id)).one(),
        "delivery_id": session.exec(select(Delivery.id).order_by(col(Delivery.id))).first(),
        "code": code_of("Press 7"),
    }
    return {name: str(value) for name, value in known.items()}, cookie
