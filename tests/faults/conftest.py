"""A plant whose parts are processes, with phones and a ladder that climbs within seconds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from app.channels.hosts import PushHosts
from app.channels.subscription import check_subscription
from app.channels.vapid import KEY_FILE, load_or_make_vapid
from app.flows import starter
from app.flows.actions import publish
from app.flows.document import Ladder, Rung
from app.flows.ladders import DUTY, ENGINEERS, LINE_LEAD
from app.kit.db import connect
from app.people import addresses
from app.people.models import Person
from app.settings import Settings
from tests import factories
from tests.databases import CommittingSession, Copies
from tests.factories import MONDAY, id_of
from tests.processes import Installation, Process
from tests.push.phone import Phone
from tests.push.service import PushService

CELLS = 40
RUNGS = 3
CALLED = ("Li Wei", "Sun Hao", "Wang Lei", "Chen Jing")


def brisk(session: Session) -> None:
    """The plant of the tests, with many stations, and rungs a second apart."""
    factories.plant(session)
    for n in range(CELLS):
        factories.station(session, f"Cell {n}", code=cell(n), line="Line 3")
    calls = (DUTY, LINE_LEAD, ENGINEERS)
    rungs = tuple(Rung(clock="accepted", after=n, call=(audience,)) for n, audience in enumerate(calls))
    machine = next(document for document in starter.documents() if document.category == "machine")
    publish(session, machine.model_copy(update={"ladders": {4: Ladder(rungs=rungs)}}), now=MONDAY)


def cell(n: int) -> str:
    return f"C{n:03}"


@dataclass
class Parts:
    """An installation of its own, and what is needed to look into it."""

    installation: Installation
    phones: dict[str, Phone]
    push: PushService

    def process(self, *arguments: str, **more: Any) -> Process:
        return Process(self.installation, *arguments, module="tests.faults.worker", **more)

    def ask(self, question: Callable[[Session], Any]) -> Any:
        """Look into the database, beside the running processes."""
        engine = connect(self.installation.database_url, writer=False)
        with Session(engine) as session:
            answer = question(session)
        engine.dispose()
        return answer

    def heard(self) -> list[tuple[str, str]]:
        """Whose phone rang aloud, and for which delivery. One that is sent again lies in the tray already."""
        return [
            (name, delivery)
            for name, phone in self.phones.items()
            for delivery in dict.fromkeys(letter["data"]["delivery"] for letter in phone.rang())
        ]


@pytest.fixture
def push() -> Iterator[PushService]:
    with PushService(tls=False) as service:
        yield service


@pytest.fixture(params=["sqlite", "postgresql"])
def parts(
    request: pytest.FixtureRequest, copies: Callable[[str], Copies], tmp_path: Path, push: PushService
) -> Iterator[Parts]:
    kind = copies(request.param)
    url = kind.fresh(brisk)
    installation = Installation(url, tmp_path, [push.place], more={"PULLCORD_REPORTS_A_MINUTE": "100000"})
    yield Parts(installation, _phones(installation, push), push)
    kind.throw_away(url)


def _phones(installation: Installation, push: PushService) -> dict[str, Phone]:
    contact = Settings(_env_file=None).push_contact
    vapid = load_or_make_vapid(installation.folder / KEY_FILE, contact=contact)
    phones = {name: Phone(push) for name in CALLED}
    engine = connect(installation.database_url, writer=True)
    with CommittingSession(engine) as session:
        for name, phone in phones.items():
            target = check_subscription(phone.subscribe(vapid.public_key), PushHosts([push.place]))
            person = session.get_one(Person, id_of("person", name))
            where = {"unique": str(target["endpoint"]), "label": "phone"}
            addresses.keep_address(session, person, "webpush", target, now=MONDAY, **where)
        session.commit()
    engine.dispose()
    return phones
