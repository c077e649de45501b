"""Events and clocks in, deliveries out. Each `*_next` takes a batch of due rows in one transaction.

Longer than most files because a strike is one thought: the rungs that are due, whom they mean, and when to look again.
What many anomalies need is read once for a batch and written at its end: after an outage thousands are due at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import and_, bindparam, literal_column
from sqlalchemy import select as sa_select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, func, select

from app.anomaly.actions import NEWS as NEWS_KINDS
from app.anomaly.actions import NOBODY, advance, event_row, write_events
from app.anomaly.lifecycle import OWNED, Action
from app.anomaly.models import Anomaly, Clock, Event
from app.channels.limits import meant
from app.dispatch.ladder import climb, not_shown
from app.dispatch.models import CALL, NEWS, Delivery, DeliveryState, Outlet
from app.dispatch.plans import plan_changes
from app.dispatch.recipients import Recipient, quiet_for, recipients
from app.dispatch.ways import INSIDE, Way, ways
from app.flows import queries as flows
from app.flows.document import Rung
from app.flows.ladders import OWNER
from app.kit.db import at_commit
from app.kit.direct import Direct, among
from app.kit.ids import new_id
from app.kit.many import insert_many, update_many
from app.people import queries as people
from app.people.models import Address, Team
from app.rosters import queries as rosters
from app.rosters.roster import Roster

BATCH = 200
log = structlog.get_logger()
HOLD_REMINDER = timedelta(hours=1)  # a hold nobody has looked at again
SET_ASIDE = timedelta(minutes=1)
LATER = "later"  # in a delivery's `why`: how many seconds after the others somebody is asked
CAN_WAIT = frozenset({"assist", "cancel"})  # news that ask nobody to move


def due(session: Session, *, now: datetime) -> bool:
    """Tell whether a clock has struck or news wait: a cheap look on a reader, before the writer is asked."""
    clock = select(Anomaly.id).where(col(Anomaly.next_clock_at) <= now).limit(1)
    news = select(Event.seq).where(col(Event.told_at).is_(None)).limit(1)
    return session.exec(clock).first() is not None or session.exec(news).first() is not None


def strike_next(session: Session, *, now: datetime, channels: Iterable[str]) -> int:
    """Call the rungs that are due, the most severe first. Each rung of each round once, whoever else does the same."""
    due = (
        select(Anomaly)
        .where(col(Anomaly.next_clock_at) <= now)
        .order_by(col(Anomaly.severity), col(Anomaly.next_clock_at), col(Anomaly.id))
        .limit(BATCH)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    anomalies = session.exec(due).all()
    if anomalies:
        desk = _Desk(session, set(channels), now)
        desk.strike(anomalies)
        desk.write()
    return len(anomalies)


def tell_next(session: Session, *, now: datetime, channels: Iterable[str]) -> int:
    """Pass on news: whoever has to know of an event, and did not cause it, hears of it."""
    untold = (
        select(Event, Anomaly)
        .join(Anomaly, col(Anomaly.id) == col(Event.anomaly_id))
        .where(col(Event.told_at).is_(None))
        .order_by(col(Event.seq))
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Event)
    )
    news = session.exec(untold).all()
    if news:
        desk = _Desk(session, set(channels), now)
        for event, anomaly in news:
            event.told_at = now
            session.add(event)
            desk.tell(event, anomaly)
        desk.write()
    return len(news)


@dataclass(slots=True)
class _Case:
    """One anomaly whose clock has struck, and what was called because of it in this round."""

    anomaly: Anomaly
    since: datetime | None = None
    """When the first of these calls went out."""
    called: dict[UUID, None] = field(default_factory=dict)
    """Who was called, in the order of the calls."""
    used: defaultdict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Over which channels each person was called."""
    seen: set[UUID] = field(default_factory=set)
    waiting: set[UUID] = field(default_factory=set)
    """Whose phone has not rung yet: asked later, or quiet."""


