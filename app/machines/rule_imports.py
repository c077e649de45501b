"""A sheet of rules against what is known here: looked at first, written when every row is right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from app.flows import queries as flows
from app.kit.sheets import Table
from app.machines import rule_actions as actions
from app.machines import rule_queries as queries
from app.machines.models import AlarmRule
from app.machines.rule_documents import RuleDocument
from app.machines.rule_sheets import Entry, Known, Problem, check, understand
from app.machines.shelving import require_may_change
from app.people.models import Person


@dataclass(frozen=True, slots=True)
class Imported:
    """What a sheet makes and changes, or all that is wrong with it: then nothing was written."""

    problems: Sequence[Problem]
    made: Sequence[Entry] = ()
    changed: Sequence[Entry] = ()


def bring_in(session: Session, table: Table, *, dry: bool, by: Person, now: datetime) -> Imported:
    """Write the rules of a sheet, or only say what that would do. A rule that is not in the sheet stays as it is.

    Raises:
        NotAllowed
    """
    require_may_change(by)
    categories = [document.category for _, document in flows.current(session)]
    entries, wrong = understand(table, Known(queries.all_tags(session), categories))
    if wrong:
        return Imported(wrong)
    standing = {(row.tag_id, row.kind, row.setpoint, row.component): row for row in session.exec(select(AlarmRule))}
    rows = {entry.row: standing.pop(entry.key, None) for entry in entries}
    beside: dict[UUID, list[RuleDocument]] = {}
    for row in standing.values():
        if row.enabled:
            beside.setdefault(row.tag_id, []).append(RuleDocument.of(row))
    if found := check(entries, beside):
        return Imported(found)
    made = [entry for entry in entries if rows[entry.row] is None]
    changed = [entry for entry in entries if (old := rows[entry.row]) and RuleDocument.of(old) != entry.document]
    if not dry:
        for entry in changed:
            if (old := rows[entry.row]) is not None:
                actions.change(session, old.id, entry.document, checked=True, by=by, now=now)
        for entry in made:
            actions.make(session, entry.tag.id, entry.document, checked=True, by=by, now=now)
    return Imported((), made, changed)
