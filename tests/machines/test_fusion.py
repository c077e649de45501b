"""A shift of which we know what really happened: what people and machines say of one event becomes one anomaly.

Each event has a cause; what it does to the values of its station, who sees it, when and what they tap is drawn by
chance. Values go through the real watch, everything through the real door. In the end every two signals are asked:
are you of one event, and of one anomaly? Longer than most files because it is one play, and what it must come to.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from math import comb
from uuid import UUID, uuid5

import pytest

from app.anomaly.lifecycle import Status
from app.anomaly.models import Anomaly
from app.capture.intake import receive
from app.capture.observation import Kind as Seen
from app.capture.observation import Observation
from app.capture.sources import alarms
from app.kit.errors import DomainError
from app.kit.ids import new_id
from app.machines.rules import GOOD, Kind, Rule, Sample
from app.machines.watch import Alarm, Watch
from app.people.models import Person
from app.resolve import actions
from tests import factories
from tests.databases import CommittingSession
from tests.factories import MONDAY, id_of

STATIONS = 24
SHIFT = timedelta(hours=8)
BETWEEN = timedelta(minutes=75)  # from the end of one event of a station to its next, on average
OVERLAP = 0.3  # of all, the next one does not wait for that end: a station that stands seldom gets a second trouble
GOOD_ENOUGH = 0.95

Causes = dict[str, tuple[str, tuple[str, ...], int]]
CAUSES: Causes = {
    "overheating": ("machine", ("hot",), 3),
    "jam": ("machine", ("jam", "stopped"), 2),
    "leak": ("machine", ("leak",), 1),
    "bearing": ("machine", ("noise",), 2),
    "sensor": ("machine", ("sensor",), 1),
    "no material": ("material", ("missing",), 0),
    "wrong part": ("material", ("wrong_part",), 0),
    "scratches": ("quality", ("scratch",), 0),
}
"""What people call it: category and symptoms; and how many of the station's alarms it raises, one after the other."""

Act = Callable[[], None]


