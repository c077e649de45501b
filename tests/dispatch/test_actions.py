"""A batch of strikes: the worst first, each once, and one that cannot be dealt with stops nobody else's."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly, Event
from app.dispatch import actions
from app.dispatch.models import Delivery
from app.flows.models import FlowVersion
from app.kit.db import Database, finish
from app.kit.ids import new_id
from tests import factories
from tests.anomaly.made import anomaly
from tests.factories import MONDAY

CHANNELS = ("stream", "log")
LATER = MONDAY + timedelta(minutes=1)


@pytest.fixture
def plant(session):
    factories.plant(session)
    session.commit()
    return session


def struck(session: Session, *, now=MONDAY) -> int:
    many = actions.strike_next(session, now=now, channels=CHANNELS)
    finish(session)
    session.commit()
    return many


def test_the_worst_comes_first_and_then_who_waits_longest(plant, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 1)
    due = [(4, -9), (2, -1), (2, -5), (1, 0), (3, -7)]
    made = [anomaly(plant, severity=s, next_clock_at=MONDAY + timedelta(minutes=m)) for s, m in due]
    plant.commit()

    while struck(plant):
        pass

    called = plant.exec(select(Event.anomaly_id).order_by(col(Event.seq))).all()
    assert [made.index(next(one for one in made if one.id == id_)) for id_ in called] == [3, 2, 1, 4, 0]


def test_one_that_cannot_be_dealt_with_waits_aside(plant):
    good, bad = anomaly(plant), anomaly(plant, station="Oven 1")
    broken = FlowVersion(flow_id=new_id(), number=1, document={"no": "flow"}, published_at=MONDAY)
    flow_id = plant.exec(select(FlowVersion.flow_id)).first()
    broken.flow_id, broken.number = flow_id, 99
    factories.add(plant, broken)
    plant.execute(update(Anomaly).where(Anomaly.id == bad.id).values(flow_version_id=broken.id, rung=1))
    plant.commit()

    assert struck(plant) == 2

    plant.refresh(bad)
    assert (bad.next_clock_at, bad.rung) == (MONDAY + actions.SET_ASIDE, 1)
    assert {event.anomaly_id for event in plant.exec(select(Event))} == {good.id}
    assert {one.anomaly_id for one in plant.exec(select(Delivery))} == {good.id}


def test_what_was_planned_before_it_failed_is_not_kept(plant, monkeypatch):
    good, bad = anomaly(plant), anomaly(plant, station="Oven 1")
    plant.commit()
    ring = actions._Desk._ring_outlets

    def fails(self, which, *args):
        if which.id == bad.id:
            raise RuntimeError("no lamp")
        ring(self, which, *args)

    monkeypatch.setattr(actions._Desk, "_ring_outlets", fails)

    struck(plant)

    assert {one.anomaly_id for one in plant.exec(select(Delivery))} == {good.id}


async def test_several_workers_on_one_database_call_each_rung_once(database_url, db):
    def many(session: Session) -> None:
        factories.plant(session)
        for n in range(60):
            anomaly(session, severity=n % 4 + 1)

    await db.write(many)
    workers = [db, *(Database(database_url) for _ in range(3))]

    for now in (MONDAY, MONDAY + timedelta(hours=2)):
        await asyncio.gather(*(w.write(actions.strike_next, now=now, channels=CHANNELS) for w in workers * 3))

    told = await db.read(lambda session: session.exec(select(Event.once)).all())
    planned = await db.read(lambda session: session.exec(select(Delivery.once)).all())
    for worker in workers[1:]:
        worker.close()
    assert len(told) == len(set(told)) > 60 * 3
    assert len(planned) == len(set(planned)) > 0


def test_a_strike_and_an_answer_in_one_transaction_see_each_other(plant):
    row = anomaly(plant, severity=1)
    plant.commit()

    actions.strike_next(plant, now=MONDAY, channels=CHANNELS)

    assert (row.rung, row.next_clock_at) == (1, MONDAY + timedelta(seconds=30))
    assert actions.strike_next(plant, now=MONDAY, channels=CHANNELS) == 0
