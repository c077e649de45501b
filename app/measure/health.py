"""How many alarms machines send, and how many a person can take: figures and their benchmarks. Pure.

The benchmarks are those of ISA-18.2 / IEC 62682 as public files quote them; "operator" is one responder's phone here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

PERIOD = timedelta(minutes=10)
FLOOD = 10
"""More alarms than this in one period are a flood."""
STALE = timedelta(hours=24)
WORST = 10

Key = UUID
"""One alarm: its rule; or its condition, where a server has it itself."""


class Verdict(StrEnum):
    GOOD = "good"
    EDGE = "edge"
    BAD = "bad"
    OPEN = "open"  # too little to say


@dataclass(frozen=True, slots=True)
class Row:
    """How often one alarm rose within ten minutes; `period` counts them since 1970."""

    key: Key
    station_id: UUID
    period: int
    alarms: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one alarm behaved: how often it rose, in how many of these it chattered, how many were gone at once."""

    alarms: int
    chattering: int
    fleeting: int


@dataclass(frozen=True, slots=True)
class Figure:
    """`name` is what was counted; shares are between 0 and 1."""

    name: str
    value: float
    verdict: Verdict


BENCHMARKS: Mapping[str, tuple[float, float]] = {
    "per_day": (150, 300),
    "per_hour": (6, 12),
    "per_ten_minutes": (1, 2),
    "peak": (10, 20),
    "flood_share": (0.01, 0.05),
    "worst_share": (0.05, 0.20),
    "chattering": (0, 0),
    "fleeting": (0, 0),
    "stale": (4, 10),
    "urgent_share": (0.06, 0.12),
}
"""What is good up to here, and what one can just live with. Per day to peak: for one responder."""


def judge(name: str, value: float) -> Verdict:
    """Say how a figure stands against its benchmark."""
    good, edge = BENCHMARKS[name]
    return Verdict.GOOD if value <= good else Verdict.EDGE if value <= edge else Verdict.BAD


@dataclass(frozen=True, slots=True)
class Load:
    """How much came in some time."""

    alarms: int
    per_day: float
    per_hour: float
    per_ten_minutes: float
    peak: int
    flood_share: float

    @property
    def verdict(self) -> Verdict:
        found = {judge("per_day", self.per_day), judge("peak", self.peak)}
        return next(one for one in (Verdict.BAD, Verdict.EDGE, Verdict.GOOD) if one in found)


def load(periods: Iterable[tuple[int, int]], *, since: datetime, until: datetime) -> Load:
    """Sum up alarms by their period; what has no alarm need not be there."""
    each: Counter[int] = Counter()
    for period, alarms in periods:
        each[period] += alarms
    total, days = each.total(), (until - since) / timedelta(days=1)
    many = max((until - since) / PERIOD, 1.0)
    floods = sum(count > FLOOD for count in each.values())
    per_day = total / days
    return Load(total, per_day, per_day / 24, total / many, max(each.values(), default=0), min(floods / many, 1.0))


def totals(rows: Iterable[Row]) -> list[tuple[Key, int]]:
    """Return every alarm and how often it rose, the worst first."""
    each: Counter[Key] = Counter()
    for row in rows:
        each[row.key] += row.alarms
    return sorted(each.items(), key=lambda one: (-one[1], str(one[0])))


def figures(
    rows: Sequence[Row],
    behaviour: Mapping[Key, Behaviour],
    split: Mapping[int, int],
    *,
    stale: int,
    since: datetime,
    until: datetime,
) -> list[Figure]:
    """Return what there is to say about these alarms, in the order of the benchmarks. `split`: alarms by severity."""
    whole = load(((row.period, row.alarms) for row in rows), since=since, until=until)
    each = totals(rows)
    urgent = split.get(1, 0) + split.get(2, 0)
    found = {
        "per_day": whole.per_day,
        "per_hour": whole.per_hour,
        "per_ten_minutes": whole.per_ten_minutes,
        "peak": whole.peak,
        "flood_share": whole.flood_share,
        "worst_share": share(sum(count for _, count in each[:WORST]), whole.alarms),
        "chattering": sum(one.chattering > 0 for one in behaviour.values()),
        "fleeting": sum(one.fleeting > 0 for one in behaviour.values()),
        "stale": stale,
        "urgent_share": share(urgent, sum(split.values())),
    }
    told = {name: Figure(name, value, judge(name, value)) for name, value in found.items()}
    if len(each) <= WORST:  # ten of ten are always all of them
        told["worst_share"] = Figure("worst_share", found["worst_share"], Verdict.OPEN)
    return list(told.values())


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def spark(rows: Iterable[Row], *, since: datetime, until: datetime, bars: int = 56) -> list[int]:
    """Return the alarms of each of `bars` equal stretches of time."""
    first, last = int(since.timestamp()), int(until.timestamp())
    width = max((last - first) / bars, 1.0)
    found = [0] * bars
    for row in rows:
        place = int((row.period * PERIOD.total_seconds() - first) // width)
        found[min(max(place, 0), bars - 1)] += row.alarms
    return found
