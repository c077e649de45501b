"""What was replayed is what happens, and a proposal loses nothing real: shown on signals whose truth is known."""

import random
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from app.machines.proposals import Event, Numbers, propose, with_numbers
from app.machines.replay import Span, back_test, replay, spans, telling
from app.machines.rules import BAD, GOOD, Kind, Rule, Sample, State
from app.machines.terms import Compare, Term
from app.machines.watch import Alarm, Watch
from tests.machines import signals
from tests.machines.signals import LIMIT, NOON, at

ME = UUID(int=1)
HIGH = Rule(ME, Kind.HIGH, LIMIT)
EARLY = timedelta(minutes=2)  # on a slow ramp, noise touches the limit before the level does


def rises(rule: Rule, samples: list[Sample]) -> list[Span]:
    return spans(replay(rule, samples, until=samples[-1].at))


def live(rule: Rule, samples: list[Sample]) -> list[tuple[bool, object, object]]:
    """What a worker's watch says, which looks every second and is a little late each time."""
    alarm = Alarm(rule, source_id=ME, tag_id=UUID(int=2), station_id=ME, tag={})
    watch = Watch([alarm], {}, now=samples[0].at)
    edges = []
    for sample in samples:
        while watch.due is not None and watch.due <= sample.at:
            edges += watch.tick(now=watch.due)
        edges += watch.take([(UUID(int=2), sample)], now=sample.at)
    return [(one.transition.active, one.transition.since, one.transition.at) for one in edges]


def test_a_delay_passes_although_nothing_more_is_read():
    rule = Rule(ME, Kind.HIGH, LIMIT, on_delay=10)

    found = replay(rule, [Sample(99.0, GOOD, at(0))], until=at(60))

    assert [(one.active, one.since, one.at) for one in found] == [(True, at(0), at(10))]


def test_a_replay_goes_on_from_what_was_known():
    found = replay(HIGH, [Sample(20.0, GOOD, at(0))], state=State(True, at(-60), None, 7))

    assert [(one.active, one.number) for one in found] == [(False, 8)]


def test_what_looks_at_other_tags_is_replayed_with_them():
    running = UUID(int=5)
    rule = Rule(ME, Kind.HIGH, LIMIT, only_when=(Term(running, Compare.IS, "1"),))
    hot = [Sample(99.0, GOOD, at(second)) for second in range(0, 60, 10)]
    line = [Sample(False, GOOD, at(0)), Sample(True, GOOD, at(25)), Sample(False, GOOD, at(45))]

    found = spans(replay(rule, hot, until=at(60), others={running: line}))

    assert [(one.raised, one.cleared) for one in found] == [(at(25), at(45))]


@pytest.mark.parametrize("seed", range(20))
def test_what_cannot_change_anything_may_be_left_out(seed):
    chance = random.Random(seed)
    kinds = [
        Rule(ME, Kind.HIGH, 50, deadband=chance.choice([0, 3]), on_delay=chance.choice([0, 4]), off_delay=3),
        Rule(ME, Kind.LOW, 50, deadband=chance.choice([0, 3]), on_delay=chance.choice([0, 4]), off_delay=3),
        Rule(ME, Kind.DISCRETE, on_delay=chance.choice([0, 2])),
        Rule(ME, Kind.BAD_STATUS, on_delay=chance.choice([0, 2])),
    ]
    rule, second, samples = chance.choice(kinds), 0.0, []
    for _ in range(400):
        second += chance.choice([0.1, 1, 2, 5])
        value = chance.choice([True, False, 1, 0]) if rule.kind is Kind.DISCRETE else chance.gauss(50, 3)
        quality = BAD if chance.random() < 0.1 else GOOD
        samples.append(Sample(chance.choice([value, value, value, "?"]), quality, at(second)))

    assert spans(replay(rule, telling(rule, samples), until=at(2000))) == spans(replay(rule, samples, until=at(2000)))


def test_a_back_test_counts_what_came_close_together():
    hot = [(0, 99.0), (5, 20.0), (30, 99.0), (35, 20.0), (600, 99.0), (660, 20.0)]

    told = back_test(HIGH, [Sample(value, GOOD, at(second)) for second, value in hot], since=at(0), until=at(900))

    assert (told.samples, told.alarms, told.close, told.active) == (6, 3, 1, 70)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("signal", signals.ALL, ids=lambda one: one.__name__)
