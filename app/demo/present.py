"""What is open in the demonstration plant right now, at different stages.

Everything comes through the doors that phones, machines and people use, with the clock turned back: so it is complete,
calls included, and nothing is left to ring at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from app.anomaly.models import Anomaly
from app.capture import actions as capture
from app.capture.actions import Stored
from app.capture.intake import Received
from app.capture.sources import alarms, phone
from app.capture.sources.phone import PhoneReport
from app.demo import cast, phrases
from app.demo.machines import Panel
from app.demo.tale import id_of
from app.demo.world import World
from app.dispatch import actions as dispatch
from app.dispatch import deliveries
from app.dispatch.models import Delivery
from app.kit.db import finish
from app.people.models import Person
from app.resolve import actions as resolve
from app.resolve.models import CauseClass
from app.triage import handover

CHANNELS = ("stream", cast.PHONE)
SENT_AFTER = timedelta(milliseconds=240)
SHOWN_AFTER = timedelta(milliseconds=1100)

Step = tuple[float, Callable[[], object]]
"""So many minutes ago, this happened."""


def set_scene(session: Session, world: World, panel: Panel, *, photos: Sequence[Stored], now: datetime) -> None:
    """Leave six anomalies open: two wait, one has an owner, one is contained, one on hold, one to be verified."""
    stage = _Stage(session, world, panel, list(photos), now)
    inspector = next(p for p in world.on_duty(now) if p.team_id == world.teams["quality"])
    engineer, porter, it = (world.people[name] for name in ("Chen Jing", "Huang Jun", "Cao Yu"))
    steps: list[Step] = [
        # Press 7: scratches, repaired; Wang Lei has to check it.
        (95, lambda: stage.report("scratches", 3, "quality", "scratch", by="Li Wei")),
        (94.6, lambda: stage.photo("scratches", 2)),
        (93, lambda: stage.accept("scratches", inspector)),
        (88, lambda: resolve.arrive(session, stage.of("scratches"), by=inspector, now=stage.now)),
        (20, lambda: stage.resolve("scratches", inspector, "tool", CauseClass.MACHINE)),
        # Packing: the label printer waits for a spare part.
        (52, lambda: stage.report("printer", 12, "information", "printer")),
        (46, lambda: stage.accept("printer", it)),
        (41, lambda: resolve.arrive(session, stage.of("printer"), by=it, now=stage.now)),
        (38, lambda: stage.hold("printer", it, minutes=90)),
        # Press 5: the machine and a person say the same; the line is stopped.
        (34, lambda: stage.alarm("S01.HydraulicPressure", 118.0)),
        (32.5, lambda: stage.report("press", 1, "machine", "leak", stopped=True)),
        (32.2, lambda: stage.photo("press", 1)),
        (31, lambda: stage.accept("press", engineer)),
        (27, lambda: resolve.arrive(session, stage.of("press"), by=engineer, now=stage.now)),
        (12, lambda: resolve.contain(session, stage.of("press"), phrases.CONTAINED, by=engineer, now=stage.now)),
        # Screwing station: material runs out; it is on its way.
        (14, lambda: stage.report("screws", 8, "material", "short")),
        (13.7, lambda: stage.photo("screws", 0)),
        (11, lambda: stage.me_too("screws", 8)),
        (6, lambda: stage.accept("screws", porter)),
        # The other line's lead has handed over; whoever leads now has to say that it arrived.
        (4, lambda: stage.hand_over(world.people["Liu Yang"])),
        # Two that nobody has taken yet.
        (9, lambda: stage.report("air", 7, "environment", "air")),
        (7, lambda: stage.me_too("air", 7)),
        (3.2, lambda: stage.alarm("S05.OvenTemperature", 214.6)),
    ]
    stage.play(steps, until=now)
    cast.take_phones_away(session, now=now)


@dataclass
class _Stage:
    """The plant with a clock that is turned on from step to step. Anomalies go by a name of their own here."""

    session: Session
    world: World
    panel: Panel
    photos: list[Stored]
    now: datetime
    reports: dict[str, Received] = field(default_factory=dict)

    def play(self, steps: Sequence[Step], *, until: datetime) -> None:
        """Do the steps in the order of time, and let the clocks strike in between."""
        for minutes, step in sorted(steps, key=lambda planned: -planned[0]):
            self._strike(until - timedelta(minutes=minutes))
            step()
            finish(self.session)
        self._strike(until)

    def of(self, name: str) -> UUID:
        found = self.reports[name].anomaly_id
        assert found is not None
        return found

    def report(
        self, name: str, number: int, category: str, symptom: str, *, by: str = "", stopped: bool | None = None
    ) -> None:
        """A thumb on a tile, and a few words after it."""
        code = self.world.stations[number].code
        reporter = self.world.people[by].id if by else None
        sent = PhoneReport(id_of(self.now), code, category, self.now, captured_at=self.now, reporter_id=reporter)
        received = phone.door(self.session, [sent])[0]
        assert isinstance(received, Received)
        self.reports[name] = received
        finish(self.session)
        self._strike(self.now + timedelta(seconds=12))
        text = phrases.SAID[category, symptom]
        safe = None if stopped is None else False
        capture.details(
            self.session, received.key, line_stopped=stopped, danger=safe, symptom=symptom, text=text, now=self.now
        )

    def me_too(self, name: str, number: int) -> None:
        code = self.world.stations[number].code
        phone.door(self.session, [PhoneReport(id_of(self.now), code, "", self.now, anomaly_id=self.of(name))])

    def photo(self, name: str, place: int) -> None:
        if self.photos:
            stored = replace(self.photos[place % len(self.photos)], id=id_of(self.now))
            capture.attach(self.session, self.reports[name].key, stored, now=self.now)

    def alarm(self, path: str, value: float) -> None:
        """A machine shows this value, long enough for its alarm."""
        for edge, at in self.panel.show(path, value, at=self.now):
            alarms.record(self.session, self.panel.source_id, self.panel.holder, [edge], now=at)

    def accept(self, name: str, person: Person) -> None:
        """From the notification."""
        opened = col(Delivery.anomaly_id) == self.of(name), col(Delivery.person_id) == person.id
        self.session.execute(
            update(Delivery).where(*opened, col(Delivery.channel) == cast.PHONE).values(opened_at=self.now)
        )
        resolve.accept(self.session, self.of(name), by=person, now=self.now, via="webpush")

    def hold(self, name: str, person: Person, *, minutes: int) -> None:
        reason = phrases.WAITING_FOR_PART
        resolve.hold(self.session, self.of(name), reason, minutes=minutes, by=person, now=self.now)

    def resolve(self, name: str, person: Person, cause: str, cause_class: CauseClass) -> None:
        category = self.session.get_one(Anomaly, self.of(name)).category
        _, flow = self.world.flows[category]
        names = next(choice.names for choice in flow.causes if choice.key == cause)
        resolve.resolve(
            self.session, self.of(name), cause_class=cause_class, cause=phrases.both(names),
            fix=phrases.DONE[category, cause], permanent=True, by=person, now=self.now,
        )  # fmt: skip

    def hand_over(self, person: Person) -> None:
        handover.hand_over(self.session, id_of(self.now), "", phrases.HANDED_OVER, by=person, now=self.now)

    def _strike(self, until: datetime) -> None:
        """Turn the clock on to `until`; on the way, every clock strikes at its time and every call goes out."""
        due = select(func.min(col(Anomaly.next_clock_at)))
        while (at := self.session.exec(due).one()) is not None and at <= until:
            dispatch.strike_next(self.session, now=at, channels=CHANNELS)
            finish(self.session)
            self._deliver(at)
        dispatch.tell_next(self.session, now=until, channels=CHANNELS)
        self.now = until

    def _deliver(self, at: datetime) -> None:
        claims = deliveries.claim_next(self.session, now=at, limit=1000)
        deliveries.sent_now(self.session, [(claim, None, at + SENT_AFTER) for claim in claims])
        rang = [claim.delivery_id for claim in claims if claim.channel == cast.PHONE]
        shown = rang[:-1] if len(rang) > 2 else rang  # one phone is out of reach now and then
        seen = update(Delivery).where(col(Delivery.id).in_(shown))
        self.session.execute(seen.values(displayed_at=at + SHOWN_AFTER))
