"""A rule as a form: every field a word or a number. Pure.

The whole rule travels with the form, so it can be changed, checked and thrown away; only saving writes. Comparisons are
rows: `only.tag.2`, `only.test.2`, `only.value.2`; a row without a tag is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.kit.errors import N_, BadInput, DomainError
from app.machines.rule_documents import RuleDocument
from app.machines.rules import Kind
from app.machines.samples import number_of, words_of
from app.machines.sentences import bits
from app.machines.terms import HIGHEST_BIT, Compare, Term
from app.machines.words import plain

NUMBERS = {
    "setpoint": N_("Limit"),
    "deadband": N_("Dead-band"),
    "on_delay_s": N_("On-delay"),
    "off_delay_s": N_("Off-delay"),
    "window_s": N_("Window"),
    "target": N_("Set point"),
    "release_delay_s": N_("Release delay"),
    "realarm_time_s": N_("Re-alarm time"),
}
TEXTS = ("category", "component", "group", "consequence", "corrective_action")
LISTS = {"terms": "term", "only_when": "only", "suppress_when": "quiet"}
MOST_ROWS = 20

Fields = Sequence[tuple[str, str]]


class NoNumber(DomainError):
    code = "machines.no_number"
    message = N_("“%(text)s” in “%(field)s” is no number. Nothing was stored. Write a number, such as 3.5.")
    status = 400


class NoBit(DomainError):
    code = "machines.no_bit"
    message = N_("“%(text)s” is no bit. Nothing was stored. Write bits as numbers from 0 to 63, with commas.")
    status = 400


def read(fields: Fields, kind: Kind, before: RuleDocument | None = None) -> RuleDocument:
    """Return the rule a form says. What it does not name stays as `before`.

    Raises:
        NoNumber, NoBit, BadInput
    """
    given = dict(fields)
    said: dict[str, Any] = before.model_dump() if before else {}
    said["kind"] = kind
    for name, label in NUMBERS.items():
        if name in given:
            said[name] = number(given[name], label, empty=None if name == "setpoint" else 0.0)
    said |= {name: given[name].strip() for name in TEXTS if name in given}
    if "target_tag" in given:
        said["target_tag"] = given["target_tag"] or None
    if "bits_on" in given:
        on, off = word(given["bits_on"]), word(given.get("bits_off", ""))
        said |= {"mask": on | off, "pattern": on & ~off}
    if "states" in given:
        said["states"] = split(given["states"])
    if "severity" in given:
        said["severity"] = given["severity"]
    if "message_en" in given or "message_zh" in given:
        texts = {lang: given.get(f"message_{lang}", "").strip() for lang in ("en", "zh")}
        said["message"] = {lang: text for lang, text in texts.items() if text}
    for flag in ("active_when", "any_of"):
        if flag in given:
            said[flag] = given[flag] == "yes"
    if "behaves" in given:  # boxes that are not ticked are not sent
        said["latched"] = "latched" in given
        said["shifts"] = tuple(value for name, value in fields if name == "shift")
    for name, prefix in LISTS.items():
        if f"{prefix}.tag.1" in given:
            said[name] = rows(given, prefix)
    try:
        return RuleDocument.model_validate(said)
    except ValidationError as wrong:
        raise BadInput() from wrong


def number(text: str, label: str, *, empty: float | None = 0.0) -> float | None:
    """
    Raises:
        NoNumber
    """
    text = text.strip()
    if not text:
        return empty
    found = number_of(text if text.count(",") != 1 or "." in text else text.replace(",", "."))
    if found is None:
        raise NoNumber(text=text[:40], field=label)
    return found


def word(text: str) -> int:
    """Return the bits "4, 7" as a word.

    Raises:
        NoBit
    """
    found = 0
    for part in words_of(text):
        if not (part.isascii() and part.isdecimal() and int(part) < HIGHEST_BIT):
            raise NoBit(text=part[:40])
        found |= 1 << int(part)
    return found


def split(text: str) -> tuple[str, ...]:
    """Return what stands between commas, in its order."""
    parts = text.replace("，", ",").replace("、", ",").split(",")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def rows(given: Mapping[str, str], prefix: str) -> tuple[Term, ...]:
    """Return the comparisons of one list.

    Raises:
        BadInput
    """
    found = []
    for n in range(1, MOST_ROWS + 1):
        if tag := given.get(f"{prefix}.tag.{n}"):
            try:
                test = Compare(given.get(f"{prefix}.test.{n}", ""))
                found.append(Term(UUID(tag), test, given.get(f"{prefix}.value.{n}", "").strip()))
            except ValueError:
                raise BadInput() from None
    return tuple(found)


def values(rule: RuleDocument) -> dict[str, Any]:
    """Return what the fields show."""
    shown = {name: _shown(getattr(rule, name)) for name in NUMBERS}
    if not rule.window_s:
        shown["window_s"] = ""
    return shown | {
        "bits_on": bits(rule.pattern),
        "bits_off": bits(rule.mask & ~rule.pattern),
        "states": ", ".join(rule.states),
        "message_en": rule.message.get("en", ""),
        "message_zh": rule.message.get("zh", ""),
        **{prefix: _with_empty(getattr(rule, name)) for name, prefix in LISTS.items()},
    }


def _with_empty(terms: Sequence[Term]) -> Iterable[tuple[int, Term | None]]:
    """The comparisons, and a row for one more."""
    return list(enumerate([*terms, None], 1))


def _shown(value: float | None) -> str:
    return "" if value is None else plain(float(value))