@dataclass(frozen=True, slots=True)
class _Call:
    anomaly: Anomaly
    recipient: Recipient
    purpose: str
    cause: str
    rung: int = 0
    added: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()


class _Desk:
    """One batch: what was read for it, and what will be written."""

    def __init__(self, session: Session, channels: set[str], now: datetime) -> None:
        self.session, self.channels, self.now = session, channels, now
        self.calls: list[_Call] = []
        self.outlets: list[dict[str, Any]] = []
        self.events: list[dict[str, object]] = []
        self.moves: list[dict[str, Any]] = []
        self._cases: dict[UUID, _Case] = {}
        self._rosters: dict[UUID, Roster] = {}
        self._addresses: dict[UUID, list[Address]] = {}
        self._meant: dict[tuple[object, ...], list[Recipient]] = {}
        self._ways_of: dict[tuple[object, ...], list[Way]] = {}
        self._load: Mapping[UUID, int] | None = None
        self._last: Mapping[str, datetime] | None = None

    # --- clocks ---

    def strike(self, anomalies: Sequence[Anomaly]) -> None:
        self._teams = dict(self.session.exec(select(Team.key, Team.id)).all())
        self._routing = flows.current_routing(self.session)
        ringing = select(Outlet).where(col(Outlet.gone_at).is_(None), col(Outlet.paused_at).is_(None))
        self._outlets = self.session.exec(ringing.order_by(col(Outlet.id))).all()
        self._cases = {anomaly.id: _Case(anomaly) for anomaly in anomalies}
        self._look_back()
        for case in self._cases.values():
            if case.anomaly.clock == Clock.WATCH:
                self._watch(case.anomaly)
            else:
                self._strike(case)

    def _strike(self, case: _Case) -> None:
        """One anomaly that cannot be dealt with must not stop everybody else's: it waits, and the log says why."""
        anomaly = case.anomaly
        left = [(rows, len(rows)) for rows in (self.calls, self.outlets, self.events)]
        try:
            rung, unseen, next_at = self._called(case)
        except SQLAlchemyError:
            raise  # the database's own: the whole batch is tried again
        except Exception:
            log.exception("dispatch.set_aside", anomaly=str(anomaly.id))
            for rows, length in left:
                del rows[length:]
            rung, unseen, next_at = anomaly.rung, anomaly.unseen, self.now + SET_ASIDE
        self._move(anomaly, rung, unseen, next_at)

    def _called(self, case: _Case) -> tuple[int, int, datetime | None]:
        """Call what is due; return how many rungs of its clocks are called then, and when to look again."""
        anomaly, now = case.anomaly, self.now
        if anomaly.clock == Clock.HOLD:
            return self._remind(case)
        ladder = flows.document(self.session, anomaly.flow_version_id).ladder(anomaly.severity)
        clock_from = anomaly.clock_from or now
        unseen, shown_by = anomaly.unseen, None
        checks = ladder.of("displayed") if anomaly.clock == Clock.ACCEPTED else []
        if checks:
            reach = partial(self._reach, case, since=case.since or now)
            unseen, shown_by = not_shown(
                checks, unseen, calling_since=case.since, shown=bool(case.seen), now=now, reach=reach
            )
        rungs = ladder.of(str(anomaly.clock))
        rung, next_at = climb(
            rungs,
            anomaly.rung,
            clock_from=clock_from,
            now=now,
            last_at=self._last_called(anomaly) if anomaly.rung >= len(rungs) else None,
            reach=partial(self._reach, case, since=clock_from),
        )
        if shown_by is None and unseen < len(checks) and case.since is not None:  # the first calls are being made now
            shown_by = case.since + timedelta(seconds=checks[unseen].after)
        return rung, unseen, min((at for at in (next_at, shown_by) if at is not None), default=None)

    def _remind(self, case: _Case) -> tuple[int, int, datetime]:
        """A hold has run out: its owner is told, and again every hour, as long as nobody looks."""
        anomaly = case.anomaly
        until = anomaly.held_until or self.now
        times = (self.now - until) // HOLD_REMINDER
        self._reach(case, (Rung(clock="hold", after=0, call=(OWNER,)),), times, since=until)
        return anomaly.rung, anomaly.unseen, until + (times + 1) * HOLD_REMINDER

    def _watch(self, anomaly: Anomaly) -> None:
        flow = flows.document(self.session, anomaly.flow_version_id)
        until = (anomaly.clock_from or self.now) + timedelta(days=flow.watch_days)
        if until <= self.now:
            advance(self.session, anomaly, Action.CLOSE, by=NOBODY, now=self.now)
        else:
            self._move(anomaly, anomaly.rung, anomaly.unseen, until)

    def _move(self, anomaly: Anomaly, rung: int, unseen: int, next_at: datetime | None) -> None:
        changed = {"rung": rung, "unseen": unseen, "next_clock_at": next_at}
        self.moves.append({"id": anomaly.id, "round": anomaly.round} | changed)
        for name, value in changed.items():
            set_committed_value(anomaly, name, value)  # written below, past the session

    def _reach(self, case: _Case, options: Sequence[Rung], place: int, *, since: datetime) -> int:
        """Call the first of these rungs that reaches anybody; write down whom, or that it was nobody."""
        anomaly = case.anomaly
        rung, found = options[0], self._recipients(options[0], case)
        for other in options[1:]:
            if found:
                break
            rung, found = other, self._recipients(other, case)
        again = rung.clock == "displayed"
        added = meant(rung.channels)
        told: dict[str, object] = {"repeat": True} if len(options) > 1 else {}
        if since + timedelta(seconds=rung.after) > self.now:
            told["fell"] = True  # nobody was on duty for the step before it
        if again:
            found = self._reachable(found, case, added)
        cause = f"{anomaly.id.hex}:{anomaly.round}:{rung.clock}:{place}"
        for one in found:
            used = frozenset(case.used[one.person.id] if again else ())
            recipient = Recipient(one.person, one.why | told, one.wait, one.muted) if told else one
            self.calls.append(_Call(anomaly, recipient, CALL, cause, place, added, used))
            if again:  # another rung of this very moment goes one way further
                case.used[one.person.id].update(channel for channel, _ in self._ways(one, added, used))
        if found and case.since is None:
            case.since = self.now
        self._ring_outlets(anomaly, rung, added, cause, place)
        details = {"clock": rung.clock, "rung": place, "called": [one.person.name for one in found]}
        kind = "called" if found else "unseen" if again else "nobody"
        self.events.append(event_row(anomaly.id, kind, now=self.now, once=cause, details=details))
        return len(found)

    def _recipients(self, rung: Rung, case: _Case) -> list[Recipient]:
        anomaly = case.anomaly
        place = anomaly.station_id, anomaly.team_id, anomaly.owner_id, anomaly.category, anomaly.severity
        key = None if any(audience.unseen for audience in rung.call) else (id(rung), *place)
        if key in self._meant:
            return self._meant[key]
        load: Mapping[UUID, int] = {} if anomaly.severity == 1 or rung.clock != "accepted" else self._owned()
        found = recipients(
            rung,
            anomaly,
            at=self.now,
            roster=self._roster(anomaly.site_id),
            routing=self._routing,
            teams=self._teams,
            called=[one for one in case.called if one not in case.waiting],
            seen=case.seen,
            load=load,
        )
        if key is not None:
            self._meant[key] = found
        return found

    def _reachable(self, found: Sequence[Recipient], case: _Case, added: frozenset[str]) -> list[Recipient]:
        """Who of them can be called over a way that was not used in this round."""
        self._know(one.person.id for one in found)
        return [one for one in found if self._ways(one, added, frozenset(case.used[one.person.id]))]

    def _ring_outlets(self, anomaly: Anomaly, rung: Rung, added: frozenset[str], cause: str, place: int) -> None:
        for outlet in self._outlets:
            named = outlet.channel in added or (not outlet.from_rung and rung.clock == "accepted")
            if (
                named
                and outlet.channel in self.channels
                and outlet.site_id == anomaly.site_id
                and outlet.line_id in (None, anomaly.line_id)
                and outlet.team_id in (None, anomaly.team_id)
                and anomaly.severity <= outlet.severity
            ):
                why: dict[str, object] = {"outlet": outlet.name, "clock": rung.clock, "after": rung.after}
                row = self._row(anomaly, CALL, place, why, (outlet.channel, None), f"{cause}:{outlet.id.hex}", self.now)
                self.outlets.append(row | {"outlet_id": outlet.id})

    # --- news ---

    def tell(self, event: Event, anomaly: Anomaly) -> None:
        plan_changes(self.session, anomaly.id, event.kind, event.by, now=self.now)
        if event.kind not in NEWS_KINDS:
            return
        told = event.details.get("to_id") or anomaly.owner_id
        roster = self._roster(anomaly.site_id)
        person = roster.members.get(UUID(str(told))) if told else None
        if person is None or person.id == event.by_id:
            return
        why: dict[str, object] = {"news": event.kind, "by": event.by}
        wait = quiet_for(person, self.now, roster) if event.kind in CAN_WAIT and anomaly.severity > 1 else timedelta(0)
        self.calls.append(_Call(anomaly, Recipient(person, why, wait, person.news_muted), NEWS, f"{event.seq}"))

    # --- what is read once for a batch ---

    def _look_back(self) -> None:
        """Who was called in this round, over what, and who has seen it; of the cases in which a clock asks for it."""
        asked = [case.anomaly.id for case in self._cases.values() if self._asks(case.anomaly)]
        if not asked:
            return
        for id_, person_id, channel, planned_at, displayed_at, why, waits in _CALLED.rows(
            self.session.connection(), ids=asked, now=self.now
        ):
            case = self._cases[id_]
            if displayed_at is not None:
                case.seen.add(person_id)
            # Who is rung only now cannot have shown it, whether or not it is on its way already.
            if waits or (LATER in why and planned_at + timedelta(seconds=why[LATER]) >= self.now):
                case.waiting.add(person_id)
                continue
            case.called[person_id] = None
            case.used[person_id].add(channel)
            case.since = min(case.since or planned_at, planned_at)

    def _asks(self, anomaly: Anomaly) -> bool:
        if anomaly.rung == 0 or anomaly.clock in (Clock.HOLD, Clock.WATCH):
            return False
        try:
            ladder = flows.document(self.session, anomaly.flow_version_id).ladder(anomaly.severity)
        except ValueError:
            return False  # it is set aside when its turn comes
        if anomaly.clock == Clock.ACCEPTED and anomaly.unseen < len(ladder.of("displayed")):
            return True
        return any(audience.unseen for rung in ladder.of(str(anomaly.clock)) for audience in rung.call)

    def _last_called(self, anomaly: Anomaly) -> datetime | None:
        """When the latest rung of this round was called. The first who asks, asks for the whole batch."""
        if self._last is None:
            keys = [_latest(case.anomaly) for case in self._cases.values()]
            self._last = dict(_AT.rows(self.session.connection(), keys=keys))
        return self._last.get(_latest(anomaly))

    def _owned(self) -> Mapping[UUID, int]:
        if self._load is None:
            owned = select(Anomaly.owner_id, func.count()).where(
                col(Anomaly.owner_id).is_not(None), col(Anomaly.in_queue).is_(True), col(Anomaly.status).in_(OWNED)
            )
            counted = self.session.execute(owned.group_by(col(Anomaly.owner_id)))
            self._load = {person: count for person, count in counted if person is not None}
        return self._load

    def _roster(self, site: UUID) -> Roster:
        if site not in self._rosters:
            self._rosters[site] = rosters.roster(self.session, site, since=self.now)
        return self._rosters[site]

    def _know(self, ids: Iterable[UUID]) -> None:
        missing = {one for one in ids if one not in self._addresses}
        if missing:
            self._addresses |= {one: [] for one in missing} | people.addresses(self.session, missing)

    # --- what is written at the end ---

    def write(self) -> None:
        """Turn each person called into one delivery for each way to reach them, and write everything down."""
        self._know(call.recipient.person.id for call in self.calls)
        rows = list(self.outlets)
        for call in self.calls:
            person_id, wait = call.recipient.person.id, call.recipient.wait
            why = call.recipient.why | {LATER: wait.total_seconds()} if wait else call.recipient.why
            for way in self._ways(call.recipient, call.added, call.used):
                channel, address = way
                once = f"{call.cause}:{person_id.hex}:{channel}:{address.hex if address else ''}"
                at = self.now if way == INSIDE else self.now + wait
                row = self._row(call.anomaly, call.purpose, call.rung, why, way, once, at)
                rows.append(row | {"person_id": person_id})
        connection = self.session.connection()
        insert_many(connection, _DELIVERY, rows)
        update_many(connection, _ANOMALY, self.moves, where=("id", "round"))
        if self.events:
            at_commit(self.session, write_events, *self.events)

    def _ways(self, one: Recipient, added: frozenset[str], used: frozenset[str]) -> list[Way]:
        key = one.person.id, added, used, one.muted
        if key not in self._ways_of:
            known = self._addresses[one.person.id]
            self._ways_of[key] = ways(one.person, known, self.channels, added=added, used=used, muted=one.muted)
        return self._ways_of[key]

    def _row(
        self, anomaly: Anomaly, purpose: str, rung: int, why: dict[str, object], way: Way, once: str, due_at: datetime
    ) -> dict[str, Any]:
        channel, address = way
        return {
            "id": new_id(),
            "once": once,
            "anomaly_id": anomaly.id,
            "person_id": None,
            "outlet_id": None,
            "channel": channel,
            "address_id": address,
            "purpose": purpose,
            "why": why,
            "round": anomaly.round,
            "rung": rung,
            "state": DeliveryState.PLANNED,
            "due_at": due_at,
            "attempts": 0,
            "error": "",
            "planned_at": self.now,
        }


