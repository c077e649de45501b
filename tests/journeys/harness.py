"""A plant in a test: real people, machines and phones around the real app, and a clock to turn.

Longer than most files: it is the vocabulary in which all journeys are told. What a worker or a responder does goes
over HTTP, with that person's cookie; what a machine does goes through its alarm rules; what rings was encrypted,
signed, sent and decrypted. Dispatch and delivery run when something has happened, until nothing is due. Time passes
only when the test says so, and then stops wherever a clock strikes in between.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import event, make_url
from sqlmodel import Session, col, select

from app.anomaly import queries as anomalies
from app.anomaly.models import Anomaly, Event, Occurrence
from app.anomaly.queries import Card
from app.capture.ground import _known as known_ground
from app.capture.sources import alarms
from app.channels.base import Channel
from app.channels.hosts import PushHosts
from app.channels.registry import build_channels
from app.channels.subscription import check_subscription
from app.channels.vapid import KEY_FILE, load_or_make_vapid
from app.dispatch import actions as dispatch
from app.dispatch import bells
from app.dispatch.models import BELL, Delivery
from app.kit.db import Database
from app.kit.secret import SECRET_FILE, keep
from app.machines import actions as machine_actions
from app.machines.rules import GOOD, Sample
from app.machines.watch import Watch
from app.main import create_app
from app.people import addresses, login
from app.people.models import Person
from app.people.routes import COOKIE
from app.rosters import queries as rosters
from app.rosters.models import CheckIn
from app.settings import Settings
from tests import factories
from tests.factories import CAST, code_of, id_of, report_key
from tests.push.phone import Phone, Post
from tests.push.service import PushService
from workers.deliver import Deliverer

T = TypeVar("T")
HOLDER = "the test"
URL = "http://plant.test"
on_any_database = pytest.mark.parametrize("plant", ["sqlite"], indirect=True)
"""For promises that have nothing to do with the database: told once."""
WILD, CALM = 99.0, 20.0  # beyond every limit of factories.ALARMS, and inside them

_visitors = count(1)  # each plant has an address of its own: limits are kept for each address


@dataclass(slots=True)
class Clock:
    """What everything in the plant takes for the time."""

    time: datetime = factories.MONDAY

    def __call__(self) -> datetime:
        return self.time


class Moving(Database):
    """A database that is opened once, so that what SQLAlchemy has compiled stays warm, and moves to a copy per test."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        for engine in (self.engine, self._readers):
            event.listen(engine, "do_connect", self._redirect)

    def moves_to(self, url: str) -> None:
        self.engine.dispose()
        self._readers.dispose()
        known_ground.pop(self.engine, None)
        self.url = url

    def _redirect(self, dialect: Any, _: object, arguments: list[Any], options: dict[str, Any]) -> None:
        arguments[:], there = dialect.create_connect_args(make_url(self.url))
        options |= there


@dataclass(frozen=True, slots=True)
class House:
    """What journeys on one kind of database share because it is slow to make. Nothing in it is of one test."""

    settings: Settings
    app: Litestar
    clock: Clock
    database: Moving
    push: PushService

    @classmethod
    def build(cls, settings: Settings, url: str, push: PushService) -> "House":
        clock, database = Clock(), Moving(url)
        return cls(settings, create_app(settings, db=database, clock=clock), clock, database, push)


@dataclass(frozen=True, slots=True)
class Report:
    """What a reporter holds in hand."""

    key: str
    anomaly: UUID

    @property
    def receipt(self) -> str:
        return f"/r/{self.key}"


