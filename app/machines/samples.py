"""What was read of one tag, and what can be said of it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from math import isfinite


class Quality(Enum):
    """GOOD: a value to judge by. BAD: the server says it is none. SILENT: nobody says anything."""

    GOOD = 1
    BAD = 2
    SILENT = 3


GOOD, BAD, SILENT = Quality

ON, OFF = frozenset({"true", "on", "yes", "开", "是"}), frozenset({"false", "off", "no", "关", "否"})


@dataclass(slots=True)
class Sample:
    """What was read. `status` is the server's word for it; `at` is the source's moment on our clock, aware UTC.

    `after_gap`: first seen when the link came back, so it may have been so for longer, or more than once.
    """

    value: object
    quality: Quality
    at: datetime
    status: str = "Good"
    after_gap: bool = False


def is_number(value: object) -> bool:
    """Can it be compared with a limit? True and False cannot, infinity and NaN cannot."""
    kind = type(value)
    return kind is int or (kind is float and isfinite(value))  # type: ignore[arg-type]


def is_boolean(value: object) -> bool:
    """Is it on or off? Many controllers say it with 0 and 1."""
    return type(value) is bool or (type(value) is int and value in (0, 1))


def is_whole(value: object) -> bool:
    """Has it bits?"""
    return type(value) is int


def is_word(value: object) -> bool:
    """Can it be one of a table of states?"""
    return type(value) in (int, str, bool) or (type(value) is float and value.is_integer())


def is_any(value: object) -> bool:
    """Is it a value at all?"""
    return value is not None and not (type(value) is float and not isfinite(value))


def word(value: object) -> str | None:
    """A state as one word, however the controller says it: True, 1 and 1.0 are the same. None: it is no state."""
    if not is_word(value):
        return None
    return value.strip() if isinstance(value, str) else str(int(value))  # type: ignore[call-overload]


@lru_cache(maxsize=4096)
def word_of(text: str) -> str:
    """What a person wrote, as `word` says it."""
    said = text.strip()
    if said.lower() in ON:
        return "1"
    if said.lower() in OFF:
        return "0"
    number = number_of(said)
    return str(int(number)) if number is not None and number.is_integer() else said


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """The words of a list with commas, Chinese ones too."""
    return frozenset(word_of(part) for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip())


@lru_cache(maxsize=4096)
def number_of(text: str) -> float | None:
    """The number a person wrote, or None."""
    try:
        number = float(text.strip().replace("−", "-"))
    except ValueError:
        return None
    return number if isfinite(number) else None
