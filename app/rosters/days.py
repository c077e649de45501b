"""How people write a day over a column: 2026-11-23, 11/23, 23.11., 11月23日, Mon 23 Nov, Excel's own number. Pure."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

EXCEL_BEGINS = date(1899, 12, 30)
EXCEL_DAYS = range(40_000, 80_000)  # 2009 to 2119: smaller numbers are something else

_WEEKDAY = re.compile(
    r"[（(]?\s*(?:(?:周|星期|礼拜)[一二三四五六日天]|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b)\.?,?\s*[)）]?",
    re.IGNORECASE,
)
_SHORT_WEEKDAY = re.compile(r"[一二三四五六日天]")
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?号?(?:[ T]00:00(?::00)?)?")
_MONTH_DAY = re.compile(r"(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?")
_DOTTED = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.(?:\s*(\d{4}))?")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})(?:[/-](\d{4}))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(rf"(\d{{1,2}})\.?\s*-?\s*({'|'.join(_MONTHS)})[a-z]*\.?(?:\s*-?\s*(\d{{4}}))?", re.IGNORECASE)


def read_days(said: Sequence[str], *, today: date) -> list[date | None]:
    """Return the day each of these headings names; None: it names none.

    11/12 is the 12th of November, as in China and in America, unless another heading of the row shows that the day
    comes first. Without a year it is the nearest such day.
    """
    slashed = [found for text in said if (found := _SLASHED.fullmatch(_bare(text)))]
    day_first = any(int(found[1]) > 12 for found in slashed) and all(int(found[2]) <= 12 for found in slashed)
    return [_read(_bare(text), day_first, today) for text in said]


def is_weekday(text: str) -> bool:
    """Tell whether a cell only says which day of the week it is: 一, 周一, Mon."""
    return bool(text) and (not _bare(text) or bool(_SHORT_WEEKDAY.fullmatch(text)))


def _bare(text: str) -> str:
    return _WEEKDAY.sub(" ", text).strip()


def _read(text: str, day_first: bool, today: date) -> date | None:
    if text.isascii() and text.isdigit() and int(text[:6]) in EXCEL_DAYS:
        return EXCEL_BEGINS + timedelta(int(text[:6]))
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(found[1], found[2], found[3], today)
    if found := _MONTH_DAY.fullmatch(text):
        return _day(None, found[1], found[2], today)
    if found := _DOTTED.fullmatch(text):
        return _day(found[3], found[2], found[1], today)
    if found := _NAMED.fullmatch(text):
        return _day(found[3], str(_MONTHS.index(found[2].lower()) + 1), found[1], today)
    if found := _SLASHED.fullmatch(text):
        first, second = (2, 1) if day_first else (1, 2)
        return _day(found[3], found[first], found[second], today)
    return None


def _day(year: str | None, month: str, day: str, today: date) -> date | None:
    years = [int(year)] if year else [today.year - 1, today.year, today.year + 1]
    found = []
    for one in years:
        try:
            found.append(date(one, int(month), int(day)))
        except ValueError:
            continue
    return min(found, key=lambda candidate: abs(candidate - today), default=None)
