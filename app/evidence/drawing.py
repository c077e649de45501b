"""Where lines, limits and marks lie in a picture of some minutes of values. Pure: numbers in, coordinates out.

A picture is 328 wide, which is a phone of 360 with its margins; the template draws it, the style sheet colours it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite

from app.machines.rules import GOOD, Sample

WIDTH, LEFT, RIGHT = 328, 4, 324
TOP, BOTTOM = 18, 12  # for the letters of the marks; for the minutes
MOST_POINTS = 320  # one for each pixel of a phone: more cannot be seen


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened. `letter` stands in the picture; `words` and `at` in the list below it."""

    at: datetime
    kind: str
    words: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One tag. `lines` are pieces without a gap, as SVG points; the others are where something lies."""

    height: int
    lines: list[str]
    lowest: float | None
    highest: float | None
    limit_y: float | None = None
    spans: list[tuple[float, float]] = field(default_factory=list)
    marks: list[tuple[float, Mark]] = field(default_factory=list)
    ticks: list[tuple[float, datetime]] = field(default_factory=list)
    now_x: float | None = None


def draw(
    samples: Sequence[Sample],
    since: datetime,
    until: datetime,
    *,
    now: datetime,
    height: int = 132,
    limit: float | None = None,
    spans: Sequence[tuple[datetime, datetime | None]] = (),
    marks: Sequence[Mark] = (),
) -> Picture:
    """Return the picture of one tag from `since` to `until`. A value holds until the next; unknown is a gap.

    `spans` are the times of the alarm; with None as its end it still goes on.
    """
    end = min(until, now)
    pieces = _pieces(samples, since, end)
    values = [value for piece in pieces for _, value in piece]
    low, high = min(values, default=None), max(values, default=None)
    scale = _Scale(since, until, *_room(low, high, limit), height)
    inside = [(scale.x(mark.at), mark) for mark in marks if since <= mark.at <= end]
    return Picture(
        height=height,
        lines=[_points(piece, scale) for piece in pieces],
        lowest=low,
        highest=high,
        limit_y=scale.y(limit) if limit is not None else None,
        spans=[(scale.x(began), scale.x(min(ended or end, end))) for began, ended in spans if began < end],
        marks=inside,
        ticks=[(scale.x(at), at) for at in _ticks(since, until)],
        now_x=scale.x(now) if now < until else None,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    since: datetime
    until: datetime
    low: float
    high: float
    height: int

    def x(self, at: datetime) -> float:
        part = (at - self.since) / (self.until - self.since)
        return round(LEFT + (RIGHT - LEFT) * min(max(part, 0.0), 1.0), 1)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return round(self.height - BOTTOM - (self.height - BOTTOM - TOP) * min(max(part, 0.0), 1.0), 1)


def _room(low: float | None, high: float | None, limit: float | None) -> tuple[float, float]:
    """From where to where the picture goes: all values and the limit, with a little air."""
    known = [value for value in (low, high, limit) if value is not None]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    air = (high - low) * 0.06 or max(abs(high) * 0.02, 0.5)
    return low - air, high + air


def _pieces(samples: Sequence[Sample], since: datetime, until: datetime) -> list[list[tuple[datetime, float]]]:
    pieces: list[list[tuple[datetime, float]]] = []
    piece: list[tuple[datetime, float]] = []
    for sample in samples:
        if sample.at > until:
            break
        at, value = max(sample.at, since), _number(sample)
        if piece:
            piece.append((at, piece[-1][1]))  # it held until now
        if value is None:
            pieces.append(piece)
            piece = []
        elif at == since and piece:
            piece = [(at, value)]
        else:
            piece.append((at, value))
    if piece:
        pieces.append([*piece, (until, piece[-1][1])])
    return [piece for piece in pieces if piece]


def _points(piece: Sequence[tuple[datetime, float]], scale: _Scale) -> str:
    """The piece as SVG points; where many fall on one pixel, its lowest and highest."""
    columns: dict[float, list[float]] = {}
    step = (RIGHT - LEFT) / MOST_POINTS
    for at, value in piece:
        x = scale.x(at)
        columns.setdefault(round(round(x / step) * step, 1) if len(piece) > MOST_POINTS else x, []).append(
            scale.y(value)
        )
    points = []
    for x, found in columns.items():
        kept = found if len(found) <= 3 else [found[0], min(found), max(found), found[-1]]
        points += [f"{x:g},{y:g}" for y in kept]
    return " ".join(points)


def _ticks(since: datetime, until: datetime) -> list[datetime]:
    """Round minutes, five of them at most."""
    minutes = (until - since).total_seconds() / 60
    step = next(step for step in (1, 2, 5, 10, 15, 30, 60, 10**6) if minutes / step <= 5)
    first = since.replace(second=0, microsecond=0, minute=since.minute - since.minute % min(step, 60))
    ticks = [first + timedelta(minutes=step * n) for n in range(1, 8)]
    margin = (until - since) * 0.06
    return [tick for tick in ticks if since + margin <= tick <= until - margin]


def _number(sample: Sample) -> float | None:
    value = sample.value
    if sample.quality is not GOOD or type(value) not in (int, float, bool):
        return None
    return float(value) if isfinite(value) else None  # type: ignore[arg-type]
