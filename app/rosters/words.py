"""Days as people of the site say them, in the language of whoever is being answered."""

from datetime import date
from typing import Any

from babel.dates import format_date, format_skeleton

from app.kit.errors import N_
from app.kit.i18n import language
from app.rosters.models import AwayFor

AWAY_WORDS: dict[str, Any] = {
    AwayFor.LEAVE: N_("Leave"),
    AwayFor.SICK: N_("Sick"),
    AwayFor.TRAINING: N_("Training"),
    AwayFor.OTHER: N_("Other"),
}


def weekday(day: date) -> str:
    """Mon, 周一"""
    return str(format_date(day, "EEE", locale=_locale()))


def short(day: date) -> str:
    """23 Nov, 11月23日"""
    return str(format_skeleton("MMMd", day, locale=_locale()))


def weekdays() -> list[str]:
    """The days of the week from Monday on."""
    return [weekday(date(2026, 11, 23 + n)) for n in range(7)]


WORDS: dict[str, Any] = {"weekday": weekday, "short": short, "away_words": AWAY_WORDS}
"""What every template of the roster says days with."""


def _locale() -> str:
    return {"zh": "zh_Hans_CN", "en": "en_GB"}[language.get()]
