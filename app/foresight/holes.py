"""Holes of the coming week as anomalies of their own, before they happen: one for each line and week.

A hole is found by looking ahead, comes in through the one door like everything that is seen, and ends by itself when
somebody has filled it. Who called it off by hand is not told of the same week again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast
from sqlmodel import Session, col, func, select

from app.anomaly.actions import NOBODY, advance
from app.anomaly.lifecycle import Action, Status
from app.anomaly.models import Anomaly, Occurrence
from app.anomaly.queries import get
from app.flows.models import FlowVersion, RoutingVersion
from app.foresight import queries as foresight
from app.foresight import words as foretold
from app.foresight.coverage import WEEK, Coverage, Gap, holes
from app.foresight.timeline import Plan
from app.kit import i18n
from app.kit.columns import Names
from app.kit.errors import N_
from app.people.models import Person
from app.plant import queries as places
from app.plant.models import Station
from app.rosters.models import Absence, Duty, Shift, SquadMember, Swap

SOURCE, WHAT, CATEGORY = "roster", "coverage", "man"
FILLED = "filled"
STILL_TO_DO = frozenset({Status.REPORTED, Status.ACCEPTED, Status.ON_SITE})
LOOK_BACK = timedelta(days=30)

State = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Nobody would be called on a line at some time of a week. `number` counts how often it was filled before."""

    station_id: UUID
    week: str
    category: str
    message: Names
    number: int = 0

    @property
    def fingerprint(self) -> str:
        return f"{self.station_id.hex}:{WHAT}:{self.week}"


@dataclass(frozen=True, slots=True)
class Look:
    """What looking ahead found: holes nobody knows of yet, and anomalies whose hole is gone."""

    new: list[Foreseen]
    filled: list[UUID]


def state(session: Session) -> State:
    """Return what changes whenever somebody changes who is called when: cheap enough to be asked all the time."""
    found: list[object] = []
    ids = (Duty.id, Absence.id, SquadMember.person_id, Shift.id, FlowVersion.id, RoutingVersion.id)
    for key in ids:
        found += session.exec(select(func.count(), func.max(cast(key, String)))).one()
    found.append(session.exec(select(func.max(Swap.answered_at))).one())
    found += session.exec(select(func.count(), func.max(Person.left_at)).select_from(Person)).one()
    return tuple(found)


def look(session: Session, *, now: datetime) -> Look:
    """Compare the holes of the coming week with the anomalies that are there because of them."""
    new: list[Foreseen] = []
    filled: list[UUID] = []
    for site in places.sites(session):
        zone = ZoneInfo(site.timezone)
        stations = foresight.stations(session, site.id)
        wanted = {one.fingerprint: one for one in _foreseen(session, site.id, stations, zone, now)}
        known = _known(session, stations, since=now - LOOK_BACK)
        for fingerprint, one in wanted.items():
            before = known.get(fingerprint, [])
            if all(anomaly.end_reason == FILLED for anomaly in before):
                new.append(Foreseen(one.station_id, one.week, one.category, one.message, len(before)))
        for fingerprint, anomalies in known.items():
            filled += [one.id for one in anomalies if fingerprint not in wanted and one.status in STILL_TO_DO]
    return Look(new, filled)


def fill(session: Session, anomalies: Sequence[UUID], *, now: datetime) -> None:
    """End anomalies whose hole is gone: what they say is no longer true."""
    for key in anomalies:
        anomaly = get(session, key)
        if anomaly.status in STILL_TO_DO:
            changes = {"offered_to_id": None, "end_reason": FILLED}
            advance(session, anomaly, Action.CANCEL, by=NOBODY, now=now, changes=changes, reason=FILLED)


def _foreseen(
    session: Session, site_id: UUID, stations: Sequence[Station], zone: ZoneInfo, now: datetime
) -> Iterator[Foreseen]:
    # From yesterday's midnight, so that a hole that has begun keeps the week it began in.
    since = datetime.combine(now.astimezone(zone).date() - timedelta(1), time(0), zone)
    plan = foresight.plan(session, site_id, since=since, until=now + WEEK)
    if not plan.flows:
        return
    found: dict[tuple[UUID, str], list[Gap]] = {}
    for gap in Coverage(plan, stations, since=since, until=now + WEEK).gaps():
        if gap.empty and gap.ends > now:
            week = "{}-W{:02d}".format(*gap.begins.astimezone(zone).isocalendar())
            found.setdefault((gap.line_id, week), []).append(gap)
    for (line_id, week), gaps in found.items():
        here = [one for one in stations if one.line_id == line_id]
        category = CATEGORY if CATEGORY in plan.flows else next(iter(plan.flows))
        yield Foreseen(here[0].id, week, category, _message(gaps, here, plan, zone))


def _message(gaps: Iterable[Gap], stations: Sequence[Station], plan: Plan, zone: ZoneInfo) -> Names:
    """Say the first hole in each language, and how many more there are."""
    first, *more = holes(gaps, stations)
    categories = {key: flow.names for key, flow in plan.flows.items()}
    said: Names = {}
    for lang in i18n.LANGUAGES:
        with _speaking(lang, zone):
            told = {"day": i18n.weekday(first.begins), "what": foretold.what(first, categories), "n": len(more)}
            told |= {"begins": f"{i18n.local(first.begins):%H:%M}", "ends": f"{i18n.local(first.ends):%H:%M}"}
            once = N_("Nobody would come: %(day)s %(begins)s–%(ends)s, %(what)s")
            often = N_("Nobody would come: %(day)s %(begins)s–%(ends)s, %(what)s; and %(n)s more times")
            said[lang] = i18n.gettext(often if more else once) % told
    return said


def _known(session: Session, stations: Sequence[Station], *, since: datetime) -> dict[str, list[Anomaly]]:
    """Return the anomalies that holes of these stations have led to, oldest first, by fingerprint."""
    which = (
        select(Occurrence.fingerprint, Anomaly)
        .join(Anomaly, col(Anomaly.id) == col(Occurrence.anomaly_id))
        .where(
            col(Anomaly.station_id).in_([one.id for one in stations]),
            col(Anomaly.received_at) >= since,
            col(Occurrence.source) == SOURCE,
        )
        .order_by(col(Anomaly.received_at), col(Occurrence.received_at))
    )
    found: dict[str, list[Anomaly]] = {}
    for fingerprint, anomaly in session.exec(which):
        if anomaly not in (here := found.setdefault(fingerprint, [])):
            here.append(anomaly)
    return found


@contextmanager
def _speaking(lang: str, zone: ZoneInfo) -> Iterator[None]:
    was = i18n.language.set(lang), i18n.timezone.set(zone.key)
    try:
        yield
    finally:
        i18n.language.reset(was[0])
        i18n.timezone.reset(was[1])
