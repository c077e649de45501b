"""An alarm rule as one sentence, in the language of the reader. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app.kit.columns import Names
from app.kit.errors import N_
from app.kit.i18n import gettext, named
from app.machines.rule_documents import RuleDocument
from app.machines.rules import Kind
from app.machines.samples import OFF, ON
from app.machines.terms import Compare, Term
from app.machines.words import plain

KINDS = {
    Kind.HIGH: N_("too high"),
    Kind.LOW: N_("too low"),
    Kind.DISCRETE: N_("on or off"),
    Kind.RATE_OF_CHANGE: N_("changes too fast"),
    Kind.DEVIATION: N_("off its set point"),
    Kind.BIT_PATTERN: N_("bits of a word"),
    Kind.STATE: N_("in a certain state"),
    Kind.COUNT: N_("too often"),
    Kind.COMBINATION: N_("several tags together"),
    Kind.BAD_STATUS: N_("no valid value"),
    Kind.STALE: N_("no signal"),
}
TESTS = {
    Compare.ABOVE: N_("%(tag)s is above %(value)s"),
    Compare.BELOW: N_("%(tag)s is below %(value)s"),
    Compare.IS: N_("%(tag)s is %(value)s"),
    Compare.IS_NOT: N_("%(tag)s is not %(value)s"),
    Compare.ONE_OF: N_("%(tag)s is one of %(value)s"),
    Compare.BIT: N_("bit %(value)s of %(tag)s is set"),
}


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What things are called."""

    tags: Mapping[UUID, Names] = field(default_factory=dict)
    shifts: Mapping[UUID, Names] = field(default_factory=dict)
    categories: Mapping[str, Names] = field(default_factory=dict)


def sentence(rule: RuleDocument, tag: Names, unit: str, known: Dictionary) -> str:
    """Return all that a rule says: when it speaks, until when, when it is meant, and how bad it is."""
    said = _until(_condition(rule, tag, unit, known), rule, unit)
    if rule.only_when:
        said = _put(N_("%(what)s; only while %(terms)s"), what=said, terms=_terms(rule.only_when, known))
    if shifts := [named(known.shifts[shift]) for shift in rule.shifts if shift in known.shifts]:
        said = _put(N_("%(what)s; only in the shift %(shifts)s"), what=said, shifts=_listed(shifts))
    if rule.suppress_when:
        terms = _terms(rule.suppress_when, known, any_of=True)
        said = _put(N_("%(what)s; not told while %(terms)s"), what=said, terms=terms)
        if rule.release_delay_s:
            said = _put(N_("%(what)s and %(time)s longer"), what=said, time=length(rule.release_delay_s))
    if rule.latched:
        said = _put(N_("%(what)s; stays until somebody resets it"), what=said)
    if rule.realarm_time_s:
        said = _put(N_("%(what)s; told again every %(time)s"), what=said, time=length(rule.realarm_time_s))
    if rule.group:
        said = _put(N_("%(what)s; in the group %(group)s"), what=said, group=rule.group)
    category = named(known.categories.get(rule.category)) or rule.category
    end = N_("%(what)s: severity %(severity)s, %(category)s")
    return _put(end, what=said, severity=rule.severity, category=category[:1].lower() + category[1:])


