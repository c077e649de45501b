"""Which tags changed most before a moment, each against its own usual spread? Pure.

The hour before is laid on a grid (a value that rests is sent once), and smoothed over half a minute so that one wild
sample is no change. How far the smoothed value strays from its middle in the time before is what is usual for this
tag; how far it strays in the last minutes is counted in that unit. Middles are medians and spreads the median distance
from them, so that a short disturbance before is neither cause nor cover.
"""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from statistics import median
from typing import TypeVar

from app.machines.rules import GOOD, Sample

K = TypeVar("K", bound=Hashable)

LOOK_BACK = timedelta(hours=1)
RECENT = timedelta(minutes=5)  # what changed earlier than that did not lead to it
GRID_S = 10
SMOOTH = 3  # points of the grid
LEAST = 30  # points of the time before, to say what is usual
NAMED_FROM = 5.0  # usual spreads; less is calm
MOST = 99.0  # of what never moved before, any change is that much
NORMAL = 1.4826  # makes the median distance comparable with a standard deviation
NOTHING = 0.002  # of its size: no smaller change of a value is of interest


@dataclass(frozen=True, slots=True)
class Suspect:
    """`score`: how many usual spreads it moved. `was` is its middle before, `became` the farthest it strayed to."""

    score: float
    was: float
    became: float
    moved_at: datetime


def suspects(series: Mapping[K, Sequence[Sample]], at: datetime, *, most: int = 3) -> dict[K, Suspect]:
    """Return those that changed most before `at`, most suspicious first; none, where all was calm."""
    found = {key: one for key, samples in series.items() if (one := judge(samples, at)) and one.score >= NAMED_FROM}
    return dict(sorted(found.items(), key=lambda item: -item[1].score)[:most])


def judge(samples: Sequence[Sample], at: datetime) -> Suspect | None:
    """Say how one tag moved before `at`; None where too little is known, or what it shows is no number."""
    grid = _smoothed(_grid(samples, at - LOOK_BACK, at))
    edge = at - RECENT
    before = [value for moment, value in grid if moment < edge]
    recent = [(moment, value) for moment, value in grid if moment >= edge]
    if len(before) < LEAST or not recent:
        return None
    middle = median(before)
    moved_at, became = max(recent, key=lambda point: abs(point[1] - middle))
    distance = abs(became - middle)
    usual = _usual(before, middle)
    if distance <= max(NOTHING * abs(middle), 1e-12):
        return Suspect(0.0, middle, became, moved_at)
    score = MOST if usual <= distance / MOST else distance / usual
    began = next((moment for moment, value in recent if abs(value - middle) > distance / 2), moved_at)
    return Suspect(score, middle, became, began)


def _usual(before: Sequence[float], middle: float) -> float:
    """How far it strays when nothing is wrong: the common distance, or half of the farthest where it likes to jump."""
    distances = sorted(abs(value - middle) for value in before)
    return max(NORMAL * median(distances), distances[int(len(distances) * 0.97)] / 2)


def _grid(samples: Sequence[Sample], since: datetime, until: datetime) -> list[tuple[datetime, float]]:
    """The value that held at each point of the grid; no point where none is known."""
    moments = [sample.at for sample in samples]
    values = [_number(sample) for sample in samples]
    points = []
    for step in range(int((until - since).total_seconds()) // GRID_S):
        moment = since + timedelta(seconds=step * GRID_S)
        place = bisect_right(moments, moment)
        if place and (value := values[place - 1]) is not None:
            points.append((moment, value))
    return points


def _smoothed(points: Sequence[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    return [
        (points[end][0], median(value for _, value in points[end - SMOOTH + 1 : end + 1]))
        for end in range(SMOOTH - 1, len(points))
    ]


def _number(sample: Sample) -> float | None:
    value = sample.value
    if sample.quality is not GOOD or type(value) not in (int, float, bool):
        return None
    return float(value) if isfinite(value) else None  # type: ignore[arg-type]
