"""What the machine showed around an alarm: of what is frozen as it was kept, of what is not from the history."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.anomaly.models import PEOPLE, Occurrence
from app.evidence.models import EvidenceTag, Moment, Part, Snapshot, SnapshotTag
from app.evidence.suspects import LOOK_BACK, Suspect, suspects
from app.kit.columns import Names
from app.machines import history
from app.machines.models import Tag
from app.machines.packing import unpack
from app.machines.rules import GOOD, Sample
from app.plant.models import Site, Station
from app.rosters.models import Shift

Reader = Callable[[Session, Iterable[UUID], datetime, datetime], dict[UUID, list[Sample]]]
MOST_TAGS = 24  # drawn; the alarm's own first
MOST_SUSPECTED = 120  # of a line
SIGNS = (Part.BATCH, Part.PRODUCT)


@dataclass(slots=True)
class Shown:
    """One tag in a snapshot."""

    tag_id: UUID
    part: Part
    names: Names
    place: Names
    unit: str
    samples: list[Sample]
    suspect: Suspect | None = None


@dataclass(slots=True)
class Evidence:
    """One snapshot with all that is drawn: its tags, when the alarm was there, who reported, which shift began."""

    snapshot: Snapshot
    shown: list[Shown]
    spans: list[tuple[datetime, datetime | None]]
    reports: list[datetime]
    shifts: list[tuple[datetime, Names]] = field(default_factory=list)

    @property
    def suspected(self) -> list[Shown]:
        """The tags that changed most before it, most suspicious first."""
        return sorted((one for one in self.shown if one.suspect), key=lambda one: -one.suspect.score)  # type: ignore[union-attr]

    @property
    def drawn(self) -> list[Shown]:
        return [one for one in self.shown if one.part not in SIGNS]

    @property
    def signs(self) -> list[tuple[datetime, Part, str]]:
        """When another batch or another product began."""
        return [
            (after.at, one.part, str(after.value))
            for one in self.shown
            if one.part in SIGNS
            for before, after in pairwise(one.samples)
            if after.quality is GOOD and before.value != after.value and after.value not in (None, "")
        ]


def of_anomaly(session: Session, anomaly_id: UUID) -> list[Evidence]:
    """Return what is kept of an anomaly, the latest first: the return to normal, then its alarms."""
    which = select(Snapshot).where(Snapshot.anomaly_id == anomaly_id).order_by(col(Snapshot.at).desc())
    found = session.exec(which).all()
    return [_evidence(session, one) for one in found]


def tags_of(session: Session, snapshot: Snapshot) -> list[tuple[Part, Tag, Names]]:
    """Return the tags of a snapshot: the alarm's own, then those chosen for the station, or all that are there."""
    rows_of = select(EvidenceTag.tag_id, EvidenceTag.part).where(EvidenceTag.station_id == snapshot.station_id)
    chosen = {tag_id: Part(part) for tag_id, part in session.exec(rows_of)}
    plain = [tag_id for tag_id, part in chosen.items() if part == Part.CHOSEN]
    here = col(Tag.id).in_(chosen) | (col(Tag.id) == snapshot.tag_id)
    if not plain:
        here = here | (col(Tag.station_id) == snapshot.station_id)
    rows = session.exec(
        select(Tag, Station.names)
        .join(Station, col(Station.id) == col(Tag.station_id))
        .where(here)
        .order_by(col(Tag.id))
    ).all()
    parts: list[tuple[Part, Tag, Names]] = [
        (Part.ALARM if tag.id == snapshot.tag_id else chosen.get(tag.id, Part.CHOSEN), tag, dict(at))
        for tag, at in rows
    ]
    order = list(Part)
    kept = sorted(parts, key=lambda one: order.index(one[0]))
    return [*[one for one in kept if one[0] not in SIGNS][:MOST_TAGS], *[one for one in kept if one[0] in SIGNS]]


