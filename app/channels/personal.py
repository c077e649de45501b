"""What people enter to be reached beside their browser: a phone number, an ntfy topic. Checked before it is stored."""

import re
from typing import Final

from app.kit.errors import N_, DomainError

NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
CHINESE_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


class BadNumber(DomainError):
    code = "channels.bad_number"
    message = N_(
        "This is not a phone number we can call. Nothing was stored. "
        "Enter it with the country in front, as +86 138 1234 5678."
    )
    status = 400


class BadTopic(DomainError):
    code = "channels.bad_topic"
    message = N_(
        "This topic cannot be used. Nothing was stored. "
        "Take 8 to 64 letters, digits, - or _ that nobody guesses: whoever knows a topic reads what is sent to it."
    )
    status = 400


def checked_number(given: str) -> str:
    """Return a phone number as E.164 has it; a Chinese mobile number may come without its country.

    Raises:
        BadNumber
    """
    digits = re.sub(r"[\s().-]", "", given)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if CHINESE_MOBILE.fullmatch(digits):
        digits = f"+86{digits}"
    if not NUMBER.fullmatch(digits):
        raise BadNumber()
    return digits


def checked_topic(given: str) -> str:
    """Return an ntfy topic.

    Raises:
        BadTopic
    """
    topic = given.strip().rstrip("/").rpartition("/")[2]
    if not TOPIC.fullmatch(topic):
        raise BadTopic()
    return topic
