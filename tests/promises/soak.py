"""A shift as it is lived, with processes that are really killed: the road from a tap to a ring, and a clock to turn.

Web server, dispatch and delivery are processes of their own. They take the time from a file (tests/faults/turned.py),
which goes on to the next moment as soon as nothing is due any more. Reports, acceptances and what phones have shown come
over HTTP, sent again until the server answers; what rings was encrypted and signed. Nothing but the database, the phones
and the script is looked at in the end.

Longer than most files because it is one play: the plant, the processes, what people do, and what must have come of it.
"""

import heapq
import mmap
import random
import struct
import time as real
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from sqlmodel import Session, col, func, select

from app.anomaly.models import Anomaly, Event, Occurrence
from app.channels.hosts import PushHosts
from app.channels.subscription import check_subscription
from app.channels.vapid import KEY_FILE, load_or_make_vapid
from app.dispatch.answers import token_for
from app.dispatch.models import Delivery
from app.kit.db import connect
from app.kit.secret import SECRET_FILE, keep
from app.people import addresses
from app.people.login import open_session
from app.people.models import Person
from app.people.routes import COOKIE
from app.settings import Settings
from tests.databases import CommittingSession
from tests.factories import id_of, report_key
from tests.processes import Installation, Process, until
from tests.promises import world as rows
from tests.promises.oracle import ASKED_LATER, Act, Called, Human, Kind, Rung, Turn, Who, World, expected
from tests.push import signature
from tests.push.phone import Phone
from tests.push.service import PushService

P = ParamSpec("P")
T = TypeVar("T")
NIGHT = date(2026, 10, 24)  # the next day has 25 hours in Berlin
BERLIN = ZoneInfo("Europe/Berlin")
LINES = tuple(f"Line {n}" for n in range(1, 9))
HOURS = ((6, 14), (14, 22), (22, 6))
KINDS = (
    Kind("safety", "safety", 1),
    Kind("machine", "maintenance", 2),
    Kind("quality", "quality", 3),
    Kind("material", "logistics", 4),
)
LEADS = ("team_lead", "engineer", "manager")
HALF_MINUTE, HOUR, SMALL = timedelta(seconds=30), timedelta(hours=1), 4
PATIENCE = 120.0  # seconds of the real world, in which a process may also have to start
CHAIN = {"accept": "arrive", "arrive": "resolve", "resolve": "verify"}
PATHS = {
    "accept": "acceptance",
    "arrive": "arrival",
    "resolve": "resolution",
    "verify": "verification",
    "release": "release",
    "regrade": "severity",
}
FORM = {"cause_class": "machine", "cause": "Worn", "fix": "New", "permanent": "yes", "reason": "Wrong tools"}

DUTY, LEAD, OWNER = Who(duty=True, line=True), Who(role="team_lead", line=True), Who(owner=True)
ENGINEERS, MANAGERS = Who(role="engineer"), Who(role="manager")
UNSEEN = Who(unseen=True, deputies=True)


def _ladder(shown: tuple[int, ...], accepted: tuple[int, ...], on_site: int, resolved: int) -> tuple[Rung, ...]:
    who = ((DUTY, LEAD), (LEAD, ENGINEERS), (MANAGERS,), (MANAGERS, ENGINEERS))
    return (
        *(Rung("displayed", after, (UNSEEN,)) for after in shown),
        *(Rung("accepted", after, call) for after, call in zip(accepted, who, strict=False)),
        Rung("on_site", on_site, (OWNER, LEAD)),
        Rung("resolved", resolved, (OWNER, LEAD)),
        Rung("verified", 0, (LEAD,)),
        Rung("verified", 8 * 3600, (MANAGERS,)),
    )


LADDERS = {
    1: _ladder((30, 60), (0, 120, 300, 900), 300, 3600),
    2: _ladder((60, 120), (0, 300, 900, 1800), 600, 7200),
    3: _ladder((300,), (0, 900, 3600, 14400), 1800, 14400),
    4: _ladder((), (0, 14400), 14400, 86400),
}


