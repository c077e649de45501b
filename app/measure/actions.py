"""One tap gives a rule other numbers, one tap gives it back those it had."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from app.kit.errors import N_, BadInput, DomainError, NotFound
from app.machines.models import AlarmRule
from app.machines.proposals import Numbers, with_numbers
from app.machines.rule_actions import change_numbers
from app.machines.rule_documents import DAY
from app.machines.shelving import require_may_change
from app.measure import queries
from app.measure.models import Tuning
from app.people.models import Person


class RuleChanged(DomainError):
    code = "measure.rule_changed"
    message = N_(
        "This alarm rule was changed since you opened the page. Nothing was applied. Open the page again: what helps "
        "is worked out anew."
    )


class NothingToTakeBack(DomainError):
    code = "measure.nothing_to_take_back"
    message = N_(
        "This was taken back already, or somebody has changed the rule since. The rule stays as it is. "
        "Change its numbers in the rule itself."
    )


def apply(session: Session, rule_id: UUID, to: Numbers, *, base: Numbers, by: Person, now: datetime) -> None:
    """Give a rule these numbers; `base` is what it had when they were proposed. To do it twice changes nothing more.

    Raises:
        NotAllowed, NotFound, RuleChanged
        BadInput, BadRule, RuleNotRight: with these numbers it is no rule.
    """
    rule = _mine(session, rule_id, by)
    if max(to.on_delay, to.off_delay) > DAY:
        raise BadInput()
    with_numbers(queries.pure(session, rule), to)
    was = _numbers(rule)
    if was == to:
        return
    if was != base:
        raise RuleChanged()
    _write(session, rule, to, by=by, now=now)
    session.add(
        Tuning(
            rule_id=rule_id, by=by.name, at=now,
            was_deadband=was.deadband, was_on_delay_s=was.on_delay, was_off_delay_s=was.off_delay,
            deadband=to.deadband, on_delay_s=to.on_delay, off_delay_s=to.off_delay,
        )
    )  # fmt: skip


def take_back(session: Session, rule_id: UUID, *, by: Person, now: datetime) -> None:
    """Give a rule the numbers it had before the last time somebody applied some.

    Raises:
        NotAllowed, NotFound, NothingToTakeBack
    """
    rule = _mine(session, rule_id, by)
    tuning = queries.applied(session, rule_id)
    if tuning is None:
        raise NothingToTakeBack()
    before = Numbers(tuning.was_deadband, tuning.was_on_delay_s, tuning.was_off_delay_s)
    _write(session, rule, before, by=by, now=now)
    tuning.ended_at, tuning.ended_by = now, by.name


def _mine(session: Session, rule_id: UUID, by: Person) -> AlarmRule:
    require_may_change(by)
    rule = session.get(AlarmRule, rule_id)
    if rule is None:
        raise NotFound()
    return rule


def _numbers(rule: AlarmRule) -> Numbers:
    return Numbers(rule.deadband, rule.on_delay_s, rule.off_delay_s)


def _write(session: Session, rule: AlarmRule, to: Numbers, *, by: Person, now: datetime) -> None:
    set_to = {"deadband": to.deadband, "on_delay_s": to.on_delay, "off_delay_s": to.off_delay}
    change_numbers(session, rule.id, **set_to, by=by, now=now)
