"""Figures, alarms and proposals as the page tells them, in the language of the reader. Pure."""

from collections.abc import Sequence

from app.kit.errors import N_
from app.kit.i18n import gettext, named, ngettext
from app.machines.models import AlarmRule
from app.machines.proposals import Numbers, Proposal
from app.machines.replay import BackTest
from app.machines.rule_documents import RuleDocument
from app.machines.sentences import Dictionary, sentence
from app.machines.words import plain
from app.measure.health import Behaviour, Figure, Verdict, share
from app.measure.queries import About

FIGURES = {
    "per_day": N_("Alarms a day"),
    "per_hour": N_("Alarms an hour"),
    "per_ten_minutes": N_("Alarms in ten minutes, on average"),
    "peak": N_("Most alarms in ten minutes"),
    "flood_share": N_("Time in floods"),
    "worst_share": N_("Share of the ten worst"),
    "chattering": N_("Alarms that chatter"),
    "fleeting": N_("Alarms gone within 10 seconds"),
    "stale": N_("Alarms standing for more than a day"),
    "urgent_share": N_("Urgent and serious ones"),
}
BENCHMARKS = {
    "per_day": N_("good up to 150, at most 300"),
    "per_hour": N_("good up to 6, at most 12"),
    "per_ten_minutes": N_("good up to 1, at most 2"),
    "peak": N_("good up to 10"),
    "flood_share": N_("good below 1 %%"),
    "worst_share": N_("good up to 5 %%"),
    "chattering": N_("good: none"),
    "fleeting": N_("good: none"),
    "stale": N_("good below 5"),
    "urgent_share": N_("good up to 6 %%"),
}
VERDICTS = {
    Verdict.GOOD: N_("good"),
    Verdict.EDGE: N_("just manageable"),
    Verdict.BAD: N_("too many"),
    Verdict.OPEN: N_("too few to say"),
}
TONES = {Verdict.GOOD: "green", Verdict.EDGE: "amber", Verdict.BAD: "red", Verdict.OPEN: ""}
SIGNS = {Verdict.GOOD: "check", Verdict.EDGE: "triangle", Verdict.BAD: "octagon", Verdict.OPEN: "circle"}


def title(about: About, known: Dictionary) -> str:
    """Return what an alarm is: its rule as a sentence, or what a server calls it."""
    if about.rule is None:
        return named(about.names)
    said = sentence(RuleDocument.of(about.rule), about.names, about.unit, known)
    return said[:1].upper() + said[1:]


def value(figure: Figure) -> str:
    """Return the number as people read it: 0.4, 37, 12 %."""
    if figure.name.endswith("_share"):
        return percent(figure.value)
    return number(figure.value)


def benchmark(name: str) -> str:
    return gettext(BENCHMARKS[name]) % {}


def overall(figures: Sequence[Figure]) -> tuple[Verdict, str]:
    """Return how it stands on the whole, in one sentence."""
    bad = sum(figure.verdict is Verdict.BAD for figure in figures)
    edge = sum(figure.verdict is Verdict.EDGE for figure in figures)
    if bad:
        words = ngettext(
            "%(num)s figure is worse than people can manage.", "%(num)s figures are worse than people can manage.", bad
        )
        return Verdict.BAD, words % {"num": bad}
    if edge:
        return Verdict.EDGE, gettext(N_("Manageable, with nothing to spare."))
    return Verdict.GOOD, gettext(N_("Every figure is as good as the standard wants it."))


def worst(alarms: int, total: int, behaviour: Behaviour | None) -> str:
    """Return how bad one alarm is: how often, which part of all, and what is wrong with it."""
    said = [
        ngettext(
            "%(num)s alarm this week, %(share)s of all.", "%(num)s alarms this week, %(share)s of all.", alarms
        )
        % {"num": alarms, "share": percent(share(alarms, total))}
    ]  # fmt: skip
    if behaviour and behaviour.chattering:
        said.append(gettext(N_("It chatters: three or more within a minute.")))
    if behaviour and behaviour.fleeting:
        gone = share(behaviour.fleeting, behaviour.alarms)
        said.append(gettext(N_("%(share)s of them were gone within 10 seconds.")) % {"share": percent(gone)})
    return gettext(N_("%(first)s %(second)s")) % {"first": said[0], "second": " ".join(said[1:])}


