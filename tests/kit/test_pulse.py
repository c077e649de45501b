"""Who waits is woken when anybody commits, in this process or in another; and looks anyway after a while."""

import asyncio
import time

import pytest

from app.kit import pulse
from app.kit.db import Database
from tests.kit.test_db import adds


async def test_a_commit_wakes_whoever_waits(db):
    beats = db.pulse.beats
    waiting = asyncio.create_task(db.pulse.after(beats, rest=30))
    await asyncio.sleep(0)

    await db.write(adds, "Suzhou")

    async with asyncio.timeout(5):
        await waiting


async def test_what_was_committed_between_looking_and_waiting_is_not_missed(db):
    beats = db.pulse.beats
    await db.write(adds, "Suzhou")

    async with asyncio.timeout(5):
        await db.pulse.after(beats, rest=30)


@pytest.mark.parametrize("away", [0, 2])
async def test_a_commit_of_another_process_is_felt(db, database_url, monkeypatch, away):
    """Also when the database could not be reached at first."""
    monkeypatch.setattr(pulse, "RETRY_AFTER", 0.0)
    name = "_listen_postgresql" if db.dialect == "postgresql" else "_watch_sqlite"
    listen, faults = getattr(db.pulse, name), [OSError("gone")] * away

    async def at_last(*given):
        if faults:
            raise faults.pop()
        await listen(*given)

    monkeypatch.setattr(db.pulse, name, at_last)
    other = Database(database_url)
    listening = asyncio.create_task(db.pulse.listen())
    try:
        async with asyncio.timeout(10):
            await db.pulse.after(db.pulse.beats, rest=30)  # its first look
            beats = db.pulse.beats
            await other.write(adds, "Suzhou")
            while db.pulse.beats == beats:
                await db.pulse.after(beats, rest=30)
    finally:
        listening.cancel()
        other.close()


async def test_without_a_pulse_one_looks_after_a_while(db):
    began = time.monotonic()

    await db.pulse.after(db.pulse.beats, rest=0.05)

    assert 0.04 < time.monotonic() - began < 5
