"""Timelines, holes and differences as pages tell them, in the language of the reader. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.dispatch import ladder_words
from app.dispatch.ladder_words import Dictionary
from app.dispatch.words import why
from app.foresight.coverage import Hole
from app.foresight.dryrun import Difference, typical
from app.foresight.timeline import Case, Missed, Plan, Step, missed, rings
from app.kit.columns import Names
from app.kit.errors import N_
from app.kit.i18n import elapsed, gettext, named, ngettext

MISSED = {
    "away": N_("away"),
    "red": N_("red: the phone did not answer at the start of the shift"),
    "no phone": N_("has nothing that rings"),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One person in a step: who, why they, over what, and after which wait of their own."""

    name: str
    why: str
    over: str
    wait: str


@dataclass(frozen=True, slots=True)
class Told:
    """One step as a page shows it."""

    at: datetime
    after: str
    clock: str
    who: str
    over: str
    people: list[Heard]
    missed: list[tuple[str, str]]
    early: bool
    repeat: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of the week. `level` is `none` (nobody at all), `thin` (nobody at first) or `fine`."""

    at: datetime
    level: str
    holes: tuple[int, ...]


def steps(found: Iterable[Step], case: Case, plan: Plan, known: Dictionary, *, since: datetime) -> list[Told]:
    """Return a timeline in words."""
    return [
        Told(
            at=step.at,
            after=elapsed((step.at - since).total_seconds()) if step.at > since else gettext(N_("at once")),
            clock=step.clock,
            who="; ".join(ladder_words.who(audience, known) for audience in step.rung.call),
            over=", ".join(ladder_words.channel(kind) for kind in step.rung.channels),
            people=[
                Heard(
                    one.person.name,
                    why(one.why),
                    ", ".join(ladder_words.channel(kind) for kind in rings(one, step, plan)),
                    elapsed(one.wait.total_seconds()) if one.wait else "",
                )
                for one in step.found
            ],
            missed=_by_reason(missed(step, case, plan)),
            early=step.early,
            repeat=step.repeat,
        )
        for step in found
    ]


def hole(
    one: Hole, lines: Mapping[UUID, Names], stations: Mapping[UUID, Names], categories: Mapping[str, Names]
) -> str:
    """Return where, what and how bad: "Line 4: Machine, severity 1-4"."""
    if len(one.lines) == len(lines):
        where = gettext(N_("everywhere"))
    else:
        where = ", ".join([named(lines[key]) for key in one.lines] + [named(stations[key]) for key in one.stations])
    return gettext(N_("%(where)s: %(what)s")) % {"where": where, "what": what(one, categories)}


def what(one: Hole, categories: Mapping[str, Names]) -> str:
    """Return what and how bad: "Machine, severity 1-4"."""
    if len(one.categories) == len(categories):
        kinds = gettext(N_("everything"))
    else:
        kinds = ", ".join(named(categories[key]) for key in one.categories)
    first, last = one.severities[0], one.severities[-1]
    run = len(one.severities) == last - first + 1 and first != last
    bad = f"{first}–{last}" if run else ", ".join(map(str, one.severities))
    return gettext(N_("%(what)s, severity %(severity)s")) % {"what": kinds, "severity": bad}


def week(holes: Sequence[Hole], zone: ZoneInfo, *, since: datetime, days: int = 7) -> list[list[Cell]]:
    """Return each hour of each day from that of `since` on; what the wall shows twice is one, what it skips is fine."""
    first = since.astimezone(zone).date()
    found = []
    for n in range(days):
        row = []
        for hour in range(24):
            begins = datetime.combine(first + timedelta(n), time(hour), zone)
            ends = begins.replace(tzinfo=None) + timedelta(hours=1)
            begin, end = begins.astimezone(UTC), ends.replace(tzinfo=zone, fold=1).astimezone(UTC)
            inside = [place for place, one in enumerate(holes) if one.begins < end and begin < one.ends]
            level = "none" if any(holes[place].empty for place in inside) else "thin" if inside else "fine"
            row.append(Cell(begin, level, tuple(inside)))
        found.append(row)
    return found


def difference(found: Difference) -> list[str]:
    """Return what a change would have done, each in a sentence; one sentence says that nothing would be different."""
    if not found.anomalies:
        return [gettext(N_("Nothing was reported in the last 30 days, so there is nothing to compare."))]
    if found.same:
        return [gettext(N_("The last 30 days would have gone the same way."))]
    said = []
    if found.fewer:
        said.append(ngettext("%(num)s call fewer", "%(num)s calls fewer", found.fewer) % {"num": found.fewer})
    if found.more:
        said.append(ngettext("%(num)s call more", "%(num)s calls more", found.more) % {"num": found.more})
    if found.later:
        n, told = len(found.later), {"num": len(found.later), "time": elapsed(typical(found.later).total_seconds())}
        said.append(ngettext("%(num)s would come %(time)s later", "%(num)s would come %(time)s later", n) % told)
    if found.sooner:
        n, told = len(found.sooner), {"num": len(found.sooner), "time": elapsed(typical(found.sooner).total_seconds())}
        said.append(ngettext("%(num)s would come %(time)s sooner", "%(num)s would come %(time)s sooner", n) % told)
    if found.never:
        few = ", ".join(f"#{number}" for number in found.never[:5])
        said.append(
            ngettext(
                "for %(num)s, who came would not have been called (%(few)s)",
                "for %(num)s, who came would not have been called (%(few)s)",
                len(found.never),
            )
            % {"num": len(found.never), "few": few}
        )
    return said


def _by_reason(found: Iterable[Missed]) -> list[tuple[str, str]]:
    """Return the names of who is missed, and why, each reason once."""
    each = {one.person.id: one for one in found}.values()
    reasons = dict.fromkeys(one.why for one in each)
    names = {why: gettext(", ").join(one.person.name for one in each if one.why == why) for why in reasons}
    return [(names[why], gettext(MISSED[why])) for why in reasons]