def proposed(rule: AlarmRule, proposal: Proposal, unit: str) -> str:
    """Return what would change: "On-delay 8 s instead of 0 s"."""
    return changed(Numbers(rule.deadband, rule.on_delay_s, rule.off_delay_s), proposal.numbers, unit)


def changed(was: Numbers, to: Numbers, unit: str) -> str:
    """Return which of the three numbers differ, and how."""
    seconds = gettext(N_("%(n)s s"))
    rows = (
        (N_("On-delay %(to)s instead of %(was)s"), was.on_delay, to.on_delay, seconds),
        (N_("Off-delay %(to)s instead of %(was)s"), was.off_delay, to.off_delay, seconds),
        (N_("Dead-band %(to)s instead of %(was)s"), was.deadband, to.deadband, f"%(n)s {unit}".rstrip()),
    )
    said = [
        gettext(text) % {"to": in_unit % {"n": plain(after)}, "was": in_unit % {"n": plain(before)}}
        for text, before, after, in_unit in rows
        if before != after
    ]
    return gettext(N_(", ")).join(said)


def outcome(proposal: Proposal) -> list[str]:
    """Return what it would have done, and what it costs."""
    hours = max(round((proposal.until - proposal.since).total_seconds() / 3600), 1)
    said = [
        gettext(N_("In the last %(hours)s hours it would have removed %(removed)s of %(alarms)s alarms."))
        % {"hours": hours, "removed": proposal.removed, "alarms": proposal.alarms}
    ]
    if not proposal.real:
        return [*said, gettext(N_("There was no real event among them."))]
    later = plain(float(-(-proposal.later // 1)))
    if proposal.later:
        text = ngettext(
            "The %(num)s real event would still be told, at most %(later)s s later.",
            "All %(num)s real events would still be told, none more than %(later)s s later.",
            proposal.real,
        )
    else:
        text = ngettext(
            "The %(num)s real event would still be told, no later than now.",
            "All %(num)s real events would still be told, no later than now.",
            proposal.real,
        )
    return [*said, text % {"num": proposal.real, "later": later}]


def tested(test: BackTest) -> str:
    """Return what a rule would have done: "Would have fired 7 times last week, 5 of them within a minute …"."""
    hours = max(round((test.until - test.since).total_seconds() / 3600), 1)
    days, told = hours // 24, {"num": test.alarms, "close": test.close, "hours": hours, "days": hours // 24}
    if not test.alarms:
        text = N_("Would not have fired in the last %(days)s days.") if days > 1 else N_(
            "Would not have fired in the last %(hours)s hours.")  # fmt: skip
        return gettext(text) % told
    if days > 1:
        said = ngettext("Would have fired %(num)s time in the last %(days)s days",
                        "Would have fired %(num)s times in the last %(days)s days", test.alarms)  # fmt: skip
    else:
        said = ngettext("Would have fired %(num)s time in the last %(hours)s hours",
                        "Would have fired %(num)s times in the last %(hours)s hours", test.alarms)  # fmt: skip
    if not test.close:
        return gettext(N_("%(fired)s.")) % {"fired": said % told}
    close = ngettext("%(close)s of them within a minute of another", "%(close)s of them within a minute of another",
                     test.close)  # fmt: skip
    return gettext(N_("%(fired)s, %(close)s.")) % {"fired": said % told, "close": close % told}


def percent(part: float) -> str:
    """Return a share as a percentage, without more digits than it is worth."""
    hundred = part * 100
    digits = 1 if 0 < hundred < 10 else 0
    return f"{hundred:.{digits}f} %"


def number(value: float) -> str:
    """Return a count or a mean."""
    return f"{value:.1f}" if value != int(value) and value < 100 else f"{value:.0f}"
