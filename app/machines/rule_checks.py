"""What is wrong with a rule before it is saved, and what could be better: a sentence each. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.kit.errors import N_
from app.machines.rule_documents import RuleDocument
from app.machines.rules import LIMITED, MOST_COUNTED, BadRule, Kind
from app.machines.words import plain

LEVELS = (Kind.HIGH, Kind.LOW)
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about a rule, as a message with holes."""

    message: str
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class Range:
    """What the machine can show in normal operation (EURange), where it is known."""

    low: float | None = None
    high: float | None = None


def problems(rule: RuleDocument, neighbours: Iterable[RuleDocument], scale: Range) -> list[Remark]:
    """Return why this rule cannot be, beside the other rules of its tag that are switched on. Empty: it can."""
    if missing := list(_missing(rule)):
        return missing
    try:
        rule.rule(_NOBODY)
    except BadRule:
        return [_say(N_("This rule cannot be judged by. Check its numbers and the comparisons in it."))]
    if rule.kind not in LEVELS:
        return []
    return [*_scale(rule, scale), *_order(rule, [one for one in neighbours if one.kind in LEVELS and one.enabled])]


def hints(rule: RuleDocument, neighbours: Sequence[RuleDocument]) -> list[Remark]:
    """Return what an experienced engineer would ask. The rule works all the same."""
    found = []
    if not rule.corrective_action:
        found.append(_say(N_("An alarm without an action is a message. Write what somebody should do.")))
    if rule.kind in LEVELS and not (rule.deadband or rule.on_delay_s or rule.off_delay_s):
        found.append(_say(N_("Without a dead-band or a delay, a restless value will chatter.")))
    for other in neighbours:
        if other.kind is rule.kind and rule.kind in LEVELS and _beyond(rule, other) and rule.severity > other.severity:
            limit = plain(other.setpoint)
            found.append(_say(N_("It is further out than the limit %(limit)s, but less severe."), limit=limit))
    return found


def _missing(rule: RuleDocument) -> Iterator[Remark]:
    kind = rule.kind
    if kind in LIMITED and rule.setpoint is None:
        yield _say(N_("A number is missing: the limit."))
    elif kind is Kind.RATE_OF_CHANGE and not rule.setpoint:
        yield _say(N_("Write by how much it changes: more than 0 for rising, less than 0 for falling."))
    elif kind is Kind.DEVIATION and not (rule.setpoint or 0) > 0:
        yield _say(N_("Write how far it may be away: a number greater than 0."))
    elif kind is Kind.COUNT and not 1 <= (rule.setpoint or 0) <= MOST_COUNTED:
        yield _say(N_("Write how often it may come: a number from 1 to 100."))
    elif kind is Kind.STALE and rule.setpoint is not None and rule.setpoint <= 0:
        yield _say(N_("The age must be greater than 0 seconds, or empty."))
    if kind in (Kind.RATE_OF_CHANGE, Kind.COUNT) and not rule.window_s:
        yield _say(N_("Write within how many seconds."))
    if kind is Kind.BIT_PATTERN and not rule.mask:
        yield _say(N_("Write at least one bit, counted from 0."))
    if kind is Kind.STATE and not rule.states:
        yield _say(N_("Write at least one state, with commas between them."))
    if kind is Kind.COMBINATION and not rule.terms:
        yield _say(N_("Pick at least one tag and what it is compared with."))
    for term in (*rule.terms, *rule.only_when, *rule.suppress_when):
        if not term.can_work:
            text = N_("A comparison cannot work with “%(value)s”. Write a number, or a bit from 0.")
            yield _say(text, value=term.value)


def _scale(rule: RuleDocument, scale: Range) -> Iterator[Remark]:
    limit = rule.setpoint or 0.0
    if (scale.low is not None and limit < scale.low) or (scale.high is not None and limit > scale.high):
        text = N_("The machine shows %(low)s to %(high)s. A limit of %(limit)s is outside.")
        yield _say(text, low=plain(scale.low), high=plain(scale.high), limit=plain(limit))


def _order(rule: RuleDocument, others: Sequence[RuleDocument]) -> Iterator[Remark]:
    """lo_lo < lo < hi < hi_hi, and room for the dead-band between two neighbours."""
    limit = rule.setpoint or 0.0
    for other in others:
        its = other.setpoint or 0.0
        if other.kind is rule.kind:
            if its == limit:
                yield _say(N_("Another rule of this tag has the same limit %(limit)s."), limit=plain(its))
        elif (limit <= its) if rule.kind is Kind.HIGH else (limit >= its):
            low, high = (its, limit) if rule.kind is Kind.HIGH else (limit, its)
            text = N_("The low limit %(low)s must be below the high limit %(high)s.")
            yield _say(text, low=plain(low), high=plain(high))
        elif max(rule.deadband, other.deadband) >= abs(limit - its):
            text = N_("The dead-band %(band)s is as wide as the distance to the limit %(limit)s: choose a smaller one.")
            yield _say(text, band=plain(max(rule.deadband, other.deadband)), limit=plain(its))


def _beyond(rule: RuleDocument, other: RuleDocument) -> bool:
    mine, its = rule.setpoint or 0.0, other.setpoint or 0.0
    return mine > its if rule.kind is Kind.HIGH else mine < its


def _say(message: str, **details: object) -> Remark:
    return Remark(message, details)
