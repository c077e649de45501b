"""Evidence as a page shows it: pictures, numbers with their units, and a sentence for each suspect."""

from dataclasses import dataclass
from datetime import datetime

from app.evidence.drawing import Mark, Picture, draw
from app.evidence.models import Moment, Part
from app.evidence.queries import Evidence, Shown
from app.evidence.suspects import MOST
from app.kit.errors import N_
from app.kit.i18n import gettext, named, when
from app.machines.words import plain

TALL, FLAT = 156, 84

_SIGNS = {Part.BATCH: N_("Batch %(what)s"), Part.PRODUCT: N_("Changeover to %(what)s")}
_ROSE = N_("%(tag)s rose from %(was)s to %(became)s at %(time)s")
_FELL = N_("%(tag)s fell from %(was)s to %(became)s at %(time)s")
_USUAL = N_("%(times)s times as far as it usually strays")
_NEVER = N_("in the hour before it had never moved")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One tag's picture with what stands around it."""

    name: str
    place: str
    range: str
    said: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class Told:
    """One snapshot, ready to be shown. `first` is the picture of the alarm's own tag, or of any where it has none."""

    is_alarm: bool
    at: datetime
    until: datetime
    running: bool
    limit: str
    first: Drawn | None
    suspects: list[tuple[str, str, Drawn]]
    others: list[Drawn]
    marks: list[Mark]


def tell(evidence: Evidence, *, now: datetime) -> Told:
    """Return a snapshot as it is shown to whoever is being answered, in their language."""
    snapshot, marks = evidence.snapshot, _marks(evidence)
    drawn = evidence.drawn
    own = next((one for one in drawn if one.part == Part.ALARM), drawn[0] if drawn else None)
    suspected = evidence.suspected
    rest = [one for one in drawn if one is not own and one not in suspected and one.samples]
    return Told(
        is_alarm=snapshot.moment == Moment.ALARM,
        at=snapshot.at,
        until=snapshot.until,
        running=now < snapshot.until,
        limit=_with_unit(snapshot.limit, own.unit) if own else "",
        first=_draw(own, evidence, marks, TALL, now) if own and own.samples else None,
        suspects=[(*_accuse(one, now=now), _draw(one, evidence, marks, FLAT, now)) for one in suspected],
        others=[_draw(one, evidence, marks, FLAT, now) for one in rest],
        marks=[mark for mark in marks if mark.at <= now],
    )


def _draw(one: Shown, evidence: Evidence, marks: list[Mark], height: int, now: datetime) -> Drawn:
    snapshot, own = evidence.snapshot, one.part == Part.ALARM
    end = snapshot.frozen_at and snapshot.until
    picture = draw(
        one.samples,
        snapshot.since,
        snapshot.until,
        now=end or now,
        height=height,
        limit=snapshot.limit if own else None,
        spans=evidence.spans,
        marks=marks,
    )
    low, high = _with_unit(picture.lowest, ""), _with_unit(picture.highest, one.unit)
    told = {"tag": named(one.names), "low": low, "high": high}
    switch = any(type(sample.value) is bool for sample in one.samples)
    return Drawn(
        name=named(one.names),
        place=named(one.place) if one.part == Part.SUSPECT else "",
        range="" if switch or picture.lowest is None else f"{low} … {high}" if low != high else high,
        said=gettext("%(tag)s between %(low)s and %(high)s") % told,
        picture=picture,
    )


def _accuse(one: Shown, *, now: datetime) -> tuple[str, str]:
    """What a suspect did, and how unusual that is."""
    suspect = one.suspect
    if suspect is None:
        return "", ""
    told = {
        "tag": named(one.names),
        "was": _with_unit(suspect.was, ""),
        "became": _with_unit(suspect.became, one.unit),
        "time": when(suspect.moved_at, now=now),
    }
    sentence = gettext(_ROSE if suspect.became > suspect.was else _FELL) % told
    never = suspect.score >= MOST
    return sentence, gettext(_NEVER) if never else gettext(_USUAL) % {"times": f"{suspect.score:.0f}"}


def _marks(evidence: Evidence) -> list[Mark]:
    """What happened in that time, numbered in its order: a number is the same in every language."""
    found = [(at, "report", gettext("Somebody reported it")) for at in evidence.reports]
    found += [(at, "shift", gettext("Shift: %(shift)s") % {"shift": named(names)}) for at, names in evidence.shifts]
    found += [(at, part, gettext(_SIGNS[part]) % {"what": what}) for at, part, what in evidence.signs]
    return [Mark(at, str(kind), words, str(n)) for n, (at, kind, words) in enumerate(sorted(found, key=_at)[:9], 1)]


def _at(mark: tuple[datetime, str, str]) -> datetime:
    return mark[0]


def _with_unit(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{plain(round(value, 2))} {unit}".strip()
