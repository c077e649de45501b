"""Reads about alarm rules for people: what is watched, how it stands, what was changed, what is hidden."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from app.flows import queries as flows
from app.kit.columns import Names
from app.kit.errors import NotFound
from app.machines.models import AlarmRule, AlarmState, RuleVersion, Shelf, Source, Subject, Tag, Withheld
from app.machines.rules import SIGNAL_KINDS
from app.machines.sentences import Dictionary
from app.machines.shelving import shelved
from app.plant.models import Station
from app.rosters.models import Shift

MOST = 200
STALE_AFTER = timedelta(hours=24)
"""An alarm that stands longer is stale: nobody sees it any more."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One rule, where it is, and how it stands."""

    rule: AlarmRule
    tag: Tag
    station: Station
    source: str
    state: AlarmState | None
    shelf: Shelf | None

    @property
    def is_signal(self) -> bool:
        return self.rule.kind in SIGNAL_KINDS

    def standing(self, *, now: datetime) -> str:
        """One word: off, shelved, out_of_service, stale, active, suppressed or normal."""
        if not self.rule.enabled:
            return "off"
        if self.shelf is not None:
            return "out_of_service" if self.shelf.kind == "out_of_service" else "shelved"
        if self.state is not None and self.state.active:
            long_ago = self.state.since is not None and now - self.state.since > STALE_AFTER
            return "stale" if long_ago else "active"
        return "suppressed" if self.state is not None and self.state.withheld else "normal"


@dataclass(frozen=True, slots=True)
class Places:
    """What a list of rules can be narrowed to, with how many there are."""

    sources: list[tuple[UUID, str, int]]
    stations: list[tuple[UUID, Names, int]]


def listed(
    session: Session,
    *,
    source_id: UUID | None = None,
    station_id: UUID | None = None,
    ids: Collection[UUID] | None = None,
    now: datetime,
) -> list[Listed]:
    """Return rules in the order of the shop floor, those of a station and tag together; at most MOST."""
    which: list[Any] = []
    if source_id is not None:
        which.append(col(Tag.source_id) == source_id)
    if station_id is not None:
        which.append(col(Tag.station_id) == station_id)
    if ids is not None:
        which.append(col(AlarmRule.id).in_(ids))
    rows = session.execute(
        select(AlarmRule, Tag, Station, Source.name, AlarmState)  # type: ignore[call-overload]
        .join(Tag, col(Tag.id) == col(AlarmRule.tag_id))
        .join(Station, col(Station.id) == col(Tag.station_id))
        .join(Source, col(Source.id) == col(Tag.source_id))
        .outerjoin(AlarmState, col(AlarmState.rule_id) == col(AlarmRule.id))
        .where(*which)
        .order_by(col(Station.position), col(Station.code), col(Tag.id), col(AlarmRule.setpoint), col(AlarmRule.id))
        .limit(MOST)
    )
    hidden = shelved(session, now=now)
    return [Listed(rule, tag, station, name, state, hidden.get(rule.id)) for rule, tag, station, name, state in rows]


def one(session: Session, rule_id: UUID, *, now: datetime) -> Listed:
    """
    Raises:
        NotFound
    """
    found = listed(session, ids=[rule_id], now=now)
    if not found:
        raise NotFound()
    return found[0]


def places(session: Session) -> Places:
    """Return the sources and stations that have rules."""
    count = func.count(col(AlarmRule.id))
    joined = select(Source.id, Source.name, count).join(Tag, col(Tag.source_id) == col(Source.id))
    by_source = joined.join(AlarmRule, col(AlarmRule.tag_id) == col(Tag.id)).group_by(col(Source.id), col(Source.name))
    ruled = select(Tag.station_id, count).join(AlarmRule, col(AlarmRule.tag_id) == col(Tag.id))
    of_station = ruled.group_by(col(Tag.station_id))
    counted = dict(session.exec(of_station).all())
    stations = select(Station).where(col(Station.id).in_(counted)).order_by(col(Station.position), col(Station.code))
    return Places(
        [(id_, name, n) for id_, name, n in session.exec(by_source.order_by(col(Source.name)))],
        [(station.id, station.names, counted[station.id]) for station in session.exec(stations)],
    )


def versions(session: Session, rule_id: UUID) -> Sequence[RuleVersion]:
    """Return what a rule said, the newest version first."""
    which = select(RuleVersion).where(RuleVersion.rule_id == rule_id).order_by(col(RuleVersion.number).desc())
    return session.exec(which).all()


def withheld(session: Session, rule_id: UUID, limit: int = 5) -> Sequence[Withheld]:
    """Return what the rule did and nobody was told of, the newest first."""
    which = select(Withheld).where(Withheld.rule_id == rule_id, col(Withheld.active))
    return session.exec(which.order_by(col(Withheld.at).desc()).limit(limit)).all()


def ended_shelves(session: Session, rule_id: UUID, limit: int = 5) -> Sequence[Shelf]:
    """Return the shelves a rule was on, the newest first."""
    which = select(Shelf).where(Shelf.subject == Subject.RULE, Shelf.subject_id == rule_id)
    return session.exec(which.order_by(col(Shelf.since).desc()).limit(limit)).all()


def tags(session: Session, source_id: UUID) -> Sequence[Tag]:
    """Return the tags of a source: what else a rule on one of them can look at."""
    return session.exec(select(Tag).where(Tag.source_id == source_id).order_by(col(Tag.station_id), col(Tag.id))).all()


def all_tags(session: Session) -> list[tuple[Tag, Station]]:
    """Return every tag with where it is."""
    which = select(Tag, Station).join(Station, col(Station.id) == col(Tag.station_id))
    return [
        (tag, station)
        for tag, station in session.exec(which.order_by(col(Station.position), col(Station.code), col(Tag.id)))
    ]


def dictionary(session: Session, source_id: UUID | None = None) -> Dictionary:
    """Return what everything is called that a sentence may speak of."""
    which = select(Tag)
    if source_id is not None:
        which = which.where(Tag.source_id == source_id)
    return Dictionary(
        {tag.id: tag.names for tag in session.exec(which)},
        {shift.id: shift.names for shift in session.exec(select(Shift))},
        {document.category: document.names for _, document in flows.current(session)},
    )
