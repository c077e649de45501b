"""Live pages: every page is told what has changed, and one that was away is told what it missed."""

import asyncio
import json
import re

import pytest

from app.anomaly import queries, stream
from app.anomaly.stream import Broadcaster

pytestmark = pytest.mark.usefixtures("freshly_started")
FRAME = re.compile(rb"id: (\d+)\nevent: anomaly\ndata: (.*)\n\n")


@pytest.fixture
async def freshly_started(plant):
    """A broadcaster of its own: that of the shared app has said goodbye to its pages."""
    await plant.restarts()


async def test_a_page_hears_what_happens_and_no_names(plant):
    page = await opens(plant)

    report = await plant.worker_reports("Press 7")

    frames = await hears(page, 1)
    assert {frame["id"] for frame in frames} == {str(report.anomaly)}
    assert {"id", "number", "kind", "status", "seq"} == set(frames[-1])


async def test_a_page_that_comes_back_is_told_what_it_missed_and_nothing_twice(plant):
    await plant.worker_reports("Press 7")
    last = await plant.db.read(queries.last_seq)
    missed = await plant.worker_reports("Oven 1")

    page = await opens(plant, last=last)

    (frame,) = await hears(page, 1)
    assert (frame["id"], frame["seq"] > last) == (str(missed.anomaly), True)


async def test_a_page_that_comes_back_after_a_restart_goes_on_where_it_was(plant):
    await plant.worker_reports("Press 7")
    last = await plant.db.read(queries.last_seq)
    await plant.restarts()
    missed = await plant.worker_reports("Oven 1")

    page = await opens(plant, last=last)

    assert [frame["id"] for frame in await hears(page, 1)] == [str(missed.anomaly)]


async def test_numbers_follow_the_commits_also_when_many_write_at_once(plant):
    page = await opens(plant, last=0)

    await asyncio.gather(*(plant.worker_reports(station) for station in ("Press 7", "Press 8", "Oven 1") * 5))

    numbers = [event.seq for event in await plant.db.read(lambda s: [e for e, *_ in queries.events_after(s, 0)])]
    assert numbers == sorted(set(numbers))
    seen = [frame["seq"] for frame in await hears(page, 3)]
    assert seen == sorted(set(seen))


async def test_a_page_that_missed_too_much_loads_everything_again(plant, monkeypatch):
    monkeypatch.setattr(stream, "REPLAYED", 2)
    for station in ("Press 7", "Press 8"):
        await plant.worker_reports(station)

    page = await opens(plant, last=0)

    assert await anext(page) == stream.RESYNC


async def test_a_page_that_is_too_slow_is_told_to_load_again_and_holds_up_nobody(plant, monkeypatch):
    monkeypatch.setattr(stream, "KEPT", 2)
    slow, quick = await opens(plant), await opens(plant)

    for station in ("Press 7", "Press 8", "Oven 1", "Press 7"):
        await plant.worker_reports(station)
        await hears(quick, 1)

    assert stream.RESYNC in await anext(slow)


@pytest.mark.parametrize("last", [0, 10**17])
async def test_a_quiet_plant_beats(plant, monkeypatch, last):
    monkeypatch.setattr(stream, "HEARTBEAT", 0.01)
    page = await opens(plant, last=last)

    while b"event: beat" not in (frame := await anext(page)):
        pass

    assert plant.now.isoformat().encode() in frame


async def opens(plant, *, last=None):
    live: Broadcaster = plant.app.state.live
    page = live.listen(last, clock=plant.clock)
    first = await anext(page)
    assert b"event: beat" in first
    return page


async def hears(page, count):
    """Return the next frames, at least `count` of them."""
    found = []
    async with asyncio.timeout(10):
        while len(found) < count:
            found += [json.loads(data) for _, data in FRAME.findall(await anext(page))]
    return found
