"""Public holidays of a site's country, and the weekends that China works to make up for some of them.

chinesecalendar knows what the State Council has announced, holidays every other country and the years to come. Both are
imported where they are used: nobody needs them before somebody plans a roster.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from babel.core import get_global

from app.kit.columns import Names


@dataclass(frozen=True, slots=True)
class PublicDays:
    """`free`: what is celebrated when nobody has to work; `extra`: weekends that are worked instead of another day."""

    free: Mapping[date, Names]
    extra: frozenset[date]


def public_days(timezone: str, first: date, last: date) -> PublicDays:
    """Return the public holidays of the country a timezone is in, from `first` to `last`; none where it is in none."""
    country = get_global("zone_territories").get(timezone, "")
    free: dict[date, Names] = {}
    extra: set[date] = set()
    for year in range(first.year, last.year + 1):
        known = _of_year(country, year)
        free |= {day: names for day, names in known.free.items() if first <= day <= last}
        extra |= {day for day in known.extra if first <= day <= last}
    return PublicDays(free, frozenset(extra))


@lru_cache(64)
def _of_year(country: str, year: int) -> PublicDays:
    import holidays

    if country == "CN" and (announced := _announced(year)):
        return announced
    try:
        english = holidays.country_holidays(country, years=year, language="en_US")
        chinese = holidays.country_holidays(country, years=year, language="zh_CN")  # its own where it has none
    except NotImplementedError:
        return PublicDays({}, frozenset())
    return PublicDays({day: {"en": english[day], "zh": chinese[day]} for day in english}, frozenset())


def _announced(year: int) -> PublicDays | None:
    """Return what was announced for a year in China; None when it was not yet."""
    import chinese_calendar

    chinese = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
    free: dict[date, Names] = {}
    extra: set[date] = set()
    day = date(year, 1, 1)
    while day.year == year:
        try:
            is_free, english = chinese_calendar.get_holiday_detail(day)
        except NotImplementedError:
            return None
        if english and is_free:
            free[day] = {"en": english, "zh": chinese[english]}
        elif english:
            extra.add(day)
        day += timedelta(1)
    return PublicDays(free, frozenset(extra))
