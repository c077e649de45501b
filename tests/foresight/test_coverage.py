"""The proof that somebody would come, against a brute-force look at every minute."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.dispatch.recipients import recipients
from app.flows.document import Audience, FlowDocument, Ladder, Rung
from app.flows.ladders import DUTY, ENGINEERS, LINE_LEAD, MANAGERS
from app.flows.routing import Hours, Route, Routing
from app.foresight.coverage import SEVERITIES, Coverage
from app.foresight.timeline import Case, Plan
from app.people.models import Person, Role
from app.plant.models import Station
from app.rosters.roster import Roster, spell
from tests.factories import id_of

SUNDAY = date(2026, 10, 25)  # the night in Berlin that has an hour twice
TEAMS = {key: id_of("team", key) for key in ("maintenance", "quality")}
LINES = [id_of("line", name) for name in ("Line 3", "Line 4")]
AREAS = {LINES[0]: id_of("area", "Stamping"), LINES[1]: id_of("area", "Assembly")}
SITE = id_of("site", "Suzhou")
SHIFTS = [
    Hours(id_of("shift", name), SITE, time(starts), time(ends, 30))
    for name, starts, ends in (("early", 6, 14), ("night", 22, 2))
]


def station(name: str, line: UUID) -> Station:
    return Station(id=id_of("station", name), line_id=line, site_id=SITE, code=name, names={"en": name})


STATIONS = [station("A", LINES[0]), station("B", LINES[0]), station("C", LINES[1])]


def person(name: str, role: Role = Role.OPERATOR, team: str = "", line: UUID | None = None, **more: object) -> Person:
    return Person(
        id=id_of("person", name), site_id=SITE, name=name, role=role, team_id=TEAMS.get(team), line_id=line, **more
    )


def flow(category: str, team: str, ladders: dict[int, Ladder]) -> FlowDocument:
    return FlowDocument(category=category, names={"en": category}, icon=category, team=team, ladders=ladders)


def ladder(*calls: tuple[Audience, ...]) -> Ladder:
    return Ladder(rungs=tuple(Rung(clock="accepted", after=60 * n, call=call) for n, call in enumerate(calls)))


audiences = st.sampled_from(
    [DUTY, LINE_LEAD, ENGINEERS, MANAGERS, Audience(team="quality"), Audience(team="owner", line=True),
     Audience(squad="S"), Audience(person=id_of("person", "P0")), Audience(team="owner", deputies=True)]
)  # fmt: skip
calls = st.lists(audiences, min_size=1, max_size=2).map(tuple)
ladders = st.dictionaries(
    st.sampled_from(SEVERITIES), st.lists(calls, min_size=1, max_size=3).map(lambda c: ladder(*c)), min_size=1
)
routes = st.lists(
    st.builds(
        Route,
        station=st.none() | st.just(STATIONS[1].id),
        categories=st.sampled_from([(), ("machine",)]),
        severities=st.sampled_from([(), (1, 2)]),
        shifts=st.sampled_from([(), (SHIFTS[0].id,), (SHIFTS[1].id,)]),
        call=calls,
    )
    | st.builds(Route, line=st.just(LINES[0]), call=calls)
    | st.builds(Route, area=st.just(AREAS[LINES[1]]), call=calls),
    max_size=3,
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    zone = ZoneInfo(draw(st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/New_York"])))
    staff = [
        person(
            f"P{n}",
            draw(st.sampled_from(list(Role))),
            draw(st.sampled_from(["", *TEAMS])),
            draw(st.sampled_from([None, *LINES])),
            deputy_id=id_of("person", "P0"),
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    duties = draw(st.sets(st.tuples(st.sampled_from(staff).map(lambda p: p.id), st.integers(0, 1), st.integers(-1, 2))))
    spells = [spell(who, SHIFTS[s].id, SUNDAY + timedelta(day), SHIFTS[s], zone) for who, s, day in duties]
    return Plan(
        roster=Roster(
            zone,
            staff,
            spells,
            away=frozenset(draw(st.sets(st.tuples(st.sampled_from(staff).map(lambda p: p.id), st.just(SUNDAY))))),
            silent=frozenset((who, SHIFTS[s].id, SUNDAY) for who, s, _ in draw(st.sets(st.sampled_from(sorted(duties)))))
            if duties
            else frozenset(),
            squads={"S": frozenset({staff[-1].id})},
        ),
        routing=Routing(draw(routes), AREAS, SHIFTS),
        flows={"machine": flow("machine", "maintenance", draw(ladders)), "quality": flow("quality", "quality", draw(ladders))},
        teams=TEAMS,
    )  # fmt: skip


def by_brute_force(plan: Plan, station: Station, category: str, severity: int, at: datetime) -> tuple:
    case = Case.at(station, category, severity, plan)
    rungs = plan.flows[category].ladder(severity).of("accepted")
    ask = {"at": at, "roster": plan.roster, "routing": plan.routing, "teams": plan.teams}
    return tuple(tuple(one.person.id for one in recipients(rung, case, **ask)) for rung in rungs)


@settings(max_examples=25, deadline=None)
@given(plan=plans(), offset=st.integers(0, 59))
def test_it_says_what_a_look_at_every_minute_says(plan: Plan, offset: int):
    """Every tenth minute of two days around the night with an hour twice, each time beginning at another minute."""
    since = datetime(2026, 10, 24, 20, offset, tzinfo=UTC)
    until = since + timedelta(days=2)
    proof = Coverage(plan, STATIONS, since=since, until=until)
    gaps = proof.gaps()

    at = since
    while at < until:
        for place in STATIONS:
            for category in plan.flows:
                for severity in SEVERITIES:
                    called = by_brute_force(plan, place, category, severity, at)
                    assert proof.called(place, category, severity, at) == called
                    told = [
                        gap.empty
                        for gap in gaps
                        if gap.begins <= at < gap.ends
                        and (gap.station_id, gap.category, gap.severity) == (place.id, category, severity)
                    ]
                    wanted = [] if called[0] else [not any(called)]
                    assert told == wanted
        at += timedelta(minutes=10)
