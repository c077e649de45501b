"""Samples as a few bytes each, and back. Pure.

Each kind of thing lies together, because that is what zlib makes small: moments as distances in milliseconds, values as
doubles, and one byte that says of what type and quality it was. What is no number stands beside it as text.
"""

import zlib
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, groupby, pairwise
from typing import Any
from uuid import UUID

import msgspec

from app.machines.rules import GOOD, Quality, Sample, is_number
from app.machines.words import plain

NONE, FLOAT, INTEGER, BOOLEAN, TEXT, LONG = range(6)
GAP, SAID = 0x20, 0x40  # after a gap; a status of its own
PLAIN = FLOAT | GOOD.value << 3
EXACT = 1 << 53  # a larger whole number does not fit a double
QUALITIES = {quality.value: quality for quality in Quality}
MINUTE = 60

_header = msgspec.json.Encoder()


class Packed(msgspec.Struct, frozen=True):
    """One stretch, ready to be stored."""

    tag_id: UUID
    begins: datetime
    ends: datetime
    count: int
    lowest: float | None
    highest: float | None
    data: bytes


class Columns:
    """Samples of one tag as they come, in arrays: seventeen bytes each."""

    __slots__ = ("kinds", "statuses", "texts", "times", "values")

    def __init__(self) -> None:
        self.times = array("d")
        self.values = array("d")
        self.kinds = array("B")
        self.texts: list[str] = []
        self.statuses: list[str] = []

    def add(self, sample: Sample, stamp: float) -> None:
        """Append one sample; `stamp` is its moment in seconds. Called for every change there is."""
        value = sample.value
        kind = type(value)
        self.times.append(stamp)
        if kind is float and sample.quality is GOOD and sample.status == "Good" and not sample.after_gap:
            self.values.append(value)  # type: ignore[arg-type]
            self.kinds.append(PLAIN)
            return
        if kind is float:
            number, code = value, FLOAT
        elif kind is bool:
            number, code = float(value), BOOLEAN  # type: ignore[arg-type]
        elif kind is int and -EXACT <= value <= EXACT:  # type: ignore[operator]
            number, code = float(value), INTEGER  # type: ignore[arg-type]
        elif value is None:
            number, code = 0.0, NONE
        else:
            number, code = 0.0, LONG if kind is int else TEXT
            self.texts.append(str(value) if kind is int else plain(value))
        if sample.quality is not GOOD or sample.after_gap or sample.status != "Good":
            code |= GAP * sample.after_gap
            if sample.status != "Good":
                code |= SAID
                self.statuses.append(sample.status)
        self.values.append(number)  # type: ignore[arg-type]
        self.kinds.append(code | sample.quality.value << 3)


def pack(tag_id: UUID, columns: Columns) -> Packed:
    """Return the stretch these samples make. There must be one at least; their moments ascend."""
    stamps = [round(stamp * 1000) for stamp in columns.times]
    begins = stamps[0]
    steps = array("Q", [0, *(after - before for before, after in pairwise(stamps))])
    good = GOOD.value << 3
    judged = [
        value
        for value, kind in zip(columns.values, columns.kinds, strict=True)
        if kind & 0x18 == good and FLOAT <= kind & 7 <= BOOLEAN and is_number(value)
    ]
    header = _header.encode([begins, len(stamps), columns.texts, columns.statuses])
    body = steps.tobytes() + columns.values.tobytes() + columns.kinds.tobytes()
    return Packed(
        tag_id,
        _moment(begins),
        _moment(stamps[-1]),
        len(stamps),
        min(judged, default=None),
        max(judged, default=None),
        zlib.compress(header + b"\n" + body, 1),
    )


def pack_samples(tag_id: UUID, samples: Iterable[Sample]) -> Packed:
    """The same from samples."""
    columns = Columns()
    for sample in samples:
        columns.add(sample, sample.at.timestamp())
    return pack(tag_id, columns)


def unpack(data: bytes) -> list[Sample]:
    """Return the samples of a stretch, times ascending."""
    header, _, body = zlib.decompress(data).partition(b"\n")
    begins, count, texts, statuses = msgspec.json.decode(header)
    steps, values, kinds = array("Q"), array("d"), array("B")
    steps.frombytes(body[: 8 * count])
    values.frombytes(body[8 * count : 16 * count])
    kinds.frombytes(body[16 * count :])
    said, told = iter(texts), iter(statuses)
    start, moments = _moment(begins), accumulate(steps)
    samples = []
    for passed, number, kind in zip(moments, values, kinds, strict=True):
        value = _value(kind & 7, number, said)
        status = next(told) if kind & SAID else "Good"
        at = start + timedelta(milliseconds=passed)
        samples.append(Sample(value, QUALITIES[kind >> 3 & 3], at, status, bool(kind & GAP)))
    return samples


def thin(samples: Sequence[Sample], *, step: int = MINUTE) -> list[Sample]:
    """Return of each minute the lowest, the highest and the last, and the first of every quality; nothing invented."""
    kept: list[Sample] = []
    for _, minute in groupby(samples, key=lambda sample: sample.at.timestamp() // step):
        group = list(minute)
        wanted = {len(group) - 1}
        firsts: dict[Quality, int] = {}
        numbers = []
        for place, sample in enumerate(group):
            firsts.setdefault(sample.quality, place)
            if sample.quality is GOOD and (is_number(sample.value) or type(sample.value) is bool):
                numbers.append((sample.value, place))
        wanted |= set(firsts.values()) if len(firsts) > 1 or not numbers else set()
        if numbers:
            wanted |= {min(numbers)[1], max(numbers)[1]}
        kept += [group[place] for place in sorted(wanted)]
    return kept


def _value(kind: int, number: float, texts: Any) -> object:
    match kind:
        case 1:
            return number
        case 2:
            return int(number)
        case 3:
            return bool(number)
        case 4:
            return next(texts)
        case 5:
            return int(next(texts))
    return None


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
