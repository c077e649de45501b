"""What machines showed: written in packed stretches, read as samples, thinned after a day, forgotten at last.

In full for a day; after that of each minute the lowest, the highest and the last; and never more than the disk was
allowed. What rests is known as long as its tag exists: its last stretch is not forgotten.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, exists, func, or_, select

from app.kit.ids import new_id
from app.machines.history_models import HotTag, Stretch
from app.machines.models import Tag
from app.machines.packing import MINUTE, Packed, pack_samples, thin, unpack
from app.machines.rules import Sample

IN_FULL = timedelta(days=1)
AT_ONCE = timedelta(hours=6)  # so much of a tag is thinned together, so that few rows remain
MOST_SAMPLES = 20_000  # thinned in one transaction: others want to write too
MOST_HOT = 200  # tags; in a flood the others are stored as on a calm day
MOST_ROWS = 2_000


def read(session: Session, tag_ids: Iterable[UUID], since: datetime, until: datetime) -> dict[UUID, list[Sample]]:
    """Return the samples of each tag from `since` to `until`, times ascending.

    The first may be older: it says what was so when the time began. Tags of which nothing is known are left out.
    """
    found = {}
    for tag_id in set(tag_ids):
        of_tag = select(Stretch.data).where(Stretch.tag_id == tag_id)
        inside = col(Stretch.ends) >= since, col(Stretch.begins) <= until
        samples = _merged(session.exec(of_tag.where(*inside).order_by(col(Stretch.begins))))
        first = bisect_left(samples, since, key=_at)
        before = samples[max(first - 1, 0) : first]
        if not before:
            earlier = of_tag.where(col(Stretch.begins) < since).order_by(col(Stretch.begins).desc()).limit(1)
            before = [sample for sample in _merged(session.exec(earlier)) if sample.at < since][-1:]
        kept = [*before, *samples[first : bisect_right(samples, until, key=_at)]]
        if kept:
            found[tag_id] = kept
    return found


def latest(session: Session, tag_id: UUID) -> Sample | None:
    """Return the last sample that is stored of a tag; in calm times it is some minutes old."""
    of_tag = select(Stretch.data).where(Stretch.tag_id == tag_id).order_by(col(Stretch.ends).desc()).limit(1)
    return next(reversed(_merged(session.exec(of_tag))), None)


def write(session: Session, stretches: Sequence[Packed], *, now: datetime) -> set[UUID]:
    """Store these, and return the tags of which every moment is wanted soon."""
    if stretches:
        session.connection().execute(insert(Stretch), [_row(stretch, 0) for stretch in stretches])
    wanted = select(HotTag.tag_id).where(col(HotTag.until) > now).order_by(col(HotTag.until).desc()).limit(MOST_HOT)
    return set(session.exec(wanted))


def want(session: Session, tag_ids: Collection[UUID], *, until: datetime) -> None:
    """Let the samples of these tags be stored within seconds until then."""
    for tag_id in sorted(tag_ids):
        known = session.get(HotTag, tag_id)
        if known is None:
            session.add(HotTag(tag_id=tag_id, until=until))
        elif known.until < until:
            known.until = until
    session.flush()


def thin_next(session: Session, *, now: datetime) -> bool:
    """Thin a piece of the past of one tag. False when nothing is left to thin."""
    old = col(Stretch.step_s) == 0, col(Stretch.ends) < now - IN_FULL
    oldest = select(Stretch.tag_id).where(old[0], col(Stretch.ends) < now - IN_FULL - AT_ONCE)
    tag_id = session.exec(oldest.order_by(col(Stretch.ends)).limit(1)).first()
    if tag_id is None:
        return False
    here = select(Stretch).where(*old, Stretch.tag_id == tag_id).order_by(col(Stretch.begins)).limit(MOST_ROWS)
    rows: list[Stretch] = []
    count = 0
    for row in session.exec(here):
        if rows and (count := count + row.count) > MOST_SAMPLES:
            break
        rows.append(row)
    kept = thin(_merged(row.data for row in rows))
    session.execute(delete(Stretch).where(col(Stretch.id).in_([row.id for row in rows])))
    session.connection().execute(insert(Stretch), [_row(pack_samples(tag_id, kept), MINUTE)])
    return True


def forget(session: Session, *, days: int, megabytes: int, now: datetime) -> None:
    """Drop what is older than so many days, and the oldest of what does not fit into so many megabytes."""
    later = aliased(Stretch)
    of_tag = col(later.tag_id) == col(Stretch.tag_id)
    outdone = or_(
        exists().where(of_tag, col(later.begins) > col(Stretch.begins)), ~exists().where(col(Tag.id) == Stretch.tag_id)
    )
    session.execute(delete(Stretch).where(col(Stretch.ends) < now - timedelta(days=days), outdone))
    session.execute(delete(HotTag).where(col(HotTag.until) < now))
    too_much = (session.exec(select(func.sum(Stretch.size))).one() or 0) - megabytes * 1_000_000
    while too_much > 0:
        oldest = session.exec(select(Stretch.id, Stretch.size).order_by(col(Stretch.ends)).limit(MOST_ROWS)).all()
        gone = []
        for stretch_id, size in oldest:
            if too_much <= 0:
                break
            too_much -= size
            gone.append(stretch_id)
        session.execute(delete(Stretch).where(col(Stretch.id).in_(gone)))


def _row(stretch: Packed, step: int) -> dict[str, object]:
    return {
        "id": new_id(),
        "tag_id": stretch.tag_id,
        "begins": stretch.begins,
        "ends": stretch.ends,
        "step_s": step,
        "count": stretch.count,
        "lowest": stretch.lowest,
        "highest": stretch.highest,
        "size": len(stretch.data),
        "data": stretch.data,
    }


def _merged(stretches: Iterable[bytes]) -> list[Sample]:
    """All samples in order. Two workers may have watched at once for a moment: then the same is there twice."""
    samples = [sample for data in stretches for sample in unpack(data)]
    ordered = all(before.at <= after.at for before, after in pairwise(samples))
    return samples if ordered else sorted(samples, key=_at)


def _at(sample: Sample) -> datetime:
    return sample.at
