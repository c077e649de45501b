"""Many at the same moment, also in several processes: one event is one anomaly, one anomaly has one owner."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
from sqlmodel import Session, func, select

from app.anomaly.lifecycle import NotAllowedNow
from app.anomaly.models import Anomaly, Event, Fingerprint, Occurrence
from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.dispatch.deliveries import claim_next
from app.dispatch.models import CALL, Delivery
from app.kit.db import Database
from app.kit.ids import new_id
from app.people.models import Person
from app.resolve import actions
from tests import factories
from tests.anomaly.made import anomaly
from tests.factories import CAST, MONDAY, id_of

CALLS = 300


@pytest.fixture
async def processes(database_url, db) -> AsyncIterator[list[Database]]:
    """Five who write to the same plant, as five processes would."""
    await db.write(factories.plant)
    others = [Database(database_url) for _ in range(4)]
    yield [db, *others]
    for other in others:
        other.close()


def edge(kind: Kind = Kind.ALARM, what: str = "hot") -> Observation:
    station = id_of("station", "Press 7")
    return Observation(new_id(), kind, "opcua", station, "machine", MONDAY, what=what, message="too hot")


async def takes_in(db: Database, seen: Observation) -> None:
    def door(session: Session, items: Sequence[Observation]) -> Sequence[object]:
        return receive(session, items, now=MONDAY)

    await db.write_one_of_many(door, seen)


async def test_fifty_alarms_of_one_fingerprint_are_one_anomaly(processes):
    await asyncio.gather(*(takes_in(processes[n % 5], edge()) for n in range(50)))

    found = await processes[0].read(lambda s: s.exec(select(Anomaly)).all())
    assert [(a.occurrences, a.alarms, a.alarms_active) for a in found] == [(50, 50, 50)]
    assert await counted(processes[0], Occurrence, Event, Fingerprint) == [50, 50, 1]


async def test_fifty_reports_and_fifty_alarms_of_one_event_are_one_anomaly(processes):
    first = edge()
    await takes_in(processes[0], first)
    signals = [edge() if n % 2 else edge(Kind.REPORT, "") for n in range(100)]

    await asyncio.gather(*(takes_in(processes[n % 5], seen) for n, seen in enumerate(signals)))

    (found,) = await processes[0].read(lambda s: s.exec(select(Anomaly)).all())
    assert (found.occurrences, found.alarms) == (101, 51)


async def test_the_same_signal_from_five_processes_counts_once(processes):
    same = [edge() for _ in range(10)]

    await asyncio.gather(*(takes_in(db, seen) for seen in same for db in processes))

    assert await counted(processes[0], Anomaly, Occurrence, Event) == [1, 10, 10]


async def test_alarms_rise_and_clear_in_any_order_and_the_count_is_right(processes):
    rise, clear = [edge() for _ in range(30)], [edge(Kind.RETURN_TO_NORMAL) for _ in range(30)]
    await takes_in(processes[0], edge())

    await asyncio.gather(*(takes_in(processes[n % 5], seen) for n, seen in enumerate([*rise, *clear])))

    (found,) = await processes[0].read(lambda s: s.exec(select(Anomaly)).all())
    assert (found.occurrences, found.alarms_active) == (31, 1)


async def test_of_a_hundred_who_accept_in_five_processes_one_is_the_owner(processes):
    row = await processes[0].write(lambda session: anomaly(session).id)
    may = [name for name, (role, team, _) in CAST.items() if team == "maintenance" or role.rank > 0]

    def accepts(session: Session, name: str) -> str:
        actions.accept(session, row, by=session.get_one(Person, id_of("person", name)), now=MONDAY)
        return name

    thumbs = [processes[n % 5].write(accepts, may[n % len(may)]) for n in range(100)]
    answers = await asyncio.gather(*thumbs, return_exceptions=True)

    winners = [answer for answer in answers if isinstance(answer, str)]
    owner = await processes[0].read(lambda s: s.get_one(Person, s.get_one(Anomaly, row).owner_id).name)
    assert winners == [owner]
    assert all(isinstance(answer, NotAllowedNow) for answer in answers if answer not in winners)
    assert {answer.details["owner"] for answer in answers if answer not in winners} == {owner}


async def test_of_many_calls_that_five_processes_send_none_is_claimed_twice(processes):
    """Also where one looks at what is due while another one's claim is just being committed."""

    def many(session: Session) -> None:
        about = anomaly(session)
        row = {
            "anomaly_id": about.id,
            "person_id": id_of("person", "Li Wei"),
            "channel": "webpush",
            "round": about.round,
        }
        when = {"planned_at": MONDAY, "due_at": MONDAY}
        session.add_all(Delivery(once=f"{n}:1:accepted", purpose=CALL, why={}, **row, **when) for n in range(CALLS))

    async def works(db: Database) -> list[UUID]:
        found: list[UUID] = []
        while claims := await db.write(claim_next, now=MONDAY, limit=3):
            found += [claim.delivery_id for claim in claims]
        return found

    await processes[0].write(many)
    claimed = [one for found in await asyncio.gather(*map(works, processes)) for one in found]

    assert len(claimed) == len(set(claimed)) == CALLS


async def counted(db: Database, *tables: type) -> list[int]:
    return [await db.read(lambda s, t=t: s.exec(select(func.count()).select_from(t)).one()) for t in tables]