class Plant:
    def __init__(self, house: House, url: str) -> None:
        self.settings, self.clock, self.push, self.app = house.settings, house.clock, house.push, house.app
        self.url, self.house = url, house
        self.phones: dict[str, Phone] = {}
        self.loops_run = True
        self.bells_ring = False  # only where a journey is about the start of a shift
        self._cookies: dict[str, str] = {}
        self._address = f"10.1.{(n := next(_visitors)) // 250}.{n % 250}"

    async def __aenter__(self) -> Self:
        self.clock.time = factories.MONDAY
        self.house.database.moves_to(self.url)
        self.db: Database = self.house.database
        await self._start(self.app)
        self.phones = {name: Phone(self.push) for name in CAST}
        sent = {name: phone.subscribe(self.vapid_key) for name, phone in self.phones.items()}
        self._cookies = await self.db.write(_log_in_everybody, sent, self.settings, now=self.now)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _start(self, app: Litestar) -> None:
        self.channels: Mapping[str, Channel] = build_channels(self.settings)
        secret = keep(self.settings.data_dir / SECRET_FILE)
        self.deliverer = Deliverer(self.db, self.channels, self.settings, secret, clock=self.clock)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(self._address, 4000))
        self.http = httpx.AsyncClient(transport=transport, base_url=URL)
        self._watch: Watch | None = None
        self._ready, self._stop = asyncio.Event(), asyncio.Event()
        self._open = asyncio.create_task(self._live(app))
        await self._ready.wait()

    async def _live(self, app: Litestar) -> None:
        """What is opened and closed in one task, as anyio wants it."""
        async with app.lifespan(), self.http:
            self._ready.set()
            await self._stop.wait()
        for channel in self.channels.values():
            await channel.close()

    async def _end(self) -> None:
        self._stop.set()
        await self._open
        if self.db is not self.house.database:
            self.db.close()

    async def restarts(self) -> None:
        """Everything stops and starts again; only what is on disk is still there."""
        await self._end()
        self.db = Database(self.url)
        self.app = create_app(self.settings, db=self.db, clock=self.clock)
        await self._start(self.app)
        await self.settles()

    async def calls_through(self, channels: Mapping[str, Channel]) -> None:
        """Deliver through other channels from now on."""
        for channel in self.channels.values():
            await channel.close()
        self.channels = self.deliverer.channels = channels

    @property
    def vapid_key(self) -> str:
        """What a phone wants to know before it lets itself be called."""
        contact = self.settings.push_contact
        return load_or_make_vapid(self.settings.data_dir / KEY_FILE, contact=contact).public_key

    # --- time ---

    @property
    def now(self) -> datetime:
        return self.clock.time

    async def waits(self, **length: float) -> None:
        """Let time pass, as `timedelta` takes it; whatever strikes in between strikes at its time."""
        end = self.now + timedelta(**length)
        while (moment := await self._next()) is not None and moment <= end:
            self.clock.time = moment
            await self.settles()
        self.clock.time = end
        await self.settles()

    async def _next(self) -> datetime | None:
        moments = [await self.db.read(_next_moment, after=self.now)]
        if self.bells_ring:
            moments.append(await self.db.read(_next_bell, after=self.now))
        return min((moment for moment in moments if moment), default=None)

    async def stands_still(self, **length: float) -> None:
        """Let time pass while nothing runs: a power cut, a weekend."""
        self.clock.time += timedelta(**length)

    async def settles(self) -> None:
        """Let dispatch and delivery work until nothing is due."""
        while self.loops_run and (await self.dispatches() or await self.delivers()):
            pass

    async def dispatches(self) -> bool:
        """One step of the dispatch loop."""
        struck = await self.db.write(dispatch.strike_next, now=self.now, channels=self.channels)
        told = await self.db.write(dispatch.tell_next, now=self.now, channels=self.channels)
        return await self.rings_bells() or bool(struck or told)

    async def rings_bells(self) -> bool:
        """What the dispatch loop does beside it."""
        if not self.bells_ring or not await self.db.read(bells.bells_due, now=self.now, channels=self.channels):
            return False
        rung = await self.db.write(bells.ring_bells, now=self.now, channels=self.channels)
        red = await self.db.write(bells.give_up_silent, now=self.now, channels=self.channels)
        return bool(rung or red)

    async def delivers(self) -> bool:
        """One step of the delivery loop, until all that was begun is sent."""
        worked = await self.deliverer.step()
        await asyncio.gather(*self.deliverer.sending)
        return worked

    # --- who reports ---

    async def worker_reports(
        self, station: str, category: str = "machine", *, key: str = "", by: str = "", **answers: str
    ) -> Report:
        """Tap a tile at a station, and answer what the form asks."""
        answer = await self.posts_report(station, category, key=key, by=by, **answers)
        assert answer.status_code in (200, 201), answer.text
        return Report(answer.json()["key"], UUID(answer.json()["anomaly"]))

    async def posts_report(
        self, station: str, category: str = "machine", *, key: str = "", by: str = "", **answers: str
    ) -> httpx.Response:
        form = {"key": key or report_key(), "category": category, **answers}
        return await self.posts(f"/s/{code_of(station)}/reports", form, by=by)

    async def sends_photo(self, report: Report, photo: bytes, *, file_id: str = "") -> httpx.Response:
        files = {"photo": ("photo.jpg", photo, "image/jpeg")}
        form, headers = {"id": file_id or report_key()}, {"accept": "application/json"}
        return await self.http.post(f"{report.receipt}/photos", data=form, files=files, headers=headers)

    async def says_me_too(self, station: str, anomaly: UUID, *, key: str = "", by: str = "") -> httpx.Response:
        form = {"key": key or report_key(), "anomaly": str(anomaly)}
        return await self.posts(f"/s/{code_of(station)}/me-too", form, by=by)

    async def machine_reports(self, station: str, *what: str) -> UUID | None:
        """Let values leave their limits; return the anomaly of the last one's alarm, None when nothing rose."""
        return await self._machine(station, {alarm: _beyond(alarm) for alarm in what})

    async def machine_is_normal(self, station: str, *what: str) -> UUID | None:
        return await self._machine(station, dict.fromkeys(what, CALM) | _low_is_calm(what))

    async def machine_shows(self, station: str, what: str, value: object) -> UUID | None:
        return await self._machine(station, {what: value})

    async def _machine(self, station: str, values: Mapping[str, object]) -> UUID | None:
        source = id_of("source", "PLC")
        if self._watch is None:
            await self.db.write(machine_actions.lease_sources, HOLDER, {}, now=self.now)
            taken = await self.db.write(machine_actions.take_up, source, HOLDER)
            assert taken.plan
            self._watch = Watch(taken.plan.alarms, taken.states, now=self.now)
        samples = [(id_of("tag", f"{station} {what}"), Sample(value, GOOD, self.now)) for what, value in values.items()]
        edges = self._watch.take(samples, now=self.now)
        if not edges:
            return None
        await self.db.write(alarms.record, source, HOLDER, edges, now=self.now)
        await self.settles()
        return await self.db.read(_anomaly_of, alarms.key(edges[-1]))

    # --- who answers ---

    async def does(self, name: str, what: str, anomaly: UUID, **form: object) -> httpx.Response:
        """Press a button on the anomaly's page: `what` is the resource that is posted."""
        return await self.posts(f"/anomalies/{anomaly}/{what}", form, by=name)

    async def accepts(self, name: str, anomaly: UUID) -> httpx.Response:
        return await self.does(name, "acceptance", anomaly)

    async def arrives(self, name: str, anomaly: UUID) -> httpx.Response:
        return await self.does(name, "arrival", anomaly)

    async def hands_over(self, name: str, anomaly: UUID, *, to: str) -> httpx.Response:
        return await self.does(name, "hand-over", anomaly, person_id=id_of("person", to))

    async def resolves(self, name: str, anomaly: UUID, **form: str) -> httpx.Response:
        said = {"cause_class": "machine", "cause": "Worn part", "fix": "Replaced it", "permanent": "yes"}
        return await self.does(name, "resolution", anomaly, **said | form)

    async def verifies(self, name: str, anomaly: UUID, **form: str) -> httpx.Response:
        return await self.does(name, "verification", anomaly, **form)

    async def is_fixed_by(self, name: str, anomaly: UUID) -> None:
        """Accept, arrive and resolve."""
        for step in (self.accepts, self.arrives, self.resolves):
            done(await step(name, anomaly))

    async def posts(self, path: str, form: Mapping[str, object], *, by: str = "", **headers: str) -> httpx.Response:
        """Post a form the way a page's script does: errors come back as JSON."""
        accepting = {"accept": "application/json", **headers}
        answer = await self.http.post(path, data={k: str(v) for k, v in form.items()}, headers=self._as(by) | accepting)
        await self.settles()
        return answer

    async def sees(self, path: str, *, by: str = "", **headers: str) -> httpx.Response:
        """Open a page in a browser."""
        return await self.http.get(path, headers=self._as(by) | {"accept": "text/html", **headers})

    def _as(self, name: str) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self._cookies[name]}"} if name else {}

    # --- what phones show ---

    def phone_of(self, name: str) -> list[str]:
        """What lies in the notification tray: of each anomaly the newest line."""
        return [f"{shown['title']} | {shown['body']}" for shown in self.phones[name].shown()]

    def rings(self, *names: str) -> dict[str, int]:
        """How often each of these phones rang; of everybody who rang at all, when no names are given."""
        heard = {name: len(self.phones[name].rang()) for name in names or self.phones}
        return heard if names else {name: times for name, times in heard.items() if times}

    def ringing(self) -> set[str]:
        """Whose phone rang."""
        return set(self.rings())

    def all_quiet(self) -> None:
        """Forget what rang until now, to see what rings from here on."""
        for phone in self.phones.values():
            phone.forgets()

    async def taps(self, post: Post) -> httpx.Response:
        """Send what a phone's service worker sends, without any cookie."""
        return await self.posts(post.path, post.form)

    async def accepts_in_tray(self, name: str) -> httpx.Response:
        """Press Accept on the newest notification."""
        phone = self.phones[name]
        return await self.taps(phone.accepts(phone.shown()[-1]))

    async def subscribes(self, name: str, phone: Phone) -> httpx.Response:
        """Turn ringing on, on a phone that `name` is logged in on."""
        sent = {"kind": "webpush", "subscription": phone.subscribe(self.vapid_key), "label": "A phone"}
        return await self.http.post("/addresses", json=sent, headers=self._as(name) | {"accept": "application/json"})

    # --- what is written ---

    async def card(self, anomaly: UUID) -> Card:
        return await self.db.read(anomalies.card, anomaly, viewer=None)

    async def row(self, anomaly: UUID) -> Anomaly:
        return await self.db.read(lambda session: session.get_one(Anomaly, anomaly))

    async def events(self, anomaly: UUID) -> list[str]:
        """What happened, in order."""
        return [told.kind for told in await self.timeline(anomaly)]

    async def timeline(self, anomaly: UUID) -> list[Event]:
        return await self.db.read(anomalies.timeline, anomaly)

    async def all(self, table: type[T]) -> list[T]:
        return list(await self.db.read(lambda session: session.exec(select(table)).all()))

    @staticmethod
    def id_of(name: str) -> UUID:
        return id_of("person", name)

    async def speaks(self, name: str, language: str) -> None:
        """Let somebody have chosen a language."""

        def choose(session: Session) -> None:
            person = session.get_one(Person, id_of("person", name))
            person.language = language
            session.add(person)

        await self.changes(choose)

    async def changes(self, f: Callable[[Session], T]) -> T:
        """Let the test itself change something in the plant."""
        return await self.db.write(f)


