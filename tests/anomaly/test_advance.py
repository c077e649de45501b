"""The only writer of a status: status and event together, one winner, and events numbered in the order of commits."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from app.anomaly import actions
from app.anomaly.actions import NOBODY, Actor, advance, record
from app.anomaly.lifecycle import OPEN, TRANSITIONS, Action, NotAllowedNow, Status
from app.anomaly.models import Anomaly, Event, Fingerprint
from app.kit.db import Database
from tests import factories
from tests.anomaly.made import anomaly
from tests.factories import MONDAY, id_of

LATER = MONDAY + timedelta(minutes=7)


@pytest.fixture
def plant(session):
    factories.plant(session)
    session.commit()
    return session


def test_each_step_writes_status_clock_and_event_or_nothing_at_all(plant):
    row = anomaly(plant)
    for status in Status:
        for action in Action:
            plant.execute(update(Anomaly).values(status=status, next_clock_at=None, owner_id=None))
            plant.refresh(row)
            events = len(plant.exec(select(Event)).all())
            if after := TRANSITIONS.get((status, action)):
                advance(plant, row, action, by=NOBODY, now=LATER)
                plant.commit()
                assert (row.status, row.in_queue) == (after, after in OPEN)
                assert row.next_clock_at == (None if after in (Status.CLOSED, Status.CANCELLED) else LATER)
            else:
                with pytest.raises(NotAllowedNow):
                    advance(plant, row, action, by=NOBODY, now=LATER)
                plant.commit()
                assert (row.status, row.next_clock_at) == (status, None)
            assert len(plant.exec(select(Event)).all()) == events + (after is not None)


def test_who_knows_an_older_state_loses_and_reads_who_has_it(plant):
    row = anomaly(plant)
    plant.commit()
    seen_before = plant.get_one(Anomaly, row.id)
    plant.expunge(seen_before)
    winner = Actor(id_of("person", "Wang Lei"), "Wang Lei")
    mine = plant.get_one(Anomaly, seen_before.id)
    advance(plant, mine, Action.ACCEPT, by=winner, now=LATER, changes={"owner_id": winner.person_id})
    plant.commit()
    plant.expunge_all()

    late = plant.merge(seen_before, load=False)
    with pytest.raises(NotAllowedNow) as refusal:
        advance(plant, late, Action.ACCEPT, by=NOBODY, now=LATER)

    assert refusal.value.details["owner"] == "Wang Lei"


def test_the_time_of_the_first_arrival_is_kept(plant):
    row = anomaly(plant)
    for action, minutes in ((Action.ACCEPT, 1), (Action.RELEASE, 2), (Action.ACCEPT, 3)):
        advance(plant, row, action, by=NOBODY, now=MONDAY + timedelta(minutes=minutes))

    assert row.accepted_at == MONDAY + timedelta(minutes=1)


def test_each_start_of_a_clock_makes_older_calls_void(plant):
    row = anomaly(plant)
    rounds = [row.round]
    for action in (Action.ACCEPT, Action.HAND_OVER, Action.RELEASE):
        advance(plant, row, action, by=NOBODY, now=LATER)
        rounds.append(row.round)
    actions.ring_again(plant, row, now=LATER)

    assert [*rounds, row.round] == [rounds[0] + n for n in range(5)]


@pytest.mark.parametrize(("to", "rings"), [(1, True), (3, False), (2, False)])
def test_only_upwards_rings_again(plant, to, rings):
    row = anomaly(plant, severity=2)
    before = row.round

    actions.regrade(plant, row, to, by=NOBODY, now=LATER)

    assert (row.severity, row.round > before) == (to, rings)


def test_worse_does_not_ring_again_when_somebody_is_on_the_way(plant):
    row = anomaly(plant, severity=2)
    advance(plant, row, Action.ACCEPT, by=NOBODY, now=LATER)
    before = row.round

    actions.regrade(plant, row, 1, by=NOBODY, now=LATER)

    assert row.round == before


@pytest.mark.parametrize(("action", "kept"), [(Action.CLOSE, ["press:hot"]), (Action.CANCEL, [])])
def test_what_was_closed_is_remembered_and_what_was_called_off_is_not(plant, action, kept):
    row = anomaly(plant)
    plant.add(Fingerprint(key="press:hot", anomaly_id=row.id))
    plant.flush()
    plant.execute(update(Anomaly).values(status=Status.WATCHING if action == Action.CLOSE else Status.REPORTED))
    plant.refresh(row)

    advance(plant, row, action, by=NOBODY, now=LATER)

    assert [fingerprint.key for fingerprint in plant.exec(select(Fingerprint))] == kept


async def test_events_are_numbered_in_the_order_of_commits_from_several_processes(database_url, db):
    def seeded(session: Session):
        factories.plant(session)
        return anomaly(session).id

    row = await db.write(seeded)
    others = [Database(database_url) for _ in range(3)]

    def writes(session: Session, n: int) -> None:
        record(session, row, f"note {n}", now=MONDAY)

    seen: list[int] = []

    async def follows() -> None:
        for _ in range(200):
            new = await db.read(lambda s: s.exec(select(Event.seq).where(col(Event.seq) > (seen or [0])[-1])).all())
            seen.extend(sorted(new))
            await asyncio.sleep(0)

    follower = asyncio.create_task(follows())
    await asyncio.gather(*(d.write(writes, n) for n in range(15) for d in [db, *others]))
    await follower
    everything = await db.read(lambda s: sorted(s.exec(select(Event.seq)).all()))
    for other in others:
        other.close()

    assert len(everything) == 60
    assert seen == everything[: len(seen)]  # nothing appears behind a number that was already seen
