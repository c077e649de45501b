"""What the demonstration plant's machines showed: a week of values that fit the alarms that were told.

A value swings around what is normal; before an alarm it leaves, and comes back when the machine is back to normal. And
often another signal of the line has begun to move some minutes earlier: that is what evidence is for.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.models import Occurrence
from app.evidence import actions as evidence
from app.evidence.models import Snapshot
from app.machines import history
from app.machines.demo import DEMO_TAGS, DemoTag
from app.machines.models import AlarmRule, Tag
from app.machines.packing import MINUTE, pack_samples
from app.machines.rules import GOOD, SIGNAL_KINDS, Sample
from app.plant.models import Station

DAYS = 7
IN_FULL = timedelta(days=1)
STEP = 10  # seconds between two values of the last day; a minute before that
SWING_S = 90.0
LEAVES, RETURNS = timedelta(seconds=70), timedelta(seconds=40)
EARLIER = timedelta(minutes=4)  # the other signal has begun to move
OFTEN = 0.7  # there is another signal that did
PART = 0.6  # of the way to its own limit: suspicious, and no alarm
NORMAL_MINUTES = 10
PIECE = 2160  # samples in one stretch


@dataclass(frozen=True, slots=True)
class Bend:
    """From `leaves` to `there` it goes to another level, and back from `turns` to `back`."""

    leaves: datetime
    there: datetime
    turns: datetime
    back: datetime
    level: float

    def part(self, at: datetime) -> float:
        """How much of the way it has gone at that moment."""
        if not self.leaves < at < self.back:
            return 0.0
        there = (at - self.leaves) / (self.there - self.leaves)
        return min(there, (self.back - at) / (self.back - self.turns), 1.0)


@dataclass(slots=True)
class Shape:
    """One signal through the week."""

    tag: DemoTag
    bends: list[Bend] = field(default_factory=list)

    def show(self, at: datetime, chance: random.Random) -> float | bool:
        tag = self.tag
        bends = [(bend, part) for bend in self.bends if (part := bend.part(at))]
        if isinstance(tag.normal, bool):
            return tag.abnormal if any(bend.there <= at < bend.turns for bend, _ in bends) else tag.normal
        wave = math.sin(at.timestamp() * math.tau / SWING_S + tag.station)
        level = tag.normal + tag.swing * (0.7 * wave + chance.uniform(-0.3, 0.3))
        return round(level + sum(part * (bend.level - tag.normal) for bend, part in bends), 2)


def remember(session: Session, *, now: datetime, chance: random.Random) -> None:
    """Write the values of the week before `now`, and the evidence of its alarms."""
    since = now - timedelta(days=DAYS)
    shapes, signals = _shapes(session, since, now, chance)
    for tag_id, shape in shapes.items():
        for step, begins, ends in ((MINUTE, since, now - IN_FULL), (STEP, now - IN_FULL, now)):
            samples = list(_samples(shape, begins, ends, step, chance))
            pieces = [samples[place : place + PIECE] for place in range(0, len(samples), PIECE)]
            history.write(session, [pack_samples(tag_id, piece) for piece in pieces], now=now)

    def read(_: Session, tag_ids: Iterable[UUID], begins: datetime, ends: datetime) -> dict[UUID, list[Sample]]:
        return {one: list(_samples(shapes[one], begins, min(ends, now), STEP, chance)) for one in tag_ids}

    for signal in signals:
        evidence.begin(session, signal, normal_minutes=NORMAL_MINUTES)
    for snapshot_id in session.exec(select(Snapshot.id).where(col(Snapshot.until) < now - evidence.SETTLED)).all():
        evidence.freeze(session, snapshot_id, evidence.frozen(session, snapshot_id, read=read), now=now)
    evidence.catch_up(session)


def _samples(shape: Shape, since: datetime, until: datetime, step: int, chance: random.Random) -> Iterator[Sample]:
    shown: object = None
    for n in range(int((until - since).total_seconds()) // step):
        at = since + timedelta(seconds=n * step)
        value = shape.show(at, chance)
        if value != shown:
            yield Sample(value, GOOD, at)
        shown = value


def _shapes(
    session: Session, since: datetime, now: datetime, chance: random.Random
) -> tuple[dict[UUID, Shape], list[Occurrence]]:
    """The signals of the machines with every alarm of the week in them, and what was told of these alarms."""
    known = {demo.node: demo for demo in DEMO_TAGS}
    rows = session.exec(select(Tag, Station.line_id).join(Station, col(Station.id) == col(Tag.station_id))).all()
    shapes = {tag.id: Shape(known[tag.node]) for tag, _ in rows if tag.node in known}
    lines = {tag.id: line for tag, line in rows}
    rules = {rule.id: rule for rule in session.exec(select(AlarmRule)) if rule.kind not in SIGNAL_KINDS}
    spoken = col(Occurrence.source) == "opcua", col(Occurrence.occurred_at) > since + timedelta(hours=1)
    found = session.exec(select(Occurrence).where(*spoken).order_by(col(Occurrence.received_at))).all()
    signals = [one for one in found if one.rule_id in rules]
    for alarm, ended in _spans(signals, now):
        rule = rules[alarm.rule_id] if alarm.rule_id else None
        if rule is None or rule.tag_id not in shapes:
            continue
        shapes[rule.tag_id].bends.append(_bend(alarm, ended, shapes[rule.tag_id].tag))
        others = [id_ for id_ in shapes if lines[id_] == lines[rule.tag_id] and id_ != rule.tag_id]
        moved = [shapes[id_] for id_ in others if _limit(shapes[id_].tag) is not None]
        if moved and chance.random() < OFTEN:
            shape = chance.choice(moved)
            limit, began = _limit(shape.tag), alarm.occurred_at - EARLIER
            level = shape.tag.normal + PART * ((limit or 0.0) - shape.tag.normal)
            shape.bends.append(Bend(began, began + LEAVES, ended, ended + RETURNS, level))
    return shapes, signals


def _spans(signals: Iterable[Occurrence], now: datetime) -> Iterator[tuple[Occurrence, datetime]]:
    """Every alarm with the moment it was over, or a while from now."""
    waiting: Mapping[UUID | None, list[Occurrence]] = defaultdict(list)
    for signal in signals:
        if signal.kind == "alarm":
            waiting[signal.rule_id].append(signal)
        elif waiting[signal.rule_id]:
            yield waiting[signal.rule_id].pop(), signal.occurred_at
    for left in waiting.values():
        for signal in left:
            yield signal, now + timedelta(hours=1)


def _bend(alarm: Occurrence, ended: datetime, tag: DemoTag) -> Bend:
    """It is as far as was told when the alarm was raised, and reaches its limit where that says it began."""
    try:
        level = float(str(alarm.details.get("value")))
    except ValueError:
        level = float(tag.abnormal)
    began = alarm.occurred_at
    limit, normal = alarm.details.get("limit"), float(tag.normal)
    share = abs(float(str(limit)) - normal) / max(abs(level - normal), 1e-9) if limit is not None else 0.0
    leaves = began - LEAVES * min(share, 1.0) if share else began - timedelta(milliseconds=1)
    return Bend(
        leaves, leaves + LEAVES if share else began, max(ended - RETURNS, leaves + LEAVES), ended + RETURNS / 2, level
    )


def _limit(tag: DemoTag) -> float | None:
    """The limit that is left in the direction of `abnormal`; of what is only on or off there is none."""
    return next((rule.setpoint for rule in tag.rules if rule.setpoint is not None and tag.swing), None)
