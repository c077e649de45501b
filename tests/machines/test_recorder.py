"""What a watcher hands over is in the history, and a database that is away costs nothing but a little memory."""

from datetime import timedelta

from app.kit.clock import utcnow
from app.machines import history
from app.machines.rules import GOOD, Sample
from tests.factories import id_of
from workers.recorder import Recorder

TAG = id_of("tag", "Press 7 overheating")


async def kept(db, now):
    found = await db.read(history.read, [TAG], now - timedelta(hours=1), now + timedelta(hours=1))
    return [sample.value for sample in found.get(TAG, [])]


async def test_what_was_taken_is_stored_at_the_end(db):
    now, recorder = utcnow(), Recorder(db)
    recorder.take([(TAG, Sample(float(n), GOOD, now + timedelta(seconds=n))) for n in range(3)])

    await recorder.store()
    assert await kept(db, now) == []  # nobody waits for it
    await recorder.store(all_=True)

    assert await kept(db, now) == [0.0, 1.0, 2.0]


async def test_what_somebody_looks_at_is_stored_soon(db):
    now, recorder = utcnow() - timedelta(seconds=10), Recorder(db)
    recorder.take([(TAG, Sample(7.0, GOOD, now))])
    await db.write(history.want, [TAG], until=utcnow() + timedelta(minutes=1))

    await recorder.store()

    assert await kept(db, now) == [7.0]


async def test_what_cannot_be_stored_is_tried_again(db, monkeypatch):
    now, recorder = utcnow(), Recorder(db)
    recorder.take([(TAG, Sample(7.0, GOOD, now))])
    with monkeypatch.context() as away:
        away.setattr(history, "write", _fails)
        await recorder.store(all_=True)

    await recorder.store(all_=True)

    assert await kept(db, now) == [7.0]


def _fails(*_: object, **__: object) -> None:
    raise OSError("the disk is full")