def length(seconds: float) -> str:
    """A length of time in the largest unit that says it without a fraction."""
    for unit, text in ((3600, N_("%(n)s h")), (60, N_("%(n)s min"))):
        if seconds >= unit and seconds % unit == 0:
            return _put(text, n=int(seconds // unit))
    return _put(N_("%(n)s s"), n=plain(float(seconds)))


def bits(word: int) -> str:
    """The bits of a word that are set, from 0."""
    return ", ".join(str(n) for n in range(word.bit_length()) if word >> n & 1)


def term(one: Term, known: Dictionary) -> str:
    """One comparison."""
    value = one.value.lower()
    said = N_("on") if value in ON else N_("off") if value in OFF else one.value
    return _put(TESTS[one.test], tag=_name(one.tag, known), value=gettext(said) if value in ON | OFF else said)


def _condition(rule: RuleDocument, tag: Names, unit: str, known: Dictionary) -> str:
    kind, name, limit = rule.kind, named(tag), rule.setpoint or 0.0
    away = _amount(abs(limit), unit)
    if kind is Kind.HIGH:
        return _put(N_("%(tag)s above %(limit)s"), tag=name, limit=_amount(limit, unit))
    if kind is Kind.LOW:
        return _put(N_("%(tag)s below %(limit)s"), tag=name, limit=_amount(limit, unit))
    if kind is Kind.DISCRETE:
        return _put(N_("%(tag)s is on") if rule.active_when else N_("%(tag)s is off"), tag=name)
    if kind is Kind.BAD_STATUS:
        return _put(N_("%(tag)s gives no valid value"), tag=name)
    if kind is Kind.STALE and rule.setpoint is None:
        return _put(N_("no signal from %(tag)s"), tag=name)
    if kind is Kind.STALE:
        return _put(N_("%(tag)s is older than %(time)s"), tag=name, time=length(limit))
    if kind is Kind.RATE_OF_CHANGE:
        text = N_("%(tag)s rises by more than %(by)s within %(time)s")
        text = text if limit > 0 else N_("%(tag)s falls by more than %(by)s within %(time)s")
        return _put(text, tag=name, by=away, time=length(rule.window_s))
    if kind is Kind.DEVIATION:
        target = _name(rule.target_tag, known) if rule.target_tag else _amount(rule.target, unit)
        return _put(N_("%(tag)s more than %(by)s away from %(target)s"), tag=name, by=away, target=target)
    if kind is Kind.BIT_PATTERN:
        return _bits(rule, name)
    if kind is Kind.STATE:
        return _put(N_("%(tag)s is one of %(value)s"), tag=name, value=_listed(rule.states))
    if kind is Kind.COUNT:
        text = N_("%(tag)s goes on %(n)s times within %(time)s")
        text = text if rule.active_when else N_("%(tag)s goes off %(n)s times within %(time)s")
        return _put(text, tag=name, n=plain(limit), time=length(rule.window_s))
    return _terms(rule.terms, known, any_of=rule.any_of)


def _bits(rule: RuleDocument, name: str) -> str:
    on, off = bits(rule.pattern), bits(rule.mask & ~rule.pattern)
    if on and off:
        return _put(N_("%(tag)s: bits %(on)s set and bits %(off)s not set"), tag=name, on=on, off=off)
    return _put(N_("%(tag)s: bits %(on)s set") if on else N_("%(tag)s: bits %(on)s not set"), tag=name, on=on or off)


def _until(said: str, rule: RuleDocument, unit: str) -> str:
    if rule.on_delay_s:
        said = _put(N_("%(what)s for %(time)s"), what=said, time=length(rule.on_delay_s))
    if rule.kind in (Kind.HIGH, Kind.LOW) and rule.setpoint is not None and (rule.deadband or rule.off_delay_s):
        back = rule.setpoint + (rule.deadband if rule.kind is Kind.LOW else -rule.deadband)
        if not rule.off_delay_s:
            return _put(N_("%(what)s, until %(limit)s"), what=said, limit=_amount(back, unit))
        text = N_("%(what)s, until %(limit)s for %(time)s")
        return _put(text, what=said, limit=_amount(back, unit), time=length(rule.off_delay_s))
    if rule.off_delay_s:
        return _put(N_("%(what)s, until it is normal for %(time)s"), what=said, time=length(rule.off_delay_s))
    return said


def _terms(terms: Iterable[Term], known: Dictionary, *, any_of: bool = False) -> str:
    said = ""
    for one in terms:
        text = N_("%(what)s or %(term)s") if any_of else N_("%(what)s and %(term)s")
        said = _put(text, what=said, term=term(one, known)) if said else term(one, known)
    return said


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _name(tag: UUID, known: Dictionary) -> str:
    return named(known.tags.get(tag)) or "?"


def _amount(number: float, unit: str) -> str:
    return f"{plain(float(number))} {unit}".strip()


def _put(text: str, **fills: object) -> str:
    return gettext(text) % fills
