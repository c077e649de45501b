"""The demonstration plant's machines in the database: where they are reached, what is read, when it is an alarm."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import inspect, update
from sqlmodel import Session, col, select

from app.kit.errors import N_, NotFound
from app.machines import actions, queries
from app.machines.condition_models import ConditionPlace
from app.machines.demo import DEMO_ALARM, DEMO_TAGS, NAMESPACE, DemoRule, DemoTag, culprit
from app.machines.models import AlarmRule, Source, Tag
from app.machines.rules import Quality, Sample
from app.machines.watch import Alarm, Edge, Watch
from app.plant.models import Station

NAME = "Demonstration machines"
PORT = 48480
URL = f"opc.tcp://127.0.0.1:{PORT}"
HOLDER = "demonstration"
DELAY = timedelta(seconds=3)  # longer than any on-delay of these alarms


class NoSuchMachine(NotFound):
    code = "demo.no_such_machine"
    message = N_(
        "No machine of the demonstration plant stands there. Nothing was changed. Give a station's number or code."
    )


def install(session: Session, stations: Mapping[int, Station], *, url: str = URL) -> Source:
    """Write the source with its tags and alarm rules."""
    source = Source(name=NAME, url=url, settings={"conditions": True, "acknowledge": True})
    session.add(source)
    session.flush()
    own = stations[DEMO_ALARM.station].id
    session.add(ConditionPlace(source_id=source.id, said=DEMO_ALARM.place, station_id=own))
    for demo in DEMO_TAGS:
        station_id = stations[demo.station].id
        tag = Tag(source_id=source.id, station_id=station_id, node=demo.node, names=demo.names, unit=demo.unit)
        session.add(tag)
        session.flush()
        session.add_all(_rule(tag, rule) for rule in demo.rules)
    session.flush()
    return source


@dataclass(slots=True)
class Panel:
    """The machines as whoever watches them sees them: their alarms, and what becomes of a value."""

    source_id: UUID
    holder: str
    alarms: tuple[Alarm, ...]
    nodes: dict[UUID, str]
    watch: Watch

    def show(self, path: str, value: float, *, at: datetime) -> Iterable[tuple[Edge, datetime]]:
        """Show `value` from `at` on; return what that raises or clears, and when."""
        tag_id = next(tag for tag, node in self.nodes.items() if node == f"nsu={NAMESPACE};s={path}")
        said = at + DELAY
        edges = self.watch.take([(tag_id, Sample(value, Quality.GOOD, at))], now=at)
        return [(edge, said) for edge in [*edges, *self.watch.tick(now=said)]]


def take_over(session: Session, source: Source, *, now: datetime) -> Panel:
    """Hold the source as its only watcher; `let_go` when done."""
    actions.lease_sources(session, HOLDER, {}, now=now)
    taken = actions.take_up(session, source.id, HOLDER)
    assert taken.plan is not None
    alarms = taken.plan.alarms
    nodes = dict(session.exec(select(Tag.id, Tag.node).where(Tag.source_id == source.id)).all())
    return Panel(source.id, HOLDER, alarms, nodes, Watch(alarms, taken.states, now=now))


def look_again(session: Session, panel: Panel, *, now: datetime) -> Panel:
    """The same panel, going on from what the database knows now."""
    states = queries.states(session, panel.source_id)
    return Panel(panel.source_id, panel.holder, panel.alarms, panel.nodes, Watch(panel.alarms, states, now=now))


def let_go(session: Session, *, now: datetime) -> None:
    """Whoever comes first may watch from now on."""
    actions.release_sources(session, HOLDER, now=now)


def address(session: Session) -> str | None:
    """Return where the demonstration's machines are reached; None where there is no demonstration."""
    if not inspect(session.connection()).has_table(str(Source.__tablename__)):
        return None
    return session.exec(select(Source.url).where(Source.name == NAME)).first()


def move(session: Session, url: str) -> None:
    """Let them be reached at another address: the usual one was taken."""
    session.execute(update(Source).where(col(Source.name) == NAME).values(url=url))


def suspect(session: Session, station: str | None) -> tuple[DemoTag, Station]:
    """Return the signal that will misbehave at a station (its code, its number from 1, or None: Press 7).

    Raises:
        NoSuchMachine
    """
    known = {s.position: s for s in session.exec(select(Station))}
    wanted = None
    if station is not None:
        given = station.strip().upper()
        wanted = next((n for n, s in known.items() if given in (s.code, str(n))), 0)
    try:
        tag = culprit(wanted)
        return tag, known[tag.station]
    except LookupError:
        raise NoSuchMachine() from None


def _rule(tag: Tag, demo: DemoRule) -> AlarmRule:
    return AlarmRule(
        tag_id=tag.id,
        kind=demo.kind,
        setpoint=demo.setpoint,
        deadband=demo.deadband,
        on_delay_s=demo.on_delay_s,
        off_delay_s=demo.off_delay_s,
        active_when=demo.active_when,
        severity=demo.severity,
        category=demo.category,
        message=dict(demo.message),
        component=demo.component,
    )
