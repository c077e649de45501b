"""What an alarm says, in both languages: the engineer's own words, or ours where there are none."""

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite

from app.machines.rules import SILENT, Kind, Transition
from app.machines.watch import Alarm

NO_SIGNAL = {"en": "No signal from {tag}", "zh": "{tag}：信号丢失"}

_RISEN: dict[Kind, dict[str, str]] = {
    Kind.HIGH: {
        "en": "{tag} too high: {value} {unit} (limit {limit})",
        "zh": "{tag}过高：{value} {unit}（限值 {limit}）",
    },
    Kind.LOW: {
        "en": "{tag} too low: {value} {unit} (limit {limit})",
        "zh": "{tag}过低：{value} {unit}（限值 {limit}）",
    },
    Kind.DISCRETE: {"en": "{tag}", "zh": "{tag}"},
    Kind.BAD_STATUS: {"en": "{tag} gives no valid value ({status})", "zh": "{tag}：测量值无效（{status}）"},
    Kind.STALE: NO_SIGNAL,
    Kind.RATE_OF_CHANGE: {
        "en": "{tag} changes too fast: {value} {unit} now",
        "zh": "{tag}变化过快：当前 {value} {unit}",
    },
    Kind.DEVIATION: {
        "en": "{tag} is off its set point: {value} {unit} (allowed ±{limit})",
        "zh": "{tag}偏离设定值：{value} {unit}（允许 ±{limit}）",
    },
    Kind.BIT_PATTERN: {"en": "{tag} reports a fault (code {value})", "zh": "{tag}报故障（代码 {value}）"},
    Kind.STATE: {"en": "{tag} is in state {value}", "zh": "{tag}处于状态 {value}"},
    Kind.COUNT: {"en": "{tag} came {limit} times or more", "zh": "{tag}出现 {limit} 次或更多"},
    Kind.COMBINATION: {"en": "{tag}: a combination that must not be", "zh": "{tag}：出现不允许的组合"},
}
_CLEARED = {"en": "{tag} is back to normal: {value} {unit}", "zh": "{tag}已恢复正常：{value} {unit}"}
_BACK = {"en": "The signal of {tag} is back", "zh": "{tag}：信号恢复"}
_SHELVED = {"en": "{tag}: the alarm is shelved", "zh": "{tag}：报警已搁置"}
_NOT_WATCHED = {"en": "{tag} is not watched any more", "zh": "{tag}：不再监视"}
_LEAST = {"en": "{tag}", "zh": "{tag}"}

LONGEST = 80
_HOLE = re.compile(r"(\{\w+\})")


def message(alarm: Alarm, transition: Transition) -> dict[str, str]:
    """Return the one line that people read about this edge, by language. Unknown {holes} stay as they are."""
    if transition.active:
        texts = alarm.message or _RISEN.get(alarm.rule.kind, _LEAST)
    elif transition.sample.quality is SILENT:
        texts = _SHELVED if transition.sample.status == "Shelved" else _NOT_WATCHED
    else:
        texts = _BACK if alarm.is_signal else _CLEARED
    fills = {
        "value": plain(transition.sample.value),
        "unit": alarm.unit,
        "limit": plain(alarm.rule.setpoint),
        "status": transition.sample.status,
    }
    said = {}
    for language, text in texts.items():
        fills["tag"] = named(alarm.tag, language)
        said[language] = _fill(text, fills)
    return said


def named(names: Mapping[str, str], language: str) -> str:
    """Return the name in this language, or in any there is."""
    return names.get(language) or next(iter(names.values()), "")


def plain(value: object) -> str:
    """A value as short text that every database stores: whatever a machine sent."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else str(value)
    return str(value)[:LONGEST].encode("utf-8", "replace").decode().replace("\0", "")


def _fill(text: str, fills: Mapping[str, str]) -> str:
    parts = _parts(text)
    filled = "".join([fills.get(part[1:-1], part) if hole else part for hole, part in parts])
    return " ".join(filled.split())  # where a unit is missing, so is its space


@lru_cache(maxsize=10_000)
def _parts(text: str) -> list[tuple[bool, str]]:
    """The text in pieces: every second one is a {hole}."""
    return [(place % 2 == 1, part) for place, part in enumerate(_HOLE.split(text)) if part]