def develop(session: Session, snapshot: Snapshot, *, read: Reader = history.read) -> list[Shown]:
    """Return the tags of a snapshot with their values, and those of its line that changed most before it."""
    known = {tag.id: (part, tag, place) for part, tag, place in tags_of(session, snapshot)}
    accused: dict[UUID, Suspect] = {}
    if snapshot.moment == Moment.ALARM:
        others = [tag for tag in _around(session, snapshot) if tag[0].id not in known]
        candidates = [tag_id for tag_id, (part, *_) in known.items() if part == Part.CHOSEN]
        candidates += [tag.id for tag, _ in others]
        before = read(session, candidates, snapshot.at - LOOK_BACK, snapshot.at)
        accused = suspects(before, snapshot.at)
        known |= {tag.id: (Part.SUSPECT, tag, place) for tag, place in others if tag.id in accused}
    samples = read(session, known, snapshot.since, snapshot.until)
    return [
        Shown(tag.id, part, tag.names, place, tag.unit, samples.get(tag.id, []), accused.get(tag.id))
        for part, tag, place in known.values()
    ]


def _around(session: Session, snapshot: Snapshot) -> Sequence[tuple[Tag, Names]]:
    """The tags of the line, those of the station first: what is named most often is near."""
    line = select(Station.line_id).where(Station.id == snapshot.station_id).scalar_subquery()
    tags = (
        select(Tag, Station.names)
        .join(Station, col(Station.id) == col(Tag.station_id))
        .where(Station.line_id == line)
        .order_by((col(Station.id) == snapshot.station_id).desc(), col(Tag.id))
    )
    return [(tag, dict(place)) for tag, place in session.exec(tags.limit(MOST_SUSPECTED))]


def _evidence(session: Session, snapshot: Snapshot) -> Evidence:
    shown = develop(session, snapshot) if snapshot.frozen_at is None else _frozen(session, snapshot)
    here = select(Occurrence).where(Occurrence.anomaly_id == snapshot.anomaly_id)
    near = here.where(col(Occurrence.occurred_at) <= snapshot.until).order_by(col(Occurrence.occurred_at))
    signals = session.exec(near).all()
    site = session.exec(select(Site).join(Station, col(Station.site_id) == col(Site.id)).where(
        Station.id == snapshot.station_id)).one()  # fmt: skip
    shifts = session.exec(select(Shift).where(Shift.site_id == site.id)).all()
    return Evidence(
        snapshot,
        shown,
        _spans(signals, snapshot),
        [one.occurred_at for one in signals if one.kind in PEOPLE and one.occurred_at >= snapshot.since],
        _beginnings(shifts, snapshot.since, snapshot.until, ZoneInfo(site.timezone)),
    )


def _frozen(session: Session, snapshot: Snapshot) -> list[Shown]:
    rows = session.exec(select(SnapshotTag).where(SnapshotTag.snapshot_id == snapshot.id)).all()
    order = list(Part)
    return [
        Shown(row.tag_id, row.part, row.names, row.place, row.unit, unpack(row.data), _accusation(row))
        for row in sorted(rows, key=lambda row: (order.index(row.part), row.tag_id))
    ]


def _accusation(row: SnapshotTag) -> Suspect | None:
    if row.score is None or row.was is None or row.became is None or row.moved_at is None:
        return None
    return Suspect(row.score, row.was, row.became, row.moved_at)


def _spans(signals: Iterable[Occurrence], snapshot: Snapshot) -> list[tuple[datetime, datetime | None]]:
    """From when until when the alarm of the snapshot was there."""
    spans: list[tuple[datetime, datetime | None]] = []
    for one in signals:
        if one.rule_id != snapshot.rule_id or one.kind in PEOPLE:
            continue
        still = bool(spans) and spans[-1][1] is None
        if one.kind == "return_to_normal" and still:
            spans[-1] = (spans[-1][0], one.occurred_at)
        elif one.kind == "alarm" and not still:
            spans.append((one.occurred_at, None))
    return [span for span in spans if span[1] is None or span[1] >= snapshot.since]


def _beginnings(
    shifts: Iterable[Shift], since: datetime, until: datetime, zone: ZoneInfo
) -> list[tuple[datetime, Names]]:
    """When a shift began in between."""
    days = {since.astimezone(zone).date(), until.astimezone(zone).date()}
    starts = [(datetime.combine(day, shift.starts, zone), shift.names) for shift in shifts for day in days]
    return sorted((one for one in starts if since <= one[0] <= until), key=lambda one: one[0])
