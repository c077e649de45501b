"""The kinds of rules that remember, look at other tags, or are not always told: each case, in seconds after noon."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.machines.rules import BAD, GOOD, BadRule, Hours, Kind, Rule, Sample, Shelving, State
from app.machines.terms import Compare, Term
from app.machines.watch import Alarm, Edge, Watch

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEMP, LINE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
STATION = UUID(int=91)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def term(tag: UUID, test: str, value: str) -> Term:
    return Term(tag, Compare(test), value)


def alarm(kind: str, number: int = 10, tag: UUID = TEMP, group: str = "", **fields: object) -> Alarm:
    rule = Rule(UUID(int=number), Kind(kind), **fields)  # type: ignore[arg-type]
    return Alarm(rule, source_id=UUID(int=90), tag_id=tag, station_id=STATION, tag={"en": "Temp"}, group=group)


class Floor:
    """A watch with a clock: what is shown at which second, and what was told."""

    def __init__(self, *alarms: Alarm, states: dict[UUID, State] | None = None, calming: bool = False) -> None:
        self.alarms, self.watch = alarms, Watch(alarms, states or {}, now=NOON, calming=calming)
        self.edges: list[Edge] = []

    def shows(self, second: float, value: object, tag: UUID = TEMP) -> None:
        self.waits(second)
        sample = Sample(None, BAD, at(second)) if value == "bad" else Sample(value, GOOD, at(second))
        self.edges += self.watch.take([(tag, sample)], now=at(second))

    def waits(self, second: float) -> None:
        struck = 0
        while (due := self.watch.due) is not None and due <= at(second):
            self.edges += self.watch.tick(now=due)
            struck += 1
            assert struck < 5000, "a timer that has no effect strikes for ever"

    def changes(self, second: float, *alarms: Alarm) -> None:
        self.waits(second)
        self.edges += self.watch.change(alarms, {}, now=at(second))

    def told(self) -> list[tuple[float, bool]]:
        return [(seconds(edge), edge.transition.active) for edge in self.edges if not edge.transition.withheld]

    def kept(self) -> list[tuple[float, bool, str]]:
        return [(seconds(e), e.transition.active, e.transition.withheld) for e in self.edges if e.transition.withheld]


def seconds(edge: Edge) -> float:
    return (edge.transition.at - NOON).total_seconds()


def play(watched: Alarm, *steps: tuple[float, object] | tuple[float, object, UUID]) -> list[tuple[float, bool]]:
    floor = Floor(watched)
    for second, value, *tag in steps:
        if value == "wait":
            floor.waits(second)
        else:
            floor.shows(second, value, *tag)
    return floor.told()


RATE = {"setpoint": 10.0, "window": 60.0}
RUNNING = (term(LINE, "is", "on"),)


@pytest.mark.parametrize(
    ("watched", "steps", "edges"),
    [
        # Rate of change: per window, after a quarter of it; a jump is over when it is a window ago.
        (alarm("rate_of_change", **RATE), [(0, 20.0), (14, 40.0), (14.9, "wait")], []),
        (alarm("rate_of_change", **RATE), [(0, 20.0), (20, 24.0), (200, "wait")], [(20, True), (60, False)]),
        (alarm("rate_of_change", **RATE), [(0, 20.0), (60, 29.0), (120, 38.0), (180, 47.0)], []),
        (alarm("rate_of_change", **RATE), [(0, 20.0), (100, 32.0), (300, "wait")], [(100, True), (160, False)]),
        (alarm("rate_of_change", **RATE), [(0, 20.0), (100, 8.0), (300, "wait")], []),
        (alarm("rate_of_change", setpoint=-10, window=60), [(0, 20.0), (100, 8.0), (300, "wait")], [(100, True), (160, False)]),
        (alarm("rate_of_change", **RATE), [(0, 20.0), (50, "bad"), (100, 32.0), (110, 32.0), (300, "wait")], []),
        # Away from a set point, fixed or another tag's; what does not tell holds.
        (alarm("deviation", setpoint=5, target=50), [(0, 55.0), (1, 55.1), (2, 44.9), (3, 45.0)], [(1, True), (3, False)]),
        (alarm("deviation", setpoint=5, deadband=2, target=50), [(0, 56.0), (1, 54.0), (2, 53.0)], [(0, True), (2, False)]),
        (alarm("deviation", setpoint=5, target_tag=OTHER), [(0, 90.0), (1, 80.0, OTHER), (2, 86.0, OTHER)], [(1, True), (2, False)]),
        (alarm("deviation", setpoint=5, target_tag=OTHER), [(0, 90.0), (1, 80.0, OTHER), (2, "bad", OTHER), (3, 50.0)], [(1, True)]),
        # Bits, counted from 0; states, however the controller says them.
        (alarm("bit_pattern", mask=16, pattern=16), [(0, 15), (1, 16), (2, 255), (3, 0)], [(1, True), (3, False)]),
        (alarm("bit_pattern", mask=3, pattern=1), [(0, 3), (1, 5), (2, 4)], [(1, True), (2, False)]),
        (alarm("bit_pattern", mask=1, pattern=1), [(0, 1), (1, 0.0), (2, "x"), (3, True)], [(0, True)]),
        (alarm("state", states=frozenset({"3", "Fault"})), [(0, 2), (1, 3), (2, 3.0), (3, 1)], [(1, True), (3, False)]),
        (alarm("state", states=frozenset({"3", "Fault"})), [(0, "Run"), (1, "Fault "), (2, "Run")], [(1, True), (2, False)]),
        # Count: how often it goes on; the first value is no going on.
        (alarm("count", setpoint=3, window=60), [(0, True)] + [(n, n % 2 == 0) for n in range(1, 7)] + [(200, "wait")], [(6, True), (62, False)]),
        (alarm("count", setpoint=3, window=60), [(n * 25, n % 2 == 0) for n in range(9)], []),
        # Several tags: one that decides is enough, one that does not tell leaves it open.
        (alarm("combination", terms=(*RUNNING, term(OTHER, "above", "5"))), [(0, True, LINE), (1, 6, OTHER), (2, False, LINE)], [(1, True), (2, False)]),
        (alarm("combination", terms=(*RUNNING, term(OTHER, "above", "5")), any_of=True), [(0, False, LINE), (1, 6, OTHER), (2, 5, OTHER)], [(1, True), (2, False)]),
        (alarm("combination", terms=(*RUNNING, term(OTHER, "above", "5"))), [(0, True, LINE), (1, 6, OTHER), (2, "bad", LINE)], [(1, True)]),
        (alarm("combination", terms=(term(OTHER, "one_of", "A17, A18"),), on_delay=5), [(0, "A18", OTHER), (3, "wait"), (9, "wait")], [(5, True)]),
        # Active only when: it is normal while not meant, and held while nobody knows.
        (alarm("high", setpoint=80, only_when=RUNNING), [(0, 90.0), (1, True, LINE), (2, False, LINE)], [(1, True), (2, False)]),
        (alarm("high", setpoint=80, only_when=RUNNING, on_delay=10), [(0, 90.0), (50, True, LINE), (99, "wait")], [(60, True)]),
        (alarm("high", setpoint=80, only_when=RUNNING), [(0, True, LINE), (1, 90.0), (2, "bad", LINE), (3, 20.0)], [(1, True)]),
        (alarm("high", setpoint=80, hours=Hours("UTC", ((time(12, 1), time(12, 2)),))), [(0, 90.0), (300, "wait")], [(60, True), (120, False)]),
        (alarm("high", setpoint=80, hours=Hours("Asia/Shanghai", ((time(22), time(6)),))), [(0, 90.0), (86400, "wait")], [(7200, True), (36000, False)]),
        # Latched: it stays until somebody has looked.
        (alarm("high", setpoint=80, latched=True), [(0, 90.0), (1, 20.0), (999, "wait")], [(0, True)]),
        # Told again while it stands.
        (alarm("high", setpoint=80, realarm_time=60), [(0, 90.0), (130, 91.0), (150, 20.0), (500, "wait")], [(0, True), (60, True), (120, True), (150, False)]),
    ],
)  # fmt: skip
def test_each_case(watched, steps, edges):
    assert play(watched, *steps) == edges


def test_a_latched_alarm_clears_when_it_is_reset_and_normal():
    def latched(reset: datetime | None) -> Alarm:
        return alarm("high", setpoint=80, off_delay=5, latched=True, reset_at=reset)

    floor = Floor(latched(None))
    floor.shows(0, 90.0)
    floor.changes(10, latched(at(10)))
    floor.waits(20)
    assert floor.told() == [(0, True)], "reset, but not normal"
    floor.shows(30, 20.0)
    floor.waits(40)
    assert floor.told() == [(0, True), (35, False)]
    floor.shows(50, 90.0)
    floor.shows(60, 20.0)
    floor.waits(99)
    assert floor.told()[2:] == [(50, True)], "an old reset is no new one"


# --- suppression and shelving ---


def downstream(**fields: object) -> Alarm:
    return alarm("low", setpoint=5, suppress_when=(term(LINE, "is", "off"),), release_delay=30, **fields)


def test_what_lies_downstream_is_kept_and_told_when_it_still_stands_after_the_release_delay():
    floor = Floor(downstream())
    floor.shows(0, False, LINE)
    floor.shows(1, 2.0)
    floor.shows(100, True, LINE)
    floor.waits(129)
    assert (floor.told(), floor.kept()) == ([], [(1, True, "suppressed")])
    floor.waits(200)
    assert floor.told() == [(130, True)]
    assert floor.edges[-1].transition.since == at(1), "it began long before"


def test_what_clears_while_it_is_suppressed_is_never_told():
    floor = Floor(downstream())
    for step in ((0, False, LINE), (1, 2.0), (50, True, LINE), (60, 8.0)):
        floor.shows(*step)
    floor.waits(999)

    assert floor.told() == []
    assert floor.kept() == [(1, True, "suppressed"), (60, False, "suppressed")]


def test_what_was_told_before_stays_told():
    floor = Floor(downstream())
    for step in ((0, True, LINE), (1, 2.0), (2, False, LINE), (3, 8.0)):
        floor.shows(*step)

    assert floor.told() == [(1, True), (3, False)]


def test_after_a_start_nothing_is_told_before_it_is_known_whether_it_is_suppressed():
    floor = Floor(downstream())
    floor.shows(0, 2.0)
    floor.shows(0.1, False, LINE)
    floor.waits(99)

    assert (floor.told(), floor.kept()) == ([], [(0.1, True, "suppressed")])


def test_a_tag_that_cannot_be_read_suppresses_nothing():
    floor = Floor(downstream())
    floor.shows(0, "bad", LINE)
    floor.shows(1, 2.0)

    assert floor.told() == [(1, True)]


def shelved(until: float | None = None, **fields: object) -> Alarm:
    shelf = Shelving(at(0), None if until is None else at(until), one_shot=bool(fields.pop("one_shot", False)))
    return alarm("high", setpoint=80, shelf=shelf, **fields)


def test_a_timed_shelf_ends_by_itself_and_tells_what_still_stands():
    floor = Floor(shelved(until=3600))
    floor.shows(10, 90.0)
    floor.shows(20, 20.0)
    floor.shows(30, 90.0)
    floor.waits(9999)

    assert floor.told() == [(3600, True)]
    assert floor.kept() == [(10, True, "shelved"), (20, False, "shelved"), (30, True, "shelved")]


def test_shelving_what_is_active_hides_it_and_tells_it_again():
    floor = Floor(alarm("high", setpoint=80))
    floor.shows(-5, 90.0)
    floor.changes(0, shelved(until=60))
    floor.waits(999)

    assert floor.told() == [(-5, True), (0, False), (60, True)]
    assert floor.edges[1].transition.sample.status == "Shelved"


def test_taking_a_shelf_away_by_hand_tells_at_once():
    floor = Floor(shelved())
    floor.shows(10, 90.0)
    floor.changes(20, alarm("high", setpoint=80))

    assert floor.told() == [(20, True)]
    floor.shows(30, 20.0)
    assert floor.told() == [(20, True), (30, False)]


def test_one_shot_is_used_up_by_one_return_to_normal():
    floor = Floor(shelved(one_shot=True))
    for second, value in ((1, 90.0), (2, 20.0), (3, 90.0)):
        floor.shows(second, value)

    assert floor.told() == [(3, True)]


# --- chatter, groups ---


def test_chatter_is_one_anomaly_counted_and_over_when_it_was_quiet_for_ten_minutes():
    floor = Floor(alarm("high", setpoint=80), calming=True)
    for n in range(200):
        floor.shows(n, 90.0 if n % 2 == 0 else 20.0)
    floor.waits(2000)

    assert floor.told() == [(0, True), (1, False), (2, True), (3, False), (4, True), (199 + 600, False)]
    assert [edge.chattering for edge in floor.edges] == [False] * 4 + [True, False]
    assert floor.edges[-1].counted == 97


def test_chatter_that_ends_in_an_alarm_stays_one():
    floor = Floor(alarm("high", setpoint=80), calming=True)
    for n in range(101):
        floor.shows(n, 90.0 if n % 2 == 0 else 20.0)
    floor.waits(2000)
    assert floor.told()[-1] == (4, True)
    floor.shows(3000, 20.0)
    assert floor.told()[-1] == (3000, False)


def test_two_rises_in_a_minute_are_no_chatter_and_what_is_gone_at_once_was_fleeting():
    floor = Floor(alarm("high", setpoint=80), calming=True)
    for n, second in enumerate((0, 5, 20, 45, 61, 99)):
        floor.shows(second, 90.0 if n % 2 == 0 else 20.0)

    assert len(floor.edges) == 6
    assert [edge.fleeting for edge in floor.edges] == [False, True, False, False, False, False]


def group(number: int, tag: UUID) -> Alarm:
    return alarm("high", number, tag, group="oven", setpoint=80)


def test_of_a_group_the_first_takes_what_follows_within_a_minute():
    floor = Floor(group(10, TEMP), group(11, LINE), group(12, OTHER))
    floor.shows(0, 90.0)
    floor.shows(30, 90.0, LINE)
    floor.shows(61, 90.0, OTHER)
    floor.shows(70, 20.0, LINE)

    firsts = [(edge.is_first, edge.first.rule.id.int if edge.first else None) for edge in floor.edges]
    assert firsts == [(True, None), (False, 10), (True, None), (False, 10)]


def test_after_a_restart_a_follower_still_belongs_to_the_first():
    states = {UUID(int=10): State(True, at(-20)), UUID(int=11): State(True, at(-10), first=UUID(int=10))}
    floor = Floor(group(10, TEMP), group(11, LINE), group(12, OTHER), states=states)
    floor.shows(5, 20.0, LINE)
    floor.shows(6, 90.0, OTHER)

    assert [edge.first and edge.first.rule.id.int for edge in floor.edges] == [10, 10]


# --- rules that cannot work ---


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "rate_of_change", "setpoint": 5},
        {"kind": "rate_of_change", "setpoint": 0, "window": 5},
        {"kind": "deviation", "setpoint": -5},
        {"kind": "deviation"},
        {"kind": "deviation", "setpoint": 5, "target": float("nan")},
        {"kind": "bit_pattern"},
        {"kind": "bit_pattern", "mask": 1, "pattern": 2},
        {"kind": "state"},
        {"kind": "count", "setpoint": 0, "window": 60},
        {"kind": "count", "setpoint": 2},
        {"kind": "combination"},
        {"kind": "combination", "terms": (term(LINE, "above", "hot"),)},
        {"kind": "combination", "terms": (term(LINE, "bit", "64"),)},
        {"kind": "high", "setpoint": 1, "only_when": (term(LINE, "is", " "),)},
        {"kind": "high", "setpoint": 1, "realarm_time": -1},
    ],
)
def test_a_rule_that_cannot_work_is_refused(fields):
    with pytest.raises(BadRule):
        alarm(**fields)


# --- properties ---


@given(st.lists(st.floats(min_value=-2.4, max_value=2.4), min_size=40, max_size=40), st.booleans())
def test_a_noisy_ramp_is_one_anomaly(noise, falls):
    """The dead-band is wider than the noise: it rises once, and falls once on the way back."""
    floor = Floor(alarm("low" if falls else "high", setpoint=0, deadband=5))
    way = [n - 10 for n in range(20)] + [10 - n for n in range(20)]
    for second, (base, jitter) in enumerate(zip(way, noise, strict=True)):
        floor.shows(second, (base + jitter) * (-1 if falls else 1))

    assert [active for _, active in floor.told()] in ([True], [True, False])


delays = st.sampled_from([0.0, 1.0, 7.0, 30.0])
extras = st.fixed_dictionaries(
    {},
    optional={
        "only_when": st.just(RUNNING),
        "suppress_when": st.just((term(OTHER, "is", "on"),)),
        "release_delay": delays,
        "latched": st.booleans(),
        "realarm_time": st.sampled_from([0.0, 20.0]),
        "shelf": st.sampled_from([None, Shelving(at(0), at(60)), Shelving(at(0), None, one_shot=True)]),
    },
)
shown = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.one_of(
            st.tuples(st.sampled_from([20.0, 78.0, 81.0, 95.0, "bad"]), st.just(TEMP)),
            st.tuples(st.booleans(), st.sampled_from([LINE, OTHER])),
        ),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(on=delays, off=delays, band=st.sampled_from([0.0, 3.0]), more=extras, history=shown)
def test_delays_and_dead_bands_in_every_order(on, off, band, more, history):
    """Whatever comes in whatever order: what is told alternates, numbers grow, and no timer strikes for ever."""
    floor = Floor(alarm("high", setpoint=80, deadband=band, on_delay=on, off_delay=off, **more))
    second = 0
    for rest, (value, tag) in history:
        second += rest
        floor.shows(second, value, tag)
    floor.waits(second + 500)

    told = [e.transition.active for e in floor.edges if not e.transition.withheld and not e.transition.again]
    assert told == [n % 2 == 0 for n in range(len(told))]
    assert [e.transition.number for e in floor.edges] == list(range(1, len(floor.edges) + 1))
    assert all(e.transition.since <= e.transition.at for e in floor.edges)


@settings(max_examples=100, deadline=None)
@given(off=delays, band=st.sampled_from([0.0, 3.0]), history=shown, cut=st.integers(0, 25))
def test_a_restart_in_between_changes_nothing(off, band, history, cut):
    """What is known is in the edges; after a restart the present values are read again."""
    watched = alarm("high", setpoint=80, deadband=band, off_delay=off, suppress_when=(term(OTHER, "is", "on"),))
    through, broken = Floor(watched), Floor(watched)
    second, last = 0, {}
    for n, (rest, (value, tag)) in enumerate([(1, (False, OTHER)), *history]):
        second += rest
        through.shows(second, value, tag)
        broken.shows(second, value, tag)
        last[tag] = value
        if n == cut:
            through.waits(second + 100)
            broken.waits(second + 100)
            second += 100
            known = broken.watch._tags[TEMP].posts[0].state
            state = State(known.active, known.since, None, known.changes, known.withheld)
            again = Floor(watched, states={watched.rule.id: state})
            again.edges, broken = broken.edges, again
            for known_tag, known_value in last.items():
                broken.shows(second, known_value, known_tag)
    through.waits(second + 500)
    broken.waits(second + 500)

    assert broken.told() == through.told()
