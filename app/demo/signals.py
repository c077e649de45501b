"""What goes wrong at a station, and who says so: a person who taps a tile, or a machine that leaves its limits."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.capture.observation import Kind, Observation
from app.capture.sources import alarms
from app.demo import phrases
from app.demo.plant import PLACES
from app.demo.tale import id_of
from app.demo.world import World
from app.flows.document import FlowDocument
from app.machines.demo import DEMO_TAGS, culprit
from app.machines.rules import Kind as RuleKind
from app.machines.rules import Quality, Sample, Transition
from app.machines.watch import Alarm, Edge

BY_MACHINE = 0.6  # of what a machine could say itself
FRESH = timedelta(days=16)
"""What `misbehave` brings up has not been for so long: it opens a new anomaly, not one that is still being watched."""

_FRESH_NODES = frozenset(culprit(number + 1).node for number in range(len(PLACES)))


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong, and who says so first: a machine (then with its `edge`), or a person."""

    at: datetime
    number: int
    flow: FlowDocument
    seen: Observation
    edge: Edge | None = None


@dataclass(slots=True)
class Signals:
    """Draws signals. `nodes`: of each tag; `edges`: the last one of each alarm rule that was made known."""

    world: World
    chance: random.Random
    nodes: Mapping[UUID, str]
    now: datetime
    edges: dict[UUID, Edge] = field(default_factory=dict)

    def trouble(self, number: int, at: datetime) -> Trouble:
        """Draw what goes wrong at a station."""
        troubles = PLACES[number - 1].troubles
        category = self.chance.choices(list(troubles), list(troubles.values()))[0]
        _, flow = self.world.flows[category]
        known = [a for a in self.world.alarms[number] if a.category == category and not self._rests(a, at)]
        if known and self.chance.random() < BY_MACHINE:
            edge = self._edge(self.chance.choice(known), at, active=True)
            return Trouble(at, number, flow, alarms.observation(edge), edge)
        return Trouble(at, number, flow, self.report(number, flow, at))

    def report(self, number: int, flow: FlowDocument, at: datetime, *, answers: bool = True) -> Observation:
        """Draw what a person says; with `answers` also to the two questions, perhaps."""
        chance = self.chance
        symptoms = [symptom.key for symptom in flow.symptoms if symptom.key not in phrases.NEVER]
        symptom = chance.choices(symptoms, [1 / (place + 1) for place in range(len(symptoms))])[0]
        answered = answers and chance.random() < 0.6
        known = chance.random() < 0.25
        return Observation(
            key=id_of(at),
            kind=Kind.REPORT,
            source="phone",
            station_id=self.world.stations[number].id,
            category=flow.category,
            occurred_at=at,
            what=symptom,
            message=phrases.SAID.get((flow.category, symptom), "") if chance.random() < 0.6 else "",
            line_stopped=chance.random() < 0.15 if answered else None,
            danger=chance.random() < 0.04 if answered else None,
            reporter_id=self.world.people["Li Wei"].id if known else None,
            captured_at=at,
            details={"symptom": symptom},
        )

    def me_too(self, number: int, anomaly_id: UUID, at: datetime) -> Observation:
        station = self.world.stations[number].id
        return Observation(id_of(at), Kind.ME_TOO, "phone", station, "", at, anomaly_id=anomaly_id)

    def made_known(self, edge: Edge) -> None:
        self.edges[edge.alarm.rule.id] = edge

    def back_to_normal(self, alarm: Alarm, at: datetime) -> Observation:
        edge = self._edge(alarm, at, active=False)
        self.made_known(edge)
        return alarms.observation(edge)

    def must_rest(self, number: int, heard: set[UUID | None], at: datetime) -> bool:
        """Whether among these alarm rules of a station is one that must be fresh for `misbehave`."""
        return any(self._rests(alarm, at) for alarm in self.world.alarms[number] if alarm.rule.id in heard)

    def _rests(self, alarm: Alarm, at: datetime) -> bool:
        return self.nodes[alarm.tag_id] in _FRESH_NODES and at > self.now - FRESH

    def _edge(self, alarm: Alarm, at: datetime, *, active: bool) -> Edge:
        """What the watcher would have found. Edges of a rule are numbered on, so that the next live one has its own."""
        rule, before = alarm.rule, self.edges.get(alarm.rule.id)
        tag = next(tag for tag in DEMO_TAGS if tag.node == self.nodes[alarm.tag_id])
        value: object = tag.normal
        if active and rule.kind in (RuleKind.HIGH, RuleKind.LOW):
            away = self.chance.uniform(0.01, 0.12)
            value = round((rule.setpoint or 0) * (1 + away if rule.kind == RuleKind.HIGH else 1 - away), 1)
        elif active:
            value = rule.active_when
        began = at - timedelta(seconds=rule.on_delay if active else rule.off_delay)
        number = before.transition.number + 1 if before else 1
        return Edge(alarm, Transition(active, began, at, number, Sample(value, Quality.GOOD, began)))
