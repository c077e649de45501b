"""What machines showed is kept as it was, thinned when it is old, and forgotten at last; and never grows without bound."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, func, select

from app.machines import history, ring
from app.machines.history_models import Stretch
from app.machines.packing import pack_samples, thin, unpack
from app.machines.ring import Ring
from app.machines.rules import BAD, GOOD, SILENT, Sample
from tests import factories
from tests.factories import id_of

NOW = factories.MONDAY
TAG, OTHER = id_of("tag", "Press 7 overheating"), id_of("tag", "Press 7 overloaded")


def second(n: float, *, start: datetime = NOW) -> datetime:
    return start + timedelta(seconds=n)


def row(*values: object, start: datetime = NOW, step: float = 1.0) -> list[Sample]:
    return [Sample(value, GOOD, second(n * step, start=start)) for n, value in enumerate(values)]


def keep(session: Session, samples: list[Sample], tag: UUID = TAG, *, now: datetime = NOW) -> None:
    history.write(session, [pack_samples(tag, samples)], now=now)


EVERYTHING: list[Sample] = [
    Sample(1.5, GOOD, second(0)),
    Sample(-7, GOOD, second(0.001)),
    Sample(True, GOOD, second(2)),
    Sample(None, SILENT, second(3), "BadNoCommunication"),
    Sample(2**63 + 1, GOOD, second(3)),
    Sample("batch 4711 第三批", GOOD, second(4)),
    Sample(float("inf"), GOOD, second(5)),
    Sample(3.25, BAD, second(6), "BadSensorFailure", after_gap=True),
    Sample(0, GOOD, second(7), "GoodLocalOverride"),
]


def test_what_is_packed_comes_out_as_it_was():
    packed = pack_samples(TAG, EVERYTHING)

    assert unpack(packed.data) == EVERYTHING
    assert [type(s.value) for s in unpack(packed.data)] == [type(s.value) for s in EVERYTHING]
    assert (packed.begins, packed.ends, packed.count) == (second(0), second(7), len(EVERYTHING))
    assert (packed.lowest, packed.highest) == (-7.0, 1.5)  # neither text, nor infinity, nor what was bad


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, b"\xff", "x" * 500, "nul\0l", "\ud800"])
def test_what_is_no_plain_value_is_kept_as_short_text(value):
    (sample,) = unpack(pack_samples(TAG, [Sample(value, GOOD, NOW)]).data)

    assert isinstance(sample.value, str)
    assert len(sample.value) <= 80


def test_a_number_takes_few_bytes():
    chance = random.Random(1)
    samples = row(*(round(chance.gauss(180, 1.5), 2) for _ in range(1000)))

    assert len(pack_samples(TAG, samples).data) / 1000 < 10


def test_thinned_keeps_of_each_minute_the_ends_and_the_last():
    values = [50.0] * 60 + [50.0, 90.0, 10.0, *[50.0] * 56, 51.0]

    kept = thin(row(*values))

    assert [(s.value, s.at) for s in kept] == [
        *[(50.0, second(n)) for n in (0, 59)],
        (90.0, second(61)),
        (10.0, second(62)),
        (51.0, second(119)),
    ]


def test_thinned_keeps_that_a_signal_was_lost():
    samples = [*row(1.0, 2.0), Sample(None, SILENT, second(2), "BadNoCommunication"), *row(3.0, start=second(5))]

    assert [s.quality for s in thin(samples)] == [GOOD, SILENT, GOOD]


def test_read_says_what_was_so_when_the_time_began(session):
    keep(session, row(1.0, 2.0, 3.0, step=60))
    keep(session, row(4.0, 5.0, start=second(180), step=60))
    keep(session, row(9.0, start=second(30)), OTHER)

    found = history.read(session, [TAG, OTHER, id_of("tag", "unknown")], second(90), second(200))

    assert {tag: [s.value for s in samples] for tag, samples in found.items()} == {TAG: [2.0, 3.0, 4.0], OTHER: [9.0]}


def test_read_ascends_though_two_workers_wrote_at_once(session):
    keep(session, row(1.0, 2.0, 3.0, step=10))
    keep(session, row(1.5, 2.5, start=second(5), step=10))

    assert [s.value for s in history.read(session, [TAG], NOW, second(60))[TAG]] == [1.0, 1.5, 2.0, 2.5, 3.0]


def test_what_is_older_than_a_day_is_thinned_and_what_is_not_stays(session):
    old = NOW - timedelta(hours=40)
    for n in range(12):
        keep(session, row(*([20.0] * 299), 80.0 + n, start=old + timedelta(minutes=5 * n)))
    keep(session, row(*[20.0] * 300, start=NOW - timedelta(hours=2)))

    while history.thin_next(session, now=NOW):
        pass

    steps = dict(session.exec(select(Stretch.step_s, func.sum(Stretch.count)).group_by(Stretch.step_s)).all())
    assert steps == {0: 300, 60: 12 * (4 * 2 + 2)}
    kept = history.read(session, [TAG], old, old + timedelta(hours=1))[TAG]
    assert max(s.value for s in kept) == 91.0
    assert not history.thin_next(session, now=NOW)


def test_what_is_too_old_is_forgotten_but_not_the_last_that_is_known(session):
    factories.plant(session)
    long_ago = NOW - timedelta(days=40)
    keep(session, row(1.0, start=long_ago))
    keep(session, row(2.0, start=NOW - timedelta(days=3)))
    keep(session, row(6.3, start=long_ago), OTHER)  # it rests since then
    keep(session, row(9.9, start=long_ago), id_of("tag", "one that was taken away"))

    history.forget(session, days=30, megabytes=100, now=NOW)

    assert set(session.exec(select(Stretch.tag_id))) == {TAG, OTHER}
    assert session.exec(select(func.count()).select_from(Stretch)).one() == 2


def test_it_never_takes_more_disk_than_it_may(session):
    factories.plant(session)
    chance = random.Random(3)
    for n in range(60):
        keep(session, row(*(chance.random() for _ in range(4000)), start=NOW - timedelta(hours=60 - n), step=0.5))
    before = session.exec(select(func.sum(Stretch.size))).one()

    history.forget(session, days=30, megabytes=1, now=NOW)

    assert before > 1_500_000
    assert 950_000 < session.exec(select(func.sum(Stretch.size))).one() <= 1_000_000


def test_tags_somebody_looks_at_are_wanted_until_then(session):
    history.want(session, [TAG, OTHER], until=second(60))
    history.want(session, [TAG], until=second(30))

    assert history.write(session, [], now=second(45)) == {TAG, OTHER}
    assert history.write(session, [], now=second(61)) == set()


def drained(kept: Ring, **how: Any) -> dict[UUID, list[object]]:
    found: dict[UUID, list[object]] = {}
    while packed := kept.due(**how):
        for one in packed:
            found.setdefault(one.tag_id, []).extend(sample.value for sample in unpack(one.data))
    return found


def test_the_ring_hands_out_what_is_old_enough_and_what_is_wanted():
    kept = Ring()
    kept.take([(TAG, sample) for sample in row(1.0, 2.0)] + [(OTHER, sample) for sample in row(8.0)])

    assert drained(kept, now=second(3)) == {}
    assert drained(kept, now=second(5), hot={OTHER}) == {OTHER: [8.0]}
    kept.take([(TAG, Sample(3.0, GOOD, second(200)))])
    assert drained(kept, now=second(301)) == {TAG: [1.0, 2.0, 3.0]}
    assert drained(kept, now=second(9999)) == {}


def test_the_ring_keeps_no_value_twice_that_was_only_read_again():
    kept = Ring()
    for _ in range(5):
        kept.take([(TAG, Sample(6.3, GOOD, NOW))])

    assert drained(kept, now=NOW, all_=True) == {TAG: [6.3]}


def test_a_source_whose_clock_goes_back_still_tells_in_order():
    kept = Ring()
    kept.take([(TAG, Sample(1.0, GOOD, second(10))), (TAG, Sample(2.0, GOOD, second(5)))])

    (packed,) = kept.due(now=NOW, all_=True)

    assert [(s.value, s.at) for s in unpack(packed.data)] == [(1.0, second(10)), (2.0, second(10))]


def test_the_ring_is_bounded_and_counts_what_it_loses(monkeypatch):
    monkeypatch.setattr(ring, "MOST", 1000)
    kept = Ring()
    for n in range(30):
        kept.take([(TAG, sample) for sample in row(*range(100), start=second(100 * n))])
        kept.due(now=NOW, limit=0)  # nothing can be stored

    left = sum(map(len, drained(kept, now=NOW, all_=True).values()))
    assert left <= 1000
    assert left + kept.lost == 3000


def test_what_could_not_be_stored_is_handed_out_again():
    kept = Ring()
    kept.take([(TAG, sample) for sample in row(1.0, 2.0)])
    kept.give_back(kept.due(now=NOW, all_=True))

    assert drained(kept, now=NOW, all_=True) == {TAG: [1.0, 2.0]}


def test_a_link_that_is_lost_is_a_gap():
    kept = Ring()
    kept.take([(TAG, sample) for sample in row(1.0)])
    kept.due(now=NOW, all_=True)
    kept.silence(status="BadNoCommunication", now=second(9))

    (packed,) = kept.due(now=NOW, all_=True)

    assert unpack(packed.data) == [Sample(None, SILENT, second(9), "BadNoCommunication")]