@dataclass
class Shift:
    """`truth` and `found` say for each signal of which event it is, and of which anomaly it became."""

    session: CommittingSession
    chance: random.Random
    truth: dict[UUID, int] = field(default_factory=dict)
    found: dict[UUID, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now, self._acts, self._turn, self._event = MONDAY, [], count(), count()
        self._of_rule: dict[UUID, int] = {}
        self._anomalies: dict[int, UUID] = {}
        self._watch = Watch(list(self._alarms()), {}, now=MONDAY, calming=True)

    def lives(self) -> None:
        """Let the shift pass."""
        for number in range(STATIONS):
            causes, at = self.chance.sample(list(CAUSES), len(CAUSES)), MONDAY
            for cause in causes:
                at += timedelta(seconds=self.chance.expovariate(1 / BETWEEN.total_seconds()))
                if at < MONDAY + SHIFT:
                    ends = self._happens(number, cause, at)
                    at = at if self.chance.random() < OVERLAP else ends
        heapify(self._acts)
        while self._acts:
            at, _, act = heappop(self._acts)
            while (due := self._watch.due) is not None and due <= at:
                self.now = max(self.now, due)
                self._tell_of(self._watch.tick(now=self.now))
            self.now = at
            act()

    def agreement(self) -> tuple[float, float]:
        """Return pairwise precision and recall."""
        both, events, anomalies = Counter(), Counter(), Counter()
        for signal, event in self.truth.items():
            both[event, self.found[signal]] += 1
            events[event] += 1
            anomalies[self.found[signal]] += 1
        right, true, claimed = (sum(comb(n, 2) for n in of.values()) for of in (both, events, anomalies))
        return right / claimed, right / true

    # What happens.

    def _happens(self, station: int, cause: str, begins: datetime) -> datetime:
        """Put down what will be seen of it. Return when it ends."""
        category, symptoms, raised = CAUSES[cause]
        event, chance = next(self._event), self.chance
        ends = begins + timedelta(minutes=chance.uniform(4, 30))
        told = begins
        for tag in range(raised):
            if tag and chance.random() < 0.4:
                break
            self._of_rule[_rule(station, cause, tag)] = event
            told = self._leaves_its_limits(station, cause, tag, begins, ends)
        if not raised or chance.random() < 0.75:
            seen = begins + timedelta(seconds=chance.uniform(20, 300))
            for person in range(chance.choice((1, 1, 1, 2, 3))):
                wrong = chance.random() < 0.05
                symptom = "other" if wrong else chance.choice(symptoms)
                says = "quality" if category == "machine" and chance.random() < 0.05 else category
                self._at(seen, lambda who=person, what=symptom, how=says: self._calls(event, station, how, what, who))
                seen += timedelta(seconds=chance.uniform(10, 240))
        self._at(max(ends, told) + timedelta(minutes=chance.uniform(2, 5)), lambda: self._is_repaired(event))
        return ends

    def _leaves_its_limits(self, station: int, cause: str, tag: int, begins: datetime, ends: datetime) -> datetime:
        """Up, perhaps with some flutter at first, and back when it is repaired. Return when."""
        up = begins + timedelta(seconds=self.chance.uniform(0, 15) + 12 * tag)
        values = [(up, 100.0)]
        if self.chance.random() < 0.3:
            for n in range(self.chance.randint(1, 8)):
                values += [(up + timedelta(seconds=8 * n + 3), 20.0), (up + timedelta(seconds=8 * n + 8), 100.0)]
        back = ends + timedelta(seconds=self.chance.uniform(0, 60))
        for at, value in [*values, (back, 20.0)]:
            self._at(at, lambda value=value: self._shows(_tag(station, cause, tag), value))
        return back

    def _shows(self, tag: UUID, value: float) -> None:
        self._tell_of(self._watch.take([(tag, Sample(value, GOOD, self.now))], now=self.now))

    def _tell_of(self, edges: list) -> None:
        self._receive([(alarms.observation(edge), self._of_rule[edge.alarm.rule.id]) for edge in edges])

    def _calls(self, event: int, station: int, category: str, symptom: str, person: int) -> None:
        """Whoever comes second sees on the phone that it is known, and mostly says "me too"."""
        known = self._anomalies.get(event) if person and self.chance.random() < 0.8 else None
        kind = Seen.ME_TOO if known else Seen.REPORT
        where = {"station_id": _station(station), "category": category, "occurred_at": self.now}
        seen = Observation(key=new_id(), kind=kind, source="phone", what=symptom, anomaly_id=known, **where)
        self._receive([(seen, event)])

    def _receive(self, observations: list[tuple[Observation, int]]) -> None:
        answers = receive(self.session, [seen for seen, _ in observations], now=self.now)
        for (_, event), answer in zip(observations, answers, strict=True):
            if not isinstance(answer, DomainError) and answer.anomaly_id is not None:
                self.truth[answer.key], self.found[answer.key] = event, answer.anomaly_id
                self._anomalies.setdefault(event, answer.anomaly_id)
        self.session.commit()

    def _is_repaired(self, event: int) -> None:
        """Whoever was called has come, has put it right, and somebody else has looked."""
        lead, manager = (self.session.get_one(Person, id_of("person", name)) for name in ("Wang Lei", "Zhao Min"))
        for anomaly_id in {self.found[signal] for signal, of in self.truth.items() if of == event}:
            anomaly = self.session.get_one(Anomaly, anomaly_id, populate_existing=True)
            if anomaly.status is not Status.REPORTED:
                continue
            actions.accept(self.session, anomaly_id, by=lead, now=self.now)
            told = {"cause_class": None, "cause": "", "fix": "", "permanent": True}
            actions.resolve(self.session, anomaly_id, by=lead, now=self.now, **told)
            actions.verify(self.session, anomaly_id, by=manager, now=self.now, override="seen to work")
        self.session.commit()

    def _at(self, moment: datetime, act: Act) -> None:
        heappush(self._acts, (moment, next(self._turn), act))

    def _alarms(self) -> Iterator[Alarm]:
        for station in range(STATIONS):
            for cause, (_, _, raised) in CAUSES.items():
                for tag in range(raised):
                    rule = Rule(_rule(station, cause, tag), Kind.HIGH, setpoint=80.0, deadband=5.0)
                    where = {"tag_id": _tag(station, cause, tag), "station_id": _station(station)}
                    name = {"en": f"{cause} {tag}"}
                    yield Alarm(rule, source_id=id_of("source", "PLC"), tag=name, group=cause, **where)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_people_and_machines_say_of_one_event_is_one_anomaly(session, seed):
    factories.plant(session)
    for number in range(STATIONS):
        factories.station(session, f"Cell {number}", code=f"C{number:03}", line="Line 3")
    session.commit()
    shift = Shift(session, random.Random(seed))

    shift.lives()

    precision, recall = shift.agreement()
    events, anomalies = len(set(shift.truth.values())), len(set(shift.found.values()))
    sys.stdout.write(
        f"{len(shift.truth)} signals, {events} events: {anomalies} anomalies, {precision:.3f} {recall:.3f}\n"
    )
    assert len(shift.truth) > 200
    assert precision >= GOOD_ENOUGH
    assert recall >= GOOD_ENOUGH


def _station(number: int) -> UUID:
    return id_of("station", f"Cell {number}")


def _tag(station: int, cause: str, number: int) -> UUID:
    return uuid5(_station(station), f"{cause} {number}")


def _rule(station: int, cause: str, number: int) -> UUID:
    return uuid5(_tag(station, cause, number), "rule")