def done(answer: httpx.Response) -> httpx.Response:
    """Make sure a button did what it should."""
    assert answer.status_code in (200, 201, 204, 303), f"{answer.status_code}: {answer.text}"
    return answer


def leads_to(answer: httpx.Response) -> UUID:
    """Return the anomaly whose page a browser is sent to."""
    return UUID(done(answer).headers["location"].rpartition("/")[2])


def refused(answer: httpx.Response) -> str:
    """Return the code of a refusal; fail when it was none, or had no sentence."""
    assert 400 <= answer.status_code < 500, f"{answer.status_code}: {answer.text}"
    said = answer.json()
    assert said["text"].count(".") >= 2, "what happened, what is safe, what to do"
    return str(said["code"])


def _log_in_everybody(
    session: Session, sent: Mapping[str, Mapping[str, Any]], settings: Settings, *, now: datetime
) -> dict[str, str]:
    """Everybody has a session and a phone that rings."""
    hosts, cookies = PushHosts(settings.push_hosts), {}
    for name, subscription in sent.items():
        person = session.get_one(Person, id_of("person", name))
        target = check_subscription(subscription, hosts)
        unique = str(target["endpoint"])
        addresses.keep_address(session, person, "webpush", target, unique=unique, label="phone", now=now)
        cookies[name] = login.open_session(session, person, device="phone", now=now)
    return cookies


