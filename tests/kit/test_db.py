"""The writer: many jobs share a commit, one bad job harms no other, and an answer means that it is on disk."""

import asyncio
from contextlib import suppress

from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from app.kit.db import Database, at_commit, dumps
from app.kit.ids import new_id
from app.plant.models import Site
from tests.factories import MONDAY


def site(name: str) -> Site:
    return Site(names={"en": name}, timezone="UTC")


def adds(session: Session, name: str) -> str:
    session.add(site(name))
    return name


def names(session: Session) -> list[str]:
    return sorted(row.names["en"] for row in session.exec(select(Site)).all())


class Mistake(Exception):
    pass


async def test_what_was_answered_is_there_for_everybody(db, database_url):
    await db.write(adds, "Suzhou")

    other = Database(database_url)
    assert await other.read(names) == ["Suzhou"]
    other.close()


async def test_of_many_jobs_at_once_each_gets_its_own_answer(db):
    answers = await asyncio.gather(*(db.write(adds, f"{n:03}") for n in range(100)))

    assert answers == [f"{n:03}" for n in range(100)]
    assert await db.read(names) == answers


async def test_many_jobs_share_a_commit(db):
    before = db.pulse.beats

    await asyncio.gather(*(db.write(adds, f"{n}") for n in range(100)))

    assert db.pulse.beats - before < 50


async def test_one_bad_job_harms_no_other_and_leaves_nothing_behind(db):
    def fails(session: Session) -> None:
        session.add(site("half"))
        session.flush()
        raise Mistake("on purpose")

    jobs = [db.write(adds, "a"), db.write(fails), db.write(adds, "b")]
    first, bad, second = await asyncio.gather(*jobs, return_exceptions=True)

    assert (first, second) == ("a", "b")
    assert isinstance(bad, Mistake)
    assert await db.read(names) == ["a", "b"]


async def test_a_door_gets_all_that_wait_together_and_answers_each(db):
    seen: list[int] = []

    def door(session: Session, items: list[str]) -> list[str]:
        seen.append(len(items))
        return [adds(session, item).upper() for item in items]

    answers = await asyncio.gather(*(db.write_one_of_many(door, f"n{n}") for n in range(50)))

    assert answers == [f"N{n}" for n in range(50)]
    assert sum(seen) == 50
    assert len(seen) < 50


async def test_what_a_reader_changes_is_not_kept(db):
    with suppress(OperationalError):  # SQLite says so at once
        await db.read(adds, "never")

    assert await db.read(names) == []


async def test_the_last_thing_of_a_transaction_runs_once_for_all_that_was_handed_in(db):
    calls: list[list[str]] = []

    def last(session: Session, rows: list[str]) -> None:
        calls.append(list(rows))
        session.add(site("+".join(rows)))

    def job(session: Session, name: str) -> None:
        at_commit(session, last, name)

    def both(session: Session) -> None:
        job(session, "a")
        job(session, "b")

    await db.write(both)

    assert calls == [["a", "b"]]
    assert await db.read(names) == ["a+b"]


async def test_a_job_that_lost_a_race_against_another_process_sees_what_is_true_now(db, database_url):
    other, key = Database(database_url), new_id()

    def unless_there(session: Session, name: str) -> str:
        if found := session.get(Site, key):
            return found.names["en"]
        session.add(Site(id=key, names={"en": name}, timezone="UTC"))
        session.flush()
        return name

    answers = await asyncio.gather(*(d.write(unless_there, n) for n, d in [("mine", db), ("theirs", other)] * 5))

    assert len(set(answers)) == 1
    assert await db.read(names) == [answers[0]]
    other.close()


async def test_closing_finishes_what_was_begun(database_url):
    database = Database(database_url)
    jobs = [asyncio.ensure_future(database.write(adds, f"{n}")) for n in range(20)]
    await asyncio.sleep(0)

    await asyncio.to_thread(database.close)

    assert len(await asyncio.gather(*jobs)) == 20


def test_json_in_columns_knows_ids_and_times():
    assert dumps({"id": new_id(), "at": MONDAY, "name": "7 号"}).count('"') == 12
