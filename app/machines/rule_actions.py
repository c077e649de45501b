"""Writes about alarm rules: each change is a version, and an older version can be taken again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from app.kit.errors import N_, DomainError, NotFound
from app.machines import rule_queries as queries
from app.machines.models import AlarmRule, RuleVersion, Tag
from app.machines.rule_checks import Range, problems
from app.machines.rule_documents import RuleDocument
from app.machines.shelving import require_may_change
from app.people.models import Person


class RuleChangedMeanwhile(DomainError):
    code = "machines.rule_changed_meanwhile"
    message = N_(
        "%(by)s has changed this rule since you opened this page. Yours was not stored. "
        "Open the page again and make your change there."
    )


class RuleNotRight(DomainError):
    code = "machines.rule_not_right"
    message = N_(
        "This rule is not right yet. Nothing was stored. Check it on its page and put right what is said there."
    )
    status = 400


def make(
    session: Session, tag_id: UUID, document: RuleDocument, *, checked: bool = False, by: Person, now: datetime
) -> AlarmRule:
    """Watch for something more on a tag. `checked`: already, together with others.

    Raises:
        NotAllowed, NotFound, RuleNotRight
    """
    require_may_change(by)
    if session.get(Tag, tag_id) is None:
        raise NotFound()
    row = AlarmRule(tag_id=tag_id, kind=document.kind)
    _write(session, row, document, checked, by=by, now=now)
    return row


def change(
    session: Session,
    rule_id: UUID,
    document: RuleDocument,
    *,
    base: int | None = None,
    checked: bool = False,
    by: Person,
    now: datetime,
) -> AlarmRule:
    """Let a rule say something else from now on. `base` is the version the change was made on; None: any.

    Raises:
        NotAllowed, NotFound, RuleNotRight, RuleChangedMeanwhile
    """
    require_may_change(by)
    row = session.get(AlarmRule, rule_id)
    if row is None:
        raise NotFound()
    last = queries.versions(session, rule_id)
    if base is not None and last and last[0].number != base:
        raise RuleChangedMeanwhile(by=last[0].by or "Pullcord")
    before = RuleDocument.of(row)
    if before == document:
        return row
    if not last:  # it is older than versions are: what it said until now must not be lost
        session.add(RuleVersion(rule_id=rule_id, number=1, document=before.kept(), at=now))
        session.flush()
    _write(session, row, document, checked, by=by, now=now)
    return row


def switch(session: Session, rule_id: UUID, *, on: bool, by: Person, now: datetime) -> AlarmRule:
    """Watch by a rule again, or not any more.

    Raises:
        NotAllowed, NotFound, RuleNotRight
    """
    return change(session, rule_id, _now(session, rule_id).model_copy(update={"enabled": on}), by=by, now=now)


def change_numbers(
    session: Session,
    rule_id: UUID,
    *,
    deadband: float,
    on_delay_s: float,
    off_delay_s: float,
    by: Person,
    now: datetime,
) -> AlarmRule:
    """Change the three numbers that decide how restless an alarm is.

    Raises:
        NotAllowed, NotFound, RuleNotRight
    """
    numbers = {"deadband": deadband, "on_delay_s": on_delay_s, "off_delay_s": off_delay_s}
    return change(session, rule_id, _now(session, rule_id).model_copy(update=numbers), by=by, now=now)


def take_again(session: Session, rule_id: UUID, number: int, *, by: Person, now: datetime) -> AlarmRule:
    """Let a rule say what it said in an older version, as a new version.

    Raises:
        NotAllowed, NotFound, RuleNotRight
    """
    old = next((one for one in queries.versions(session, rule_id) if one.number == number), None)
    if old is None:
        raise NotFound()
    return change(session, rule_id, RuleDocument.model_validate(old.document), by=by, now=now)


def reset(session: Session, rule_id: UUID, *, by: Person, now: datetime) -> None:
    """Let go of an alarm that stays until somebody has looked: once it is normal, it clears.

    Raises:
        NotAllowed, NotFound
    """
    require_may_change(by)
    row = session.get(AlarmRule, rule_id)
    if row is None:
        raise NotFound()
    row.reset_at = now
    session.add(row)


def _now(session: Session, rule_id: UUID) -> RuleDocument:
    row = session.get(AlarmRule, rule_id)
    if row is None:
        raise NotFound()
    return RuleDocument.of(row)


def _write(
    session: Session, row: AlarmRule, document: RuleDocument, checked: bool, *, by: Person, now: datetime
) -> None:
    scale = _scale(session.get_one(Tag, row.tag_id))
    if document.enabled and not checked and problems(document, neighbours(session, row), scale):
        raise RuleNotRight()
    document.write(row)
    session.add(row)
    session.flush()
    last = session.exec(select(func.max(RuleVersion.number)).where(col(RuleVersion.rule_id) == row.id)).one()
    session.add(RuleVersion(rule_id=row.id, number=(last or 0) + 1, document=document.kept(), at=now, by=by.name))
    session.flush()


def neighbours(session: Session, row: AlarmRule) -> Sequence[RuleDocument]:
    """Return what the other rules of the same tag say."""
    which = col(AlarmRule.tag_id) == row.tag_id, col(AlarmRule.id) != row.id
    return [RuleDocument.of(other) for other in session.exec(select(AlarmRule).where(*which))]


def _scale(tag: Tag) -> Range:
    return Range(tag.eu_low, tag.eu_high)