def _next_moment(session: Session, *, after: datetime) -> datetime | None:
    """When the next clock strikes, or a message is due again."""
    clock = select(Anomaly.next_clock_at).where(col(Anomaly.next_clock_at) > after).order_by(col(Anomaly.next_clock_at))
    waiting = col(Delivery.state) == "planned", col(Delivery.due_at) > after
    delivery = select(Delivery.due_at).where(*waiting).order_by(col(Delivery.due_at))
    moments: Iterable[datetime | None] = (session.exec(which.limit(1)).first() for which in (clock, delivery))
    return min((moment for moment in moments if moment), default=None)


def _next_bell(session: Session, *, after: datetime) -> datetime | None:
    """When the next shift of the roster begins, or a bell has rung for nothing."""
    begins = [one.begins for one in rosters.roster(session, id_of("site", "Suzhou"), since=after).spells]
    sent = session.exec(select(Delivery.sent_at).where(Delivery.purpose == BELL))
    rung = [at + bells.PATIENCE for at in (*sent, *session.exec(select(CheckIn.rung_at))) if at]
    return min((moment for moment in (*begins, *rung) if moment > after), default=None)


def _anomaly_of(session: Session, key: UUID) -> UUID | None:
    signal = session.get(Occurrence, key)
    return signal.anomaly_id if signal else None


def _beyond(what: str) -> float:
    return 0.0 if what == "no coolant" else WILD


def _low_is_calm(what: Iterable[str]) -> dict[str, float]:
    return {"no coolant": CALM} if "no coolant" in what else {}
