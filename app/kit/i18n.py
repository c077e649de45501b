"""Two languages from the first line. Catalogues are read from .po at start: nothing to compile, nothing stale."""

from contextvars import ContextVar
from datetime import datetime
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from app.kit.columns import Names

LANGUAGES: Final = ("zh", "en")
HTML_LANGUAGE: Final = {"zh": "zh-CN", "en": "en"}
LOCALES: Final = Path(__file__).parents[2] / "frontend" / "locales"
DOMAIN: Final = "messages"

language: ContextVar[str] = ContextVar("language", default="en")
timezone: ContextVar[str] = ContextVar("timezone", default="UTC")


@cache
def translations(lang: str) -> Translations:
    """Return the catalogue of a language; English is what the msgids are."""
    file = LOCALES / lang / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not file.exists():
        return Translations()
    with file.open("rb") as source:
        catalogue = read_po(source, locale=lang)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def gettext(message: str) -> str:
    """Translate into the language of whoever is being answered."""
    return str(translations(language.get()).ugettext(message)) if message else ""


def ngettext(one: str, many: str, n: int) -> str:
    return str(translations(language.get()).ungettext(one, many, n))


def sentence(message: str, details: dict[str, object], *, lang: str | None = None) -> str:
    """Translate a message with holes; words in the holes that are msgids or names are said in that language too."""
    catalogue = translations(lang or language.get())
    filled = {
        k: named(v, lang) if isinstance(v, dict) else catalogue.ugettext(v) if isinstance(v, str) and v else v
        for k, v in details.items()
    }
    text = str(catalogue.ugettext(message))
    return text % filled if filled else text


def named(names: Names | None, lang: str | None = None) -> str:
    """Return what a thing of the plant is called, in this language or in any it has."""
    if not names:
        return ""
    return names.get(lang or language.get()) or names.get("en") or next(filter(None, names.values()), "")


@lru_cache(256)
def negotiate(accepted: str, fallback: str) -> str:
    """Return the first language of an Accept-Language header that we speak."""
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return next((tag for _, tag in sorted(wanted, key=lambda w: w[0]) if tag in LANGUAGES), fallback)


def local(moment: datetime) -> datetime:
    """Return a moment in the wall clock of the site."""
    return moment.astimezone(ZoneInfo(timezone.get()))


def when(moment: datetime, *, now: datetime) -> str:
    """Return the time of day, with the date unless it is today's."""
    there, today = local(moment), local(now).date()
    clock = there.strftime("%H:%M")
    return clock if there.date() == today else f"{format_skeleton('MMMd', there, locale=_locale())} {clock}"


def clock(moment: datetime) -> str:
    """Return hours, minutes and seconds."""
    return format_time(local(moment).time(), "HH:mm:ss", locale=_locale())


def weekday(moment: datetime) -> str:
    """Return the short name of the day a moment lies in."""
    return format_skeleton("E", local(moment), locale=_locale())


def elapsed(seconds: float) -> str:
    """Return a length of time as one short number a tired person gets at once."""
    total = max(int(seconds), 0)
    if total < 60:
        return gettext("%(n)s s") % {"n": total}
    if total < 3600:
        return gettext("%(n)s min") % {"n": total // 60}
    if total < 86400:
        hours, minutes = divmod(total // 60, 60)
        return gettext("%(h)s h %(m)s min") % {"h": hours, "m": minutes}
    return gettext("%(n)s d") % {"n": total // 86400}


def _locale() -> str:
    return {"zh": "zh_Hans_CN", "en": "en_GB"}[language.get()]