def plant(people: int, stations: int) -> World:
    """Three crews in three shifts; a team for each kind of trouble, leads for each line; some are away, some are red."""
    chance = random.Random(people)
    humans = []
    for n in range(people):
        role = ("team_lead", "engineer", "manager", *["operator"] * 7)[n % 10]
        group = KINDS[n % len(KINDS)].team
        line = "" if role in ("engineer", "manager") else LINES[n // 10 % len(LINES)]
        deputy = f"P{(n + 30) % people:03}"
        humans.append(Human(f"P{n:03}", role, group if role == "operator" else "", line, deputy))
    days = [NIGHT + timedelta(n) for n in range(-1, 4)]
    turns = [Turn(f"P{n:03}", day, *HOURS[(n // 2 + k) % 3]) for n in range(people) for k, day in enumerate(days)]
    return World(
        zone=BERLIN,
        humans=tuple(humans),
        ladders=LADDERS,
        stations={f"S{n:03}": LINES[n % len(LINES)] for n in range(stations)},
        kinds=KINDS,
        turns=tuple(turns),
        away=frozenset((turn.name, turn.day) for turn in turns if chance.random() < 0.03),
        silent=frozenset((turn.name, turn.day, turn.starts) for turn in turns if chance.random() < 0.05),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it."""

    kills: int
    strikes: int
    rings: int
    wrong: list[str]


class Face:
    """The clock that all processes look at."""

    def __init__(self, file: Path, at: datetime) -> None:
        file.write_bytes(struct.pack("d", at.timestamp()))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), 8)
        self.turned: list[tuple[float, datetime]] = []
        self.turn(at)

    def turn(self, to: datetime) -> None:
        self.now = to
        self._map[:] = struct.pack("d", to.timestamp())
        self.turned.append((real.time(), to))

    def at(self, moment: float) -> datetime:
        """Return what it showed at a moment of the real world."""
        return self.turned[max(bisect_right(self.turned, moment, key=lambda one: one[0]) - 1, 0)][1]

    def time(self) -> float:
        return self.now.timestamp()


@dataclass
class Soak:
    installation: Installation
    push: PushService
    people: int
    anomalies: int
    length: timedelta
    kills: int
    seed: int = 1
    script: list[Act] = field(default_factory=list)
    shaken: set[UUID] = field(default_factory=set)
    cases: dict[str, UUID] = field(default_factory=dict)
    over: dict[UUID, list[tuple[int, float]]] = field(default_factory=dict)
    """Of each anomaly, until which round everything was void from which moment of the real world on."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.world = plant(self.people, -(-self.anomalies // len(KINDS)))
        self.begins = datetime.combine(NIGHT, time(12), BERLIN).astimezone(UTC)
        self.face = Face(self.installation.folder / "clock", self.begins)
        self.installation.more |= {"TURNED_CLOCK": str(self.installation.folder / "clock")}
        self.installation.more |= {"PULLCORD_REPORTS_A_MINUTE": "100000"}
        self.engine = connect(self.installation.database_url, writer=True)
        self.reader = connect(self.installation.database_url, writer=False)
        self.died = 0
        self.runs = True
        self.fill()

    # --- before it begins ---

    def fill(self) -> None:
        contact = Settings(_env_file=None).push_contact
        vapid = load_or_make_vapid(self.installation.folder / KEY_FILE, contact=contact)
        self.secret = keep(self.installation.folder / SECRET_FILE)
        self.phones = {human.name: Phone(self.push) for human in self.world.humans}
        self.cookies: dict[str, str] = {}
        with CommittingSession(self.engine) as session:
            rows.fill(session, self.world, now=self.begins)
            for name, phone in self.phones.items():
                person = session.get_one(Person, id_of("person", name))
                target = check_subscription(phone.subscribe(vapid.public_key), PushHosts([self.push.place]))
                where = {"unique": str(target["endpoint"]), "label": "phone", "now": self.begins}
                addresses.keep_address(session, person, "webpush", target, **where)
                self.cookies[name] = open_session(session, person, device="phone", now=self.begins)
            session.commit()

    # --- the processes ---

    @contextmanager
    def running(self) -> Iterator[Self]:
        workers = 2 if self.engine.dialect.name == "postgresql" else 1
        commands = [("web",), *[("work", "dispatch")] * workers, *[("work", "deliver")] * workers]
        self.processes = [Process(self.installation, *it, module="tests.faults.turned") for it in commands]
        honest, signature.time = signature.time, self.face  # type: ignore[assignment]
        with ExitStack() as stack:
            stack.callback(setattr, signature, "time", honest)
            for process in self.processes:
                stack.enter_context(process)
            self.processes[0].answers()
            yield self
        self.engine.dispose()
        self.reader.dispose()

    def kills_one(self) -> None:
        """As a power cut does, of whichever; and it is started again."""
        victim = self.chance.choice(self.processes if self.runs else self.processes[:1])
        self.kill(victim)
        victim.start()

    def kill(self, victim: Process) -> None:
        victim.kill()
        self.died += 1
        if "deliver" in victim.arguments:
            self.shaken |= set(self.ask(_in_flight))

    # --- time ---

    def ask(self, question: Callable[Concatenate[Session, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Look into the database, beside the running processes."""
        with Session(self.reader, expire_on_commit=False) as session:
            return question(session, *given, **named)

    def settles(self) -> None:
        """Wait until nothing is due any more."""

        deadline = real.monotonic() + PATIENCE
        while self.runs and not self.ask(_is_quiet, now=self.face.now, without=self.shaken):
            assert real.monotonic() < deadline, "\n".join(process.log() for process in self.processes)
            real.sleep(0.003)

    def waits_until(self, end: datetime) -> None:
        while self.runs and (moment := self.ask(_next_moment, after=self.face.now)) and moment <= end:
            self.face.turn(moment)
            self.settles()
        self.face.turn(end)
        self.settles()

    # --- what people do ---

    def plays(self) -> None:
        """A day and a night: everything that is reported takes its course, and now and then something dies."""
        chance, number = self.chance, count()
        steps: list[tuple[datetime, int, str, str]] = []
        span = int(self.length / HALF_MINUTE)
        deaths = sorted(chance.sample(range(self.anomalies * 4), self.kills), reverse=True)
        outages = sorted(chance.sample(range(span), max(1, span // 480)))
        for n in range(self.anomalies):
            at = self.begins + chance.randrange(span) * HALF_MINUTE
            heapq.heappush(steps, (at, next(number), "report", f"A{n:04}"))
        for half in outages:
            at = self.begins + half * HALF_MINUTE
            heapq.heappush(steps, (at, next(number), "stop", ""))
            heapq.heappush(steps, (at + chance.randint(1, 40) * HALF_MINUTE, next(number), "start", ""))
        end = self.begins + self.length
        for done in count():
            if not steps or steps[0][0] > end:
                break
            at, _, what, case = heapq.heappop(steps)
            self.waits_until(at)
            dies = bool(deaths) and deaths[-1] <= done
            if dies:
                deaths.pop()
                self.kills_one()
            if self.does(what, case):
                for later, after in self.follows(what):
                    heapq.heappush(steps, (at + after, next(number), later, case))
        for _ in deaths:
            self.kills_one()
        if not self.runs:
            self.does("start", "")
        self.waits_until(end + HOUR)
        self.script.append(Act(self.face.now, "end"))

    def follows(self, what: str) -> Iterator[tuple[str, timedelta]]:
        """What people do next, and how much later. Some forget it."""
        chance = self.chance
        if what in ("report", "release", "regrade") and chance.random() < 0.7:
            yield "display", chance.choice((10, 20, 45, 400)) * timedelta(seconds=1)
        if what in ("report", "release", "regrade") and chance.random() < 0.9:
            yield "accept", chance.choice((1, 3, 5, 12, 35, 70)) * HALF_MINUTE
        if what == "report" and chance.random() < 0.1:
            yield "regrade", chance.randint(1, 20) * HALF_MINUTE
        if what == "accept" and chance.random() < 0.1:
            yield "release", chance.randint(1, 30) * HALF_MINUTE
        if what in CHAIN and chance.random() < 0.85:
            yield CHAIN[what], chance.choice((4, 15, 40, 90, 300)) * HALF_MINUTE

    def does(self, what: str, case: str) -> bool:
        """Do it, if it still makes sense."""
        if what in ("stop", "start"):
            return self.pauses(what)
        if what == "report":
            return self.reports(case)
        row = self.ask(_row, self.cases[case])
        by = self.who(what, case, row)
        if by is None:
            return False
        act = Act(self.face.now, what, case, by=by, severity=1 if what == "regrade" else 0)
        path, form = f"/anomalies/{row.id}/{PATHS.get(what, '')}", FORM | {"severity": "1"}
        if what == "display":
            delivery = self.chance.choice(self.ask(_sent, row))
            path, form = f"/deliveries/{delivery}/displayed", {"token": token_for(self.secret, delivery)}
        self.sends(path, form, by)
        after = self.ask(_row, row.id)
        assert after.round > row.round or what in ("display", "regrade"), (what, case, self.processes[0].log())
        if after.round > row.round:
            self.over.setdefault(row.id, []).append((after.round, real.time()))
        self.script.append(act)
        self.settles()
        return True

    def pauses(self, what: str) -> bool:
        self.runs = what == "start"
        for process in self.processes[1:]:
            if self.runs:
                process.start()
            else:
                self.kill(process)
        self.script.append(Act(self.face.now, what))
        self.settles()
        return True

    def reports(self, case: str) -> bool:
        station, kind, key = f"S{int(case[1:]) // len(KINDS):03}", self.kind(case), report_key()
        self.sends(f"/s/{station}/reports", {"key": key, "category": kind.category}, "")
        self.cases[case] = self.ask(lambda session: session.get_one(Occurrence, UUID(key)).anomaly_id)
        where = {"station": station, "line": self.world.stations[station], "team": kind.team}
        self.script.append(Act(self.face.now, "report", case, severity=kind.severity, **where))
        self.settles()
        return True

    def kind(self, case: str) -> Kind:
        return KINDS[int(case[1:]) % len(KINDS)]

    def who(self, what: str, case: str, row: Anomaly) -> str | None:
        """Who may do it now; None: it makes no sense any more."""
        status, humans = str(row.status), self.world.humans
        leads = [human.name for human in humans if human.role in LEADS]
        names = {id_of("person", human.name): human.name for human in humans}
        owner, resolver = names.get(row.owner_id, ""), names.get(row.resolver_id, "")
        if what == "display":
            return leads[0] if self.ask(_sent, row) else None
        if what == "accept" and status == "reported":
            team = self.kind(case).team
            return self.chance.choice([human.name for human in humans if human.team == team] + leads)
        if what == "regrade" and status in ("reported", "accepted", "on_site") and row.severity > 1:
            return self.chance.choice(leads)
        if what == "verify" and status == "resolved":
            return self.chance.choice([name for name in leads if name != resolver])
        may = {"arrive": ("accepted",), "resolve": ("accepted", "on_site"), "release": ("accepted", "on_site")}
        return owner if status in may.get(what, ()) else None

    def sends(self, path: str, form: dict[str, str], by: str) -> None:
        """Send it as phones do, until the server answers."""
        headers = {"accept": "application/json"} | ({"cookie": f"{COOKIE}={self.cookies[by]}"} if by else {})

        def answered() -> bool:
            with suppress(httpx.TransportError):
                answer = httpx.post(f"{self.installation.url}{path}", data=form, headers=headers, timeout=10)
                assert answer.status_code in (200, 201, 204, 303, 409), answer.text
                return True
            return False

        until(answered, self.processes[0].log)

    # --- what came of it ---

    def told(self) -> Told:
        """Compare the event log, the deliveries and the phones with what the oracle says."""
        meant = expected(self.world, self.script)
        told = Counter(replace(call, later=frozenset()) for call in meant)
        struck = Counter(self.ask(rows.struck, self.cases))
        wrong = [f"struck, but not meant: {one}" for one in struck - told]
        wrong += [f"meant, but not struck: {one}" for one in told - struck]
        wrong += self._rings(meant)
        return Told(self.died, struck.total(), len(self.heard()), wrong)

    def _rings(self, meant: Sequence[Called]) -> Iterator[str]:
        due = {
            (call.at, call.case, call.place, name): call.at + (ASKED_LATER if name in call.later else timedelta())
            for call in meant
            for name in call.names
        }
        known = Counter((call.at, call.case, call.place, name) for call in meant for name in call.names)
        named = {anomaly: case for case, anomaly in self.cases.items()}
        regraded = {act.case: act.at for act in self.script if act.what == "regrade"}
        heard = self.heard()
        planned: Counter[tuple[datetime, str, int, str]] = Counter()
        for row, name, anomaly in self.ask(_calls):
            what, times = (row.planned_at, named[anomaly.id], row.rung, name), heard.get(row.id, [])
            planned[what] += 1
            in_time = self.awake_from(due[what]) if what in due else None
            worse = regraded.get(what[1])
            small = self.kind(what[1]).severity == SMALL and (worse is None or row.planned_at < worse)
            shaken = row.id in self.shaken
            if row.state not in ("sent", "dropped") and row.due_at <= self.face.now:
                yield f"{row.state}, {row.error}: {what}"
            if row.state == "sent" and not times and not small:
                yield f"sent, but no phone rang: {what}"
            if row.state == "dropped" and row.round == anomaly.round:
                yield f"dropped, but not over: {what}"
            if times and not small and not shaken and self.face.at(times[0]) != in_time:
                yield f"rang at {self.face.at(times[0])}: {what}"
            if len(times) > 1 and not shaken:
                yield f"rang {len(times)} times: {what}"
            if any(row.round < until and at > gone for at in times for until, gone in self.over.get(anomaly.id, ())):
                yield f"rang for what was over: {what}"
        yield from (
            f"planned {planned[what]} times, meant {known[what]}: {what}"
            for what in planned | known
            if planned[what] != known[what]
        )

    def heard(self) -> dict[UUID, list[float]]:
        """When a phone got each message. Small things of an hour come as one message, under the name of the first."""
        found: dict[UUID, list[float]] = {}
        for phone in self.phones.values():
            for at, notification in phone.received():
                found.setdefault(UUID(notification["data"]["delivery"]), []).append(at)
        return found

    def awake_from(self, moment: datetime) -> datetime:
        """Return when somebody was there to send what was due at `moment`."""
        breaks = [act for act in self.script if act.what in ("stop", "start")]
        if [act.what for act in breaks if act.at < moment][-1:] != ["stop"]:
            return moment
        return next(act.at for act in breaks if act.what == "start" and act.at >= moment)


def _in_flight(session: Session) -> Sequence[UUID]:
    return session.exec(select(Delivery.id).where(Delivery.state == "planned", Delivery.attempts > 0)).all()


def _is_quiet(session: Session, *, now: datetime, without: set[UUID]) -> bool:
    """Whether nothing is due, and nothing is being sent."""
    clock = select(Anomaly.id).where(col(Anomaly.next_clock_at) <= now).limit(1)
    news = select(Event.seq).where(col(Event.told_at).is_(None)).limit(1)
    due = select(Delivery.id).where(Delivery.state == "planned", col(Delivery.due_at) <= now).limit(1)
    if any(session.exec(question).first() is not None for question in (clock, news, due)):
        return False
    return set(_in_flight(session)) <= without


def _next_moment(session: Session, *, after: datetime) -> datetime | None:
    clock = select(func.min(Anomaly.next_clock_at)).where(col(Anomaly.next_clock_at) > after)
    delivery = select(func.min(Delivery.due_at)).where(Delivery.state == "planned", col(Delivery.due_at) > after)
    return min((moment for question in (clock, delivery) if (moment := session.exec(question).one())), default=None)


def _row(session: Session, anomaly: UUID) -> Anomaly:
    return session.get_one(Anomaly, anomaly)


def _sent(session: Session, row: Anomaly) -> Sequence[UUID]:
    """The messages of the present round that a phone has got."""
    this_round = Delivery.anomaly_id == row.id, Delivery.round == row.round, Delivery.state == "sent"
    return session.exec(select(Delivery.id).where(*this_round, *CALLS)).all()


def _calls(session: Session) -> Sequence[tuple[Delivery, str, Anomaly]]:
    which = select(Delivery, Person.name, Anomaly).join(Person, col(Person.id) == col(Delivery.person_id))
    return session.exec(which.join(Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id)).where(*CALLS)).all()


CALLS = Delivery.purpose == "call", Delivery.channel == "webpush"
