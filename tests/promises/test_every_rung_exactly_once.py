"""Whatever people do and whoever dies: every rung strikes exactly once, at its time, and calls the right people.

Random shifts are played twice: by the real dispatch on a real database, with workers that die between any two steps,
and by the oracle, which knows the requirements and nothing of the app. Also through the two nights of the year in which
the clock on the wall is set.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.databases import Copies
from tests.promises.oracle import ASKED_LATER, Act, Called, Human, Kind, Route, Rung, Turn, Who, World, expected
from tests.promises.shift import Ground, Planned, Shift

pytestmark = pytest.mark.slow
BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = (date(2026, 10, 24), date(2027, 3, 27), date(2026, 11, 23))  # set back, set forward, left alone
NAMES = ("Anna", "Ben", "Cem", "Dora", "Emil", "Fatma", "Gert", "Hana")
LEADS = ("team_lead", "engineer", "manager")
HOURS = ((6, 14), (14, 22), (22, 6))
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
EVENING, HOUR, SMALL = time(18), timedelta(hours=1), 4
RESENT = timedelta(minutes=5)  # what a dead worker had in its hands is sent again within it
STATIONS = {f"P{n}": f"Line {n % 2 + 1}" for n in range(1, 7)}
MACHINE = Kind("machine", "maintenance", 3)
CASES = tuple(f"A{n}" for n in range(1, 7))

DUTY = (Who(duty=True), Who(duty=True, line=True))
STAFF = (
    *DUTY,
    Who(role="team_lead", line=True),
    Who(role="engineer"),
    Who(role="manager"),
    Who(team="quality"),
    Who(squad="rescue"),
    Who(person="Anna"),
)
OWNER = Who(owner=True)
UNSEEN = (Who(unseen=True), Who(unseen=True, deputies=True))


def _rungs(clock: str, afters: Sequence[int], who: Sequence[Who], *, least: int) -> SearchStrategy[tuple[Rung, ...]]:
    if not afters:
        return st.just(())
    times = st.lists(st.sampled_from(afters), min_size=least, max_size=3).map(sorted)
    call = st.lists(st.sampled_from(who), min_size=1, max_size=2, unique=True).map(tuple)
    return times.flatmap(lambda chosen: st.tuples(*(st.builds(Rung, st.just(clock), st.just(t), call) for t in chosen)))


def _ladder(severity: int) -> SearchStrategy[tuple[Rung, ...]]:
    clocks = st.tuples(
        _rungs("displayed", (30, 60, 300) if severity < SMALL else (), UNSEEN, least=0),
        _rungs("accepted", (0, 30, 120, 300, 900, 3600, 14400), STAFF, least=1),
        _rungs("on_site", (0, 300, 600, 1800), (OWNER, *STAFF), least=0),
        _rungs("resolved", (1800, 3600, 14400), (OWNER, *STAFF), least=0),
        _rungs("verified", (0, 600, 28800), STAFF, least=0),
    )
    return clocks.map(lambda rungs: tuple(itertools.chain(*rungs)))


ROUTES = st.builds(
    Route,
    call=st.lists(st.sampled_from(STAFF), min_size=1, max_size=2, unique=True).map(tuple),
    station=st.sampled_from(("", "", *STATIONS)),
    severities=st.sampled_from(((), (1,), (1, 2), (3, 4))),
) | st.builds(
    Route,
    call=st.lists(st.sampled_from(STAFF), min_size=1, max_size=2, unique=True).map(tuple),
    line=st.sampled_from(("Line 1", "Line 2")),
)
LADDERS = st.fixed_dictionaries({severity: _ladder(severity) for severity in (1, 2, 3, SMALL)})


@st.composite
def worlds(draw: st.DrawFn, night: date) -> World:
    """A small plant and who works there around a night."""
    pick, days = st.sampled_from, [night + timedelta(n) for n in range(-1, 3)]
    humans = [
        Human(
            name,
            role=LEADS[n] if n < len(LEADS) else draw(pick(("operator", *LEADS))),
            team=draw(pick(("maintenance", "maintenance", "quality", ""))),
            line=draw(pick(("", "", "Line 1", "Line 2"))),
            deputy=draw(pick(["", *(other for other in NAMES if other != name)])),
        )
        for n, name in enumerate(NAMES)
    ]
    turns = tuple(
        Turn(name, day, *hours)
        for name in sorted(draw(st.sets(pick(NAMES))))
        for day in days
        if (hours := draw(pick((*HOURS, None))))
    )
    return World(
        zone=BERLIN,
        humans=tuple(humans),
        ladders=draw(LADDERS),
        stations=STATIONS,
        kinds=(MACHINE,),
        ways=2,
        turns=turns,
        away=draw(st.frozensets(st.tuples(pick(NAMES), pick(days)), max_size=3)),
        silent=frozenset((t.name, t.day, t.starts) for t in turns if draw(st.integers(0, 3)) == 0),
        squads={"rescue": draw(st.frozensets(pick(NAMES), max_size=3))},
        routes=tuple(draw(st.lists(ROUTES, max_size=3))),
    )


NIGHTS_AND_WORLDS = st.sampled_from(NIGHTS).flatmap(lambda night: st.tuples(st.just(night), worlds(night)))
PAUSES = st.sampled_from((0, 1, 2, 10, 20, 30, 60, 120, 480)).map(lambda n: n * timedelta(seconds=30))
WISHES = st.lists(st.tuples(PAUSES, st.integers(0, 999)), min_size=1, max_size=25)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ground(request: pytest.FixtureRequest, copies: Callable[[str], Copies]) -> Ground:
    return Ground(copies(request.param))


@given(where=NIGHTS_AND_WORLDS, wishes=WISHES, fate=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
def test_every_rung_exactly_once(
    ground: Ground, where: tuple[date, World], wishes: list[tuple[timedelta, int]], fate: int
) -> None:
    night, world = where
    with ground.fresh():
        shift = Shift(ground, world, datetime.combine(night, EVENING, BERLIN).astimezone(UTC), random.Random(fate))
        plays(shift, wishes)
        event(f"workers that died: {min(shift.deaths, 10)}")
        told = expected(world, shift.script)

        struck, meant = shift.struck(), [replace(call, later=frozenset()) for call in told]
        assert Counter(struck) == Counter(meant), difference(world, shift.script, struck, meant)
        rings_as_told(shift, told)


def plays(shift: Shift, wishes: Iterable[tuple[timedelta, int]]) -> None:
    """Do what is wished, as far as it is possible then; and in the end let a day and a night pass."""
    for pause, choice in wishes:
        possible = list(possibilities(shift))
        shift.acts(replace(possible[choice % len(possible)], at=shift.now + pause))
    if not shift.runs:
        shift.acts(Act(shift.now, "start"))
    shift.acts(Act(shift.now + timedelta(hours=30), "end"))


def possibilities(shift: Shift) -> Iterator[Act]:
    """Whatever somebody could do now."""
    now, leads = shift.now, [human.name for human in shift.world.humans if human.role in LEADS]
    may_accept = [h.name for h in shift.world.humans if h.role in LEADS or h.team == MACHINE.team]
    yield Act(now, "stop" if shift.runs else "start")
    if len(shift.cases) < len(CASES):
        for severity, station in zip((1, 2, 3, 4), STATIONS, strict=False):
            case, place = CASES[len(shift.cases)], {"station": station, "line": STATIONS[station], "team": MACHINE.team}
            yield Act(now, "report", case, severity=severity, **place)
    for case in shift.cases:
        anomaly = shift.row(case)
        status, owner = str(anomaly.status), shift.name_of(anomaly.owner_id)
        if shift.heard(case):
            yield Act(now, "display", case)
        if status == "reported":
            yield from (Act(now, "accept", case, by=name) for name in may_accept)
        if status in ("reported", "accepted", "on_site", "resolved"):
            others = (severity for severity in (1, 2, 3, 4) if severity != anomaly.severity)
            yield from (Act(now, "regrade", case, by=leads[0], severity=severity) for severity in others)
        if status == "accepted":
            yield from (Act(now, "arrive", case, by=owner), Act(now, "release", case, by=owner))
        if status in ("accepted", "on_site"):
            yield Act(now, "resolve", case, by=owner)
        if status == "resolved":
            yield Act(now, "verify", case, by=next(n for n in leads if n != shift.name_of(anomaly.resolver_id)))


def rings_as_told(shift: Shift, told: Iterable[Called]) -> None:
    """Everybody who is called gets one message; it rings once, at its time, unless it is over by then."""
    due = {
        (call.at, call.case, call.place, name): call.at + (ASKED_LATER if name in call.later else timedelta())
        for call in told
        for name in call.names
    }
    meant = Counter((call.at, call.case, call.place, name) for call in told for name in call.names)
    assert Counter(call.meant for call in shift.calls()) == meant
    small = {act.case for act in shift.script if act.severity == SMALL}
    rung = {ring.delivery: ring.at for ring in shift.rang}
    for call in shift.calls():
        in_time = shift.awake_from(due[call.meant])
        if call.state == "sent":
            latest = shift.awake_from(in_time + HOUR + RESENT) if call.meant[1] in small else in_time
            assert in_time <= rung[call.id] <= latest or call.id in shift.shaken, late(shift, call)
        else:
            assert call.state == "dropped"
            assert call.is_over
            assert in_time > call.meant[0] or call.id in shift.shaken or call.meant[1] in small


def difference(world: World, script: Iterable[Act], struck: Iterable[Called], meant: Iterable[Called]) -> str:
    """Say it so that one can think about it: what was done, the ladders, and both answers side by side."""
    real, told = Counter(struck), Counter(meant)
    lines = [f"{human}" for human in world.humans]
    lines += [f"{severity} {rung}" for severity, rungs in world.ladders.items() for rung in rungs]
    both: list[tuple[datetime, str, object]] = [(act.at, " act", act) for act in script]
    both += [
        (c.at, " ok ", c) if real[c] == told[c] else (c.at, f"{real[c]} in the log, {told[c]} told", c)
        for c in real | told
    ]
    lines += [f"{at:%d %H:%M:%S} {how} {what}" for at, how, what in sorted(both, key=lambda line: line[0])]
    return "\n".join(lines)


def late(shift: Shift, wrong: Planned) -> str:
    """Tell everything that was to ring the same person."""
    name = wrong.meant[3]
    lines = [(act.at, f"{act}") for act in shift.script]
    lines += [(call.meant[0], f"planned {call}") for call in shift.calls() if call.meant[3] == name]
    lines += [(ring.at, f"rang {ring}") for ring in shift.rang if ring.name == name]
    return "\n".join([f"{wrong}", *(f"{at:%d %H:%M:%S} {what}" for at, what in sorted(lines))])