def _latest(anomaly: Anomaly) -> str:
    return f"{anomaly.id.hex}:{anomaly.round}:{anomaly.clock}:{anomaly.rung - 1}"


_DELIVERY: Any = Delivery.__table__  # type: ignore[attr-defined]
_ANOMALY: Any = Anomaly.__table__  # type: ignore[attr-defined]
_EVENT: Any = Event.__table__  # type: ignore[attr-defined]
_CALLED = Direct(
    sa_select(
        _DELIVERY.c.anomaly_id,
        _DELIVERY.c.person_id,
        _DELIVERY.c.channel,
        _DELIVERY.c.planned_at,
        _DELIVERY.c.displayed_at,
        _DELIVERY.c.why,
        and_(
            _DELIVERY.c.state == literal_column("'planned'"),
            _DELIVERY.c.attempts == literal_column("0"),
            _DELIVERY.c.due_at >= bindparam("now"),
        ),
    )
    .join(_ANOMALY, and_(_ANOMALY.c.id == _DELIVERY.c.anomaly_id, _ANOMALY.c.round == _DELIVERY.c.round))
    .where(
        among(_DELIVERY.c.anomaly_id, "ids"),
        _DELIVERY.c.purpose == literal_column("'call'"),
        _DELIVERY.c.person_id.is_not(None),
    )
)
_AT = Direct(sa_select(_EVENT.c.once, _EVENT.c.at).where(among(_EVENT.c.once, "keys")))
