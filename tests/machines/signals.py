"""Signals with a known truth: what a sensor shows second by second, and when something really happened. Seeded."""

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.machines.proposals import Event
from app.machines.rules import GOOD, Sample

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMIT = 80.0
Signal = tuple[list[Sample], list[Event]]


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def samples(values: list[float]) -> list[Sample]:
    return [Sample(value, GOOD, at(second)) for second, value in enumerate(values)]


def _signal(
    hours: float, level: Callable[[int], float], noise: float, seed: int, bumps: list[tuple[int, int, float]]
) -> Signal:
    """A level with noise on it, and bumps: from when, how long, how far beyond the limit."""
    chance = random.Random(seed)
    values = [level(second) + chance.gauss(0, noise) for second in range(int(hours * 3600))]
    for begin, length, height in bumps:
        for second in range(begin, begin + length):
            values[second] = LIMIT + height + chance.gauss(0, noise)
    return samples(values), [Event(at(begin), at(begin + length)) for begin, length, _ in bumps]


def _bumps(seed: int, hours: float, count: int, height: float) -> list[tuple[int, int, float]]:
    chance = random.Random(seed + 1000)
    room = int(hours * 3600 / (count + 1))
    return [(room * n + chance.randrange(room // 3), chance.randrange(90, 600), height) for n in range(1, count + 1)]


def near_the_limit(seed: int) -> Signal:
    """A level that lies a little under its limit, and noise that touches it all day."""
    return _signal(12, lambda _: LIMIT - 2.2, 1.0, seed, _bumps(seed, 12, 4, 6.0))


def slow_wave(seed: int) -> Signal:
    """A level that creeps to the limit and away again: chatter at each crossing, and every crest is real."""
    bumps = [(3600 * n + 900, 900, 4.0) for n in range(1, 11, 3)]
    return _signal(12, lambda second: LIMIT - 4 + 2.2 * math.sin(second / 700), 0.8, seed, bumps)


def ramps(seed: int) -> Signal:
    """It rises slowly through the limit, stays, and falls slowly: chatter on the way up and on the way down."""
    chance = random.Random(seed)
    values: list[float] = []
    truth: list[Event] = []
    for n in range(6):
        values += [LIMIT - 8 + chance.gauss(0, 0.7) for _ in range(3000)]
        begin = len(values)
        values += [LIMIT - 8 + 16 * k / 600 + chance.gauss(0, 0.7) for k in range(600)]
        values += [LIMIT + 8 + chance.gauss(0, 0.7) for _ in range(600 + 60 * n)]
        values += [LIMIT + 8 - 16 * k / 600 + chance.gauss(0, 0.7) for k in range(600)]
        truth.append(Event(at(begin + 300), at(len(values) - 300)))
    return samples(values), truth


def glitches(seed: int) -> Signal:
    """Single values a little beyond the limit, as a loose contact makes them, every minute or two."""
    chance = random.Random(seed)
    made, truth = _signal(12, lambda _: LIMIT - 5, 1.0, seed, _bumps(seed, 12, 3, 7.0))
    second = 30
    while second < len(made):
        if made[second].value < LIMIT:
            made[second] = Sample(LIMIT + chance.random(), GOOD, at(second))
        second += chance.randrange(20, 130)
    return made, truth


def short_and_far(seed: int) -> Signal:
    """Noise that touches the limit, and now and then three seconds far beyond it: a press that is overloaded."""
    peaks = [(begin, 3, 40.0) for begin in range(2000, 40_000, 6000)]
    return _signal(12, lambda _: LIMIT - 2.2, 1.0, seed, peaks)


ALL = (near_the_limit, slow_wave, ramps, glitches, short_and_far)
