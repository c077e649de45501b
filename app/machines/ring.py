"""The last minutes of every tag in memory: what arrives is put aside at once, and packed when its time has come.

Bounded: of a million samples that cannot be stored, the oldest go, and are counted. Pure but for that memory.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from app.machines.packing import Columns, Packed, pack
from app.machines.rules import SILENT, Sample

SPAN = 300.0  # seconds: what is lost of the calm past when power fails
SOON = 4.0  # the same, of what somebody looks at
MOST = 1_000_000  # samples: 17 MB
LONGEST = 4096  # samples in one stretch
UNSORTED = 10_000


class Ring:
    """`take` what was read; store what `due` hands out."""

    def __init__(self) -> None:
        self.lost = 0
        self._new: list[tuple[UUID, Sample]] = []
        self._tags: dict[UUID, _Tag] = {}
        self._held = 0
        self._ready: list[Packed] = []  # too long already, or could not be stored: goes first

    def take(self, samples: Sequence[tuple[UUID, Sample]]) -> None:
        """Put aside what was read. Costs next to nothing: sorting is for later."""
        self._new += samples
        if len(self._new) > UNSORTED:
            self._sort()

    def silence(self, *, status: str, now: datetime) -> None:
        """Note for every tag that from now on nothing is known of it."""
        self.take([(tag_id, Sample(None, SILENT, now, status)) for tag_id in self._tags])

    def due(self, *, now: datetime, hot: Collection[UUID] = (), limit: int = 128, all_: bool = False) -> list[Packed]:
        """Hand out what is to be stored now: what is old enough or long enough, and at once of tags in `hot`."""
        self._sort()
        found = self._ready[:limit]
        del self._ready[: len(found)]
        moment = float("inf") if all_ else now.timestamp()
        for tag_id in hot:
            tag = self._tags.get(tag_id)
            if tag is not None and tag.columns.times:
                tag.due = min(tag.due, tag.columns.times[0] + SOON)
        for tag_id, tag in self._tags.items():
            if tag.due <= moment and tag.columns.times:
                if len(found) >= limit:
                    break
                found.append(self._packed(tag_id, tag))
        self._held -= sum(packed.count for packed in found)
        return found

    def give_back(self, packed: Sequence[Packed]) -> None:
        """It could not be stored: try again later, while there is room."""
        self._ready[:0] = packed
        self._held += sum(one.count for one in packed)
        self._stay_in_bounds()

    def _sort(self) -> None:
        tags, new = self._tags, self._new
        for tag_id, sample in new:
            tag = tags.get(tag_id)
            if tag is None:
                tag = tags[tag_id] = _Tag(tag_id)
            stamp = sample.at.timestamp()
            if stamp <= tag.latest:
                if sample.value == tag.value and sample.quality is tag.quality:
                    continue  # read again, and not changed
                stamp = tag.latest  # a source whose clock went back: what came later is later
            tag.latest, tag.value, tag.quality = stamp, sample.value, sample.quality
            if not tag.columns.times:
                tag.due = stamp + tag.span
            tag.columns.add(sample, stamp)
            self._held += 1
            if len(tag.columns.times) >= LONGEST:
                self._ready.append(self._packed(tag_id, tag))
        new.clear()
        self._stay_in_bounds()

    def _packed(self, tag_id: UUID, tag: "_Tag") -> Packed:
        columns, tag.columns, tag.span = tag.columns, Columns(), SPAN
        return pack(tag_id, columns)

    def _stay_in_bounds(self) -> None:
        while self._held > MOST:
            if self._ready:
                gone = self._ready.pop(0).count
            else:
                tag = max(self._tags.values(), key=lambda tag: len(tag.columns.times))
                gone, tag.columns = len(tag.columns.times), Columns()
            self._held -= gone
            self.lost += gone


class _Tag:
    """One tag: its samples not yet packed, and the last one ever seen."""

    __slots__ = ("columns", "due", "latest", "quality", "span", "value")

    def __init__(self, tag_id: UUID) -> None:
        self.columns = Columns()
        self.latest = self.due = float("-inf")
        self.value: object = None
        self.quality: object = None
        self.span = SPAN * (tag_id.int % 1000 / 1000)  # ten thousand tags are not all due at the same moment
