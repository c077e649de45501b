"""Bells, when many ring them at once; and that looking for them costs next to nothing."""

import asyncio
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from app.dispatch import bells
from app.dispatch.models import Delivery
from app.kit.clock import utcnow
from app.kit.db import Database
from app.people.models import Address, Person
from app.rosters import checkin
from app.rosters.models import CheckIn, Shift
from tests import factories
from tests.factories import MONDAY, id_of
from workers import dispatch

CHANNELS = ("webpush", "sms", "stream", "log")
TWO = MONDAY + timedelta(hours=4)  # two in the afternoon there
DAY = date(2026, 11, 23)
STAFF = [f"Responder {n}" for n in range(40)]


@pytest.fixture
def staffed(db: Database) -> Database:
    with Session(db.engine) as session:
        factories.plant(session)
        for name in STAFF:
            factories.person(session, name)
            factories.duty(session, name, "late", DAY)
            phone(session, name)
        session.commit()
    return db


async def test_several_workers_and_thumbs_at_once_make_one_ring_each(staffed: Database, database_url: str) -> None:
    others = [Database(database_url) for _ in range(3)]
    early = STAFF[:10]

    async def taps(name: str) -> None:
        def here(session: Session) -> None:
            checkin.check_in(session, session.get_one(Person, id_of("person", name)), now=TWO)

        await staffed.write(here)

    rung = [db.write(bells.ring_bells, now=TWO, channels=CHANNELS) for db in (*others, staffed) for _ in range(2)]
    await asyncio.gather(*rung, *(taps(name) for name in early))
    for db in others:
        db.close()

    with Session(staffed.engine) as session:
        assert len(session.exec(select(CheckIn)).all()) == len(STAFF)
        rings = session.exec(select(Delivery.person_id)).all()
        answered = session.exec(select(CheckIn.person_id).where(CheckIn.answered_at == TWO)).all()
    assert len(rings) == len(set(rings)) >= len(STAFF) - len(early)
    assert set(answered) == {id_of("person", name) for name in early}


async def test_two_workers_give_up_the_same_phone_once(staffed: Database, database_url: str) -> None:
    other = Database(database_url)
    await staffed.write(deputies)
    await staffed.write(bells.ring_bells, now=TWO, channels=CHANNELS)
    await staffed.write(sent, now=TWO)
    later = TWO + bells.PATIENCE

    found = await asyncio.gather(
        *(db.write(bells.give_up_silent, now=later, channels=CHANNELS) for db in (staffed, other) for _ in range(2))
    )
    other.close()

    assert sum(found) == len(STAFF)
    with Session(staffed.engine) as session:
        told = session.exec(select(Delivery).where(Delivery.purpose == "news")).all()
    assert len(told) == len(STAFF)


def test_somebody_is_rung_over_the_channel_they_hear_first(session: Session) -> None:
    factories.plant(session)
    for name, ways in (("Li Wei", ["sms"]), ("Sun Hao", [])):
        factories.duty(session, name, "late", DAY)
        for channel in ("webpush", "sms"):
            phone(session, name, channel)
        person = session.get_one(Person, id_of("person", name))
        person.ways = ways
        session.add(person)
    session.flush()

    assert bells.ring_bells(session, now=TWO, channels=CHANNELS) == 2

    rings = {(one.person_id, one.channel) for one in session.exec(select(Delivery))}
    assert rings == {(id_of("person", "Li Wei"), "sms"), (id_of("person", "Sun Hao"), "webpush")}


@pytest.mark.parametrize(
    ("minutes", "due"), [(-1, False), (0, True), (29, True), (30, False), (60 * 24, False), (-60 * 24, False)]
)
def test_a_bell_is_due_for_half_an_hour_from_the_start(session: Session, minutes: int, due: bool) -> None:
    factories.plant(session)
    factories.duty(session, "Li Wei", "late", DAY)
    phone(session, "Li Wei")

    assert bells.bells_due(session, now=TWO + timedelta(minutes=minutes), channels=CHANNELS) is due


def test_an_inbox_is_no_phone(session: Session) -> None:
    factories.plant(session)
    factories.duty(session, "Li Wei", "late", DAY)
    phone(session, "Li Wei", "email")

    assert not bells.bells_due(session, now=TWO, channels=(*CHANNELS, "email"))


async def test_the_loop_rings_whoever_has_just_begun_and_stops_when_told(db: Database) -> None:
    now = utcnow()
    begun = now.astimezone(ZoneInfo(factories.ZONE)) - timedelta(minutes=1)

    def furnish(session: Session) -> None:
        factories.plant(session)
        hours = {"starts": begun.time().replace(microsecond=0), "ends": (begun + timedelta(hours=8)).time()}
        site = id_of("site", "Suzhou")
        factories.add(session, Shift(id=id_of("shift", "now"), site_id=site, names={"en": "now"}, **hours))
        factories.duty(session, "Li Wei", "now", begun.date())
        phone(session, "Li Wei")

    await db.write(furnish)
    stop = asyncio.Event()
    loop = asyncio.create_task(dispatch.main(db, CHANNELS, stop=stop))
    async with asyncio.timeout(20):
        while not (rung := await db.read(lambda session: session.exec(select(Delivery)).all())):
            await db.pulse.after(db.pulse.beats, rest=0.1)
    stop.set()
    await loop

    assert [(one.purpose, one.person_id) for one in rung] == [("bell", id_of("person", "Li Wei"))]


def phone(session: Session, name: str, channel: str = "webpush") -> None:
    factories.add(
        session,
        Address(
            person_id=id_of("person", name),
            channel=channel,
            fingerprint=f"{channel}:{name}",
            target={},
            created_at=MONDAY,
            seen_at=MONDAY,
        ),
    )


def deputies(session: Session) -> None:
    phone(session, "Wang Lei")
    for name in STAFF:
        person = session.get_one(Person, id_of("person", name))
        person.deputy_id = id_of("person", "Wang Lei")
        session.add(person)


def sent(session: Session, *, now) -> None:
    for delivery in session.exec(select(Delivery)):
        delivery.state, delivery.sent_at, delivery.attempts = "sent", now, 1
        session.add(delivery)
