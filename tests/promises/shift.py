"""The real dispatch on a real database, without an event loop: a clock to turn, and workers that die in between.

What dies is a worker between two of its steps: before it commits, after it has claimed a message, after it has sent one
and before it could write that down. Whoever comes after it finds nothing but the database.

Longer than most files: it is the small vocabulary in which random shifts are played.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event, make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from app.anomaly.models import Anomaly
from app.capture.ground import _known as known_ground
from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.dispatch import actions, answers, deliveries
from app.dispatch.deliveries import Claimed
from app.dispatch.models import Delivery
from app.kit.db import connect
from app.kit.ids import new_id
from app.people.models import Person
from app.resolve import actions as resolve
from app.triage import actions as triage
from tests.databases import CommittingSession, Copies
from tests.factories import id_of
from tests.promises import world as built
from tests.promises.oracle import Act, Called, World

CHANNELS = frozenset({"webpush", "email"})
SECRET = b"of this test"
DEADLY = 0.15  # how many steps of a worker are its last one
Step = Callable[[Session], Any]


@dataclass(frozen=True, slots=True)
class Ring:
    """A phone rang aloud: a message that is sent again lies in the tray already."""

    at: datetime
    case: str
    name: str
    delivery: UUID


class Ground:
    """One engine that moves from database to database, so that what SQLAlchemy has compiled stays warm."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self.url = copies.fresh()
        self.engine = connect(self.url, writer=True)
        event.listen(self.engine, "do_connect", self._redirect)

    @contextmanager
    def fresh(self) -> Iterator["Ground"]:
        self.url = self._copies.fresh()
        self.starts_anew()
        known_ground.pop(self.engine, None)
        yield self
        self.engine.dispose()
        self._copies.throw_away(self.url)

    def starts_anew(self) -> None:
        """Whoever was connected is gone, and with them what was not committed."""
        self.engine.dispose()

    def session(self) -> CommittingSession:
        return CommittingSession(self.engine, expire_on_commit=False)

    @property
    def takes_two(self) -> bool:
        """Whether two can write at the same moment."""
        return self.engine.dialect.name == "postgresql"

    def _redirect(self, dialect: Any, _: object, arguments: list[Any], options: dict[str, Any]) -> None:
        arguments[:], there = dialect.create_connect_args(make_url(self.url))
        options |= there


