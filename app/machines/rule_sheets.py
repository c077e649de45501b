"""Alarm rules from a sheet: one row, one rule, in the field names of the standard. Pure.

Longer than most files because the columns, and what may stand in them, are to be read together. Comparisons stand in
one cell: `Line running = on; Product in A17, A18`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.kit.errors import N_, DomainError
from app.kit.sheets import Table
from app.machines.models import Tag
from app.machines.rule_checks import Range, problems
from app.machines.rule_documents import RuleDocument
from app.machines.rule_form import number, split, word
from app.machines.rules import Kind
from app.machines.samples import word_of
from app.machines.terms import Compare, Term
from app.plant.models import Station

COLUMNS: Mapping[str, str] = {
    "station": "工位", "tag": "变量", "kind": "类型", "setpoint": "限值", "deadband": "死区", "on_delay": "延时",
    "off_delay": "恢复延时", "window": "窗口", "target": "设定值", "target_tag": "设定值变量", "active_when": "报警侧",
    "bits_on": "置位", "bits_off": "复位", "states": "状态", "all_of": "全部成立", "any_of": "任一成立",
    "severity": "等级", "category": "类别", "message_en": "英文文本", "message_zh": "中文文本", "component": "部件",
    "consequence": "后果", "corrective_action": "措施", "only_when": "仅当", "suppress_when": "抑制条件",
    "release_delay": "抑制延时", "realarm_time": "再报警时间", "latched": "锁存", "group": "组", "enabled": "启用",
}  # fmt: skip
NEEDED = ("tag", "kind")
SECONDS = {"on_delay": "on_delay_s", "off_delay": "off_delay_s", "window": "window_s"}
SECONDS |= {"release_delay": "release_delay_s", "realarm_time": "realarm_time_s"}
PLAIN = ("category", "component", "consequence", "corrective_action", "group")
TERMS = ("all_of", "any_of", "only_when", "suppress_when")
SIGNS = {">": "above", "<": "below", "=": "is", "!=": "is_not", "≠": "is_not", "in": "one_of", "bit": "bit"}
_TERM = re.compile(r"(.+?)\s*(!=|≠|>|<|=|\s(?:in|bit)\s)\s*(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """What a sheet may speak of."""

    tags: Sequence[tuple[Tag, Station]]
    categories: Sequence[str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence about one row, as a message with holes."""

    row: int
    message: str
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule of the sheet."""

    row: int
    tag: Tag
    document: RuleDocument

    @property
    def key(self) -> tuple[UUID, Kind, float | None, str]:
        """The same tag, kind, limit and component: the same rule."""
        return self.tag.id, self.document.kind, self.document.setpoint, self.document.component


class _Wrong(Exception):
    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message, self.details = message, details


def understand(table: Table, known: Known) -> tuple[list[Entry], list[Problem]]:
    """Return the rules of a sheet, or all that is wrong with it: then there are no rules."""
    try:
        columns = _columns(table)
    except _Wrong as wrong:
        return [], [Problem(1, wrong.message, wrong.details)]
    entries: list[Entry] = []
    wrongs: list[Problem] = []
    rows_of: dict[object, int] = {}
    for n, cells in enumerate(table[1:], 2):
        if not any(cells):
            continue
        try:
            entry = _entry(n, {name: cells[at] for name, at in columns.items() if at < len(cells) and cells[at]}, known)
            if entry.key in rows_of:
                raise _Wrong(N_("It says the same as row %(other)s. Remove one."), other=rows_of[entry.key])
            rows_of[entry.key] = n
            entries.append(entry)
        except _Wrong as wrong:
            wrongs.append(Problem(n, wrong.message, wrong.details))
    if not entries and not wrongs:
        wrongs.append(Problem(1, N_("There is no rule below it. Write one rule in each row."), {}))
    return ([], wrongs) if wrongs else (entries, [])


def check(entries: Sequence[Entry], standing: Mapping[UUID, Sequence[RuleDocument]]) -> list[Problem]:
    """Return what is wrong with these rules beside each other and beside `standing`, those of a tag that stay."""
    found: list[Problem] = []
    for entry in entries:
        beside = [*standing.get(entry.tag.id, ())]
        beside += [other.document for other in entries if other is not entry and other.tag.id == entry.tag.id]
        scale = Range(entry.tag.eu_low, entry.tag.eu_high)
        remarks = problems(entry.document, beside, scale) if entry.document.enabled else []
        found += [Problem(entry.row, remark.message, remark.details) for remark in remarks]
    return found


def _columns(table: Table) -> dict[str, int]:
    names = {name: name for name in COLUMNS} | {chinese: name for name, chinese in COLUMNS.items()}
    found: dict[str, int] = {}
    for at, title in enumerate(table[0] if table else ()):
        if title:
            name = names.get(title.strip().lower().replace(" ", "_").replace("-", "_"))
            if name is None or name in found:
                raise _Wrong(N_("“%(title)s” is no column here, or stands there twice."), title=title[:40])
            found[name] = at
    for name in NEEDED:
        if name not in found:
            raise _Wrong(N_("It must name the columns; “%(title)s” is missing."), title=name)
    return found


def _entry(row: int, given: Mapping[str, str], known: Known) -> Entry:
    tag = _tag(given.get("tag", ""), given.get("station", ""), known)
    said: dict[str, Any] = {"kind": _kind(given.get("kind", ""))}
    try:
        said["setpoint"] = number(given.get("setpoint", ""), "setpoint", empty=None)
        said["deadband"] = number(given.get("deadband", ""), "deadband")
        said["target"] = number(given.get("target", ""), "target")
        said |= {field: number(given.get(name, ""), name) for name, field in SECONDS.items()}
        on, off = word(given.get("bits_on", "")), word(given.get("bits_off", ""))
    except DomainError as refusal:
        raise _Wrong(N_("“%(text)s” is no number."), text=refusal.details["text"]) from None
    said |= {"mask": on | off, "pattern": on & ~off, "states": split(given.get("states", ""))}
    said |= {name: given[name] for name in PLAIN if name in given}
    said["message"] = {lang: given[f"message_{lang}"] for lang in ("en", "zh") if f"message_{lang}" in given}
    said |= {flag: word_of(given[flag]) == "1" for flag in ("active_when", "latched", "enabled") if flag in given}
    terms = {name: _terms(given.get(name, ""), tag, known) for name in TERMS}
    said |= {"only_when": terms["only_when"], "suppress_when": terms["suppress_when"]}
    said |= {"terms": terms["any_of"] or terms["all_of"], "any_of": bool(terms["any_of"])}
    if "target_tag" in given:
        said["target_tag"] = _near(given["target_tag"], tag, known).id
    if "severity" in given:
        said["severity"] = given["severity"]
    if said.get("category", "machine") not in known.categories:
        raise _Wrong(N_("“%(text)s” is no kind of problem here."), text=said.get("category", "machine"))
    try:
        return Entry(row, tag, RuleDocument.model_validate(said))
    except ValidationError as wrong:
        field = str(wrong.errors()[0]["loc"][0]).removesuffix("_s")
        raise _Wrong(N_("What stands in “%(field)s” cannot be."), field=field) from None


def _kind(text: str) -> Kind:
    try:
        return Kind(text.strip().lower().replace(" ", "_"))
    except ValueError:
        message = N_("“%(text)s” is no kind. Write one of %(kinds)s.")
        raise _Wrong(message, text=text[:40], kinds=", ".join(Kind)) from None


def _tag(text: str, station: str, known: Known) -> Tag:
    """Return the tag of this name or node id, at the station that is named, if one is."""
    wanted, place = text.strip().casefold(), station.strip().casefold()
    found = [
        tag
        for tag, at in known.tags
        if wanted in {tag.node.casefold(), *(name.casefold() for name in tag.names.values())}
        and (not place or place in {at.code.casefold(), *(name.casefold() for name in at.names.values())})
    ]
    if not found:
        raise _Wrong(N_("There is no tag “%(text)s” there. Pick it at its source first."), text=text[:80])
    if len(found) > 1:
        raise _Wrong(N_("Several tags are called “%(text)s”. Write the station too."), text=text[:80])
    return found[0]


def _near(text: str, tag: Tag, known: Known) -> Tag:
    """Return another tag of the same source; one of the same station first."""
    own = [one for one in known.tags if one[0].source_id == tag.source_id]
    here = Known([one for one in own if one[0].station_id == tag.station_id], known.categories)
    try:
        return _tag(text, "", here)
    except _Wrong:
        return _tag(text, "", Known(own, known.categories))


def _terms(text: str, tag: Tag, known: Known) -> tuple[Term, ...]:
    found = []
    for part in text.replace("；", ";").split(";"):
        if part.strip():
            match = _TERM.fullmatch(part.strip())
            if match is None:
                message = N_("“%(text)s” is no comparison. Write it like “Line running = on”.")
                raise _Wrong(message, text=part.strip()[:80])
            name, sign, value = match.groups()
            found.append(Term(_near(name, tag, known).id, Compare(SIGNS[sign.strip().lower()]), value))
    return tuple(found)