def test_a_proposal_removes_the_chatter_and_loses_nothing_real(signal, seed):
    samples, truth = signal(seed)

    proposal = propose(HIGH, samples, until=samples[-1].at)

    assert proposal is not None
    before, after = rises(HIGH, samples), rises(with_numbers(HIGH, proposal.numbers), samples)
    told = [_told(event, after) for event in truth]
    assert all(told), "a real event was lost"
    assert len({one.raised for one in told if one}) == len(truth), "each has an alarm of its own"
    chatter, left = len(before) - len(truth), len(after) - len(truth)
    assert left <= 0.1 * chatter
    assert (proposal.alarms, proposal.removed) == (len(before), len(before) - len(after))
    for event, one in zip(truth, told, strict=True):
        was = _told(event, before)
        assert one
        assert was
        assert (one.raised - max(was.raised, event.begins)).total_seconds() <= max(proposal.later, 0) + 60


@pytest.mark.parametrize("signal", signals.ALL, ids=lambda one: one.__name__)
def test_what_happens_after_it_is_applied_is_what_was_replayed(signal):
    samples, _ = signal(11)
    proposal = propose(HIGH, samples, until=samples[-1].at)
    assert proposal is not None
    rule = with_numbers(HIGH, proposal.numbers)

    told = [(one.active, one.since, one.at) for one in replay(rule, samples)]

    assert told == live(rule, samples)


def test_where_every_alarm_was_real_nothing_is_proposed():
    values = [90.0 if second // 300 % 2 else 60.0 for second in range(7200)]

    assert propose(HIGH, signals.samples(values), until=at(7200)) is None


def test_a_few_alarms_are_no_nuisance():
    values = [90.0 if second in (100, 500, 900) else 60.0 for second in range(1200)]

    assert propose(HIGH, signals.samples(values), until=at(1200)) is None


def test_what_somebody_has_worked_on_is_real_however_short():
    values = [81.0 if second % 40 == 0 else 78.0 + second % 3 for second in range(8000)]
    samples = signals.samples(values)
    free = propose(HIGH, samples, until=at(8000))
    worked_on = [Event(at(80 * n), at(80 * n + 5)) for n in range(1, 100)]

    assert free is not None
    assert free.removed == free.alarms
    assert propose(HIGH, samples, until=at(8000), worked_on=worked_on) is None


def test_an_urgent_alarm_is_not_told_much_later():
    samples, _ = signals.ramps(1)

    for severity, latest in ((1, 10.0), (3, 60.0)):
        proposal = propose(HIGH, samples, until=samples[-1].at, severity=severity)
        assert proposal is not None
        assert proposal.later <= latest


def test_a_discrete_signal_is_calmed_by_delays_alone():
    chance = random.Random(3)
    values, truth = [False] * 20_000, (5000, 5400)
    for second in range(0, 20_000, 50):
        values[second + chance.randrange(10)] = True
    values[truth[0] : truth[1]] = [True] * 400
    samples = [Sample(value, GOOD, at(second)) for second, value in enumerate(values)]

    proposal = propose(Rule(ME, Kind.DISCRETE), samples, until=at(20_000))

    assert proposal is not None
    assert (proposal.real, proposal.numbers.deadband) == (1, 0)
    assert proposal.removed == proposal.alarms - 1


def test_the_same_in_the_mirror_is_proposed_for_a_low_limit():
    samples, _ = signals.near_the_limit(2)
    mirrored = [Sample(-float(one.value), GOOD, one.at) for one in samples]  # type: ignore[arg-type]

    high = propose(HIGH, samples, until=samples[-1].at)
    low = propose(Rule(ME, Kind.LOW, -LIMIT), mirrored, until=samples[-1].at)

    assert high == low


def test_numbers_are_short():
    samples, _ = signals.ramps(0)
    proposal = propose(HIGH, samples, until=samples[-1].at)

    assert proposal is not None
    assert all(float(f"{number:.2g}") == number for number in proposal.numbers)
    assert proposal.numbers != Numbers(0, 0, 0)


def test_signals_are_what_they_say():
    for signal in signals.ALL:
        samples, truth = signal(0)
        assert samples[0].at == NOON
        assert all(before.at < after.at for before, after in pairwise(samples))
        assert all(one.ends <= samples[-1].at for one in truth)


def _told(event: Event, alarms: list[Span]) -> Span | None:
    """The first alarm that was raised while it lasted, or shortly before."""
    return next((one for one in alarms if event.begins - EARLY <= one.raised <= event.ends), None)