@dataclass
class Shift:
    """One play. `script` is what has been done; `rang` and `struck()` what came of it."""

    ground: Ground
    world: World
    now: datetime
    chance: random.Random
    deadly: float = DEADLY
    runs: bool = True
    script: list[Act] = field(default_factory=list)
    rang: list[Ring] = field(default_factory=list)
    deaths: int = 0
    cases: dict[str, UUID] = field(default_factory=dict)
    shaken: set[UUID] = field(default_factory=set)
    """Messages whose sender has died: they may come later."""

    def __post_init__(self) -> None:
        with self.ground.session() as session:
            built.fill(session, self.world, now=self.now)
            session.add_all(built.phone(human.name, self.now) for human in self.world.humans)
            session.commit()

    # --- what people do ---

    def acts(self, act: Act) -> None:
        """Let time pass until `act`, and let it be done."""
        self.waits_until(act.at)
        self.script.append(act)
        if act.what in ("stop", "start", "end"):
            self.runs = act.what != "stop"
        else:
            with self.ground.session() as session:
                self._done(session, act)
                session.commit()
        self.settles()

    def _done(self, session: Session, act: Act) -> None:
        if act.what == "report":
            self._reported(session, act)
            return
        case, by = self.cases[act.case], session.get(Person, id_of("person", act.by)) if act.by else None
        if act.what == "display":
            heard = self.heard(act.case)[-1]
            answers.displayed(session, heard, answers.token_for(SECRET, heard), secret=SECRET, now=self.now)
            return
        assert by is not None
        if act.what == "regrade":
            triage.regrade(session, case, act.severity, by=by, now=self.now)
        elif act.what == "resolve":
            said: dict[str, Any] = {"cause_class": None, "cause": "", "fix": "", "permanent": True}
            resolve.resolve(session, case, **said, by=by, now=self.now)
        elif act.what == "release":
            resolve.release(session, case, "", by=by, now=self.now)
        elif act.what == "cancel":
            resolve.cancel(session, case, "false", by=by, now=self.now)
        else:
            does = {"accept": resolve.accept, "arrive": resolve.arrive, "verify": _verifies}[act.what]
            does(session, case, by=by, now=self.now)

    def _reported(self, session: Session, act: Act) -> None:
        signal = Observation(
            key=new_id(),
            kind=Kind.ALARM,
            source="opcua",
            station_id=id_of("station", act.station),
            category=self.world.kinds[0].category,
            occurred_at=self.now,
            what=act.case,
            severity=act.severity,
        )
        (answer,) = receive(session, [signal], now=self.now)
        self.cases[act.case] = answer.anomaly_id

    # --- time ---

    def waits_until(self, end: datetime) -> None:
        """Let time pass; whatever strikes in between strikes at its time, if anybody is there to see it."""
        while self.runs and (moment := self._next_moment()) is not None and moment <= end:
            self.now = moment
            self.settles()
        self.now = end

    def _next_moment(self) -> datetime | None:
        with self.ground.session() as session:
            clock = select(Anomaly.next_clock_at).where(col(Anomaly.next_clock_at) > self.now)
            waiting = select(Delivery.due_at).where(col(Delivery.state) == "planned", col(Delivery.due_at) > self.now)
            found = (
                session.exec(clock.order_by(col(Anomaly.next_clock_at)).limit(1)).first(),
                session.exec(waiting.order_by(col(Delivery.due_at)).limit(1)).first(),
            )
        return min((moment for moment in found if moment), default=None)

    # --- the workers ---

    def settles(self) -> None:
        """Let the workers work until nothing is due; some of them die of it."""
        while self.runs and (self._dispatches() or self._delivers()):
            pass

    def _dispatches(self) -> bool:
        def strikes(session: Session) -> int:
            struck = actions.strike_next(session, now=self.now, channels=CHANNELS)
            return struck + actions.tell_next(session, now=self.now, channels=CHANNELS)

        if self.ground.takes_two and self.chance.random() < self.deadly:
            return self._two_at_once(strikes)
        with self.ground.session() as session:
            struck = strikes(session)
            if struck and self._dies():
                return True
            session.commit()
        return bool(struck)

    def _two_at_once(self, strikes: Callable[[Session], int]) -> bool:
        """Another worker looks while the first one has not committed yet."""
        struck = 0
        with self.ground.session() as one, self.ground.session() as other:
            for session in (one, other):
                struck += strikes(session)
            for session in (other, one):
                try:
                    session.commit()
                except (IntegrityError, OperationalError):  # it lost the race, and tries again
                    session.rollback()
        return bool(struck)

    def _delivers(self) -> bool:
        with self.ground.session() as session:
            claimed = deliveries.claim_next(session, now=self.now, limit=self.chance.randint(20, 60))
            if claimed and self._dies():
                return True
            session.commit()
        if claimed and self._dies():
            self.shaken |= {one for claim in claimed for one in claim.ids}
            return True
        for claim in claimed:
            self._rings(claim)
        if claimed and self._dies():
            self.shaken |= {one for claim in claimed for one in claim.ids}
            return True
        with self.ground.session() as session:
            deliveries.sent_now(session, [(claim, None, self.now) for claim in claimed])
            session.commit()
        return bool(claimed)

    def _rings(self, claim: Claimed) -> None:
        """The phone gets it. A call may ring only while it is what the anomaly waits for."""
        known = {ring.delivery for ring in self.rang}
        with self.ground.session() as session:
            for delivery in claim.ids:
                row = session.get_one(Delivery, delivery)
                anomaly = session.get_one(Anomaly, row.anomaly_id)
                name = session.get_one(Person, row.person_id).name
                assert row.purpose != "call" or row.round == anomaly.round, f"{name} was rung for what is over"
                if row.purpose == "call" and delivery not in known:
                    case = next(case for case, known in self.cases.items() if known == anomaly.id)
                    self.rang.append(Ring(self.now, case, name, delivery))

    def _dies(self) -> bool:
        if self.chance.random() >= self.deadly:
            return False
        self.ground.starts_anew()
        self.deaths += 1
        return True

    # --- what came of it ---

    def row(self, case: str) -> Anomaly:
        with self.ground.session() as session:
            return session.get_one(Anomaly, self.cases[case])

    def heard(self, case: str) -> list[UUID]:
        """The messages of the present round that a phone has got."""
        this_round = col(Delivery.round) == self.row(case).round, col(Delivery.anomaly_id) == self.cases[case]
        with self.ground.session() as session:
            known = set(session.exec(select(Delivery.id).where(*this_round)))
        return [ring.delivery for ring in self.rang if ring.delivery in known]

    def struck(self) -> list[Called]:
        """Every rung that the event log says has been called, in the order of time."""
        with self.ground.session() as session:
            return built.struck(session, self.cases)

    def calls(self) -> list["Planned"]:
        """Every message that was planned to ring a phone."""
        named = {anomaly: case for case, anomaly in self.cases.items()}
        which = (
            select(Delivery, Person.name, Anomaly.round)
            .join(Person, col(Person.id) == col(Delivery.person_id))
            .join(Anomaly, col(Anomaly.id) == col(Delivery.anomaly_id))
            .where(col(Delivery.purpose) == "call")
        )
        with self.ground.session() as session:
            return [
                Planned(d.id, (d.planned_at, named[d.anomaly_id], d.rung, name), str(d.state), d.round < round_)
                for d, name, round_ in session.exec(which)
            ]

    def awake_from(self, moment: datetime) -> datetime:
        """Return when somebody was there to send what was due at `moment`."""
        breaks = [act for act in self.script if act.what in ("stop", "start")]
        if [act.what for act in breaks if act.at < moment][-1:] != ["stop"]:
            return moment
        return next(act.at for act in breaks if act.what == "start" and act.at >= moment)

    def name_of(self, person_id: UUID | None) -> str:
        return next((human.name for human in self.world.humans if id_of("person", human.name) == person_id), "")


@dataclass(frozen=True, slots=True)
class Planned:
    """A message to a phone: when it was planned, for which case and rung, to whom; and what became of it."""

    id: UUID
    meant: tuple[datetime, str, int, str]
    state: str
    is_over: bool
    """The anomaly has moved on meanwhile."""


def _verifies(session: Session, case: UUID, *, by: Person, now: datetime) -> None:
    """Nobody tells the machine of the test that it is well again."""
    resolve.verify(session, case, by=by, now=now, override="It stands still")
