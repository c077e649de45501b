"""What a push service's answer means for us. Pure."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from app.channels.base import Undeliverable
from app.kit.errors import N_

SOON: Final = 5.0  # seconds before another try when nobody says how long
LONGEST_WAIT: Final = 3600.0  # a push service that asks for more is asked again anyway

GONE: Final = N_("The push service no longer knows this phone. It must be connected again.")
MISMATCH: Final = N_(
    "The push service refused our signature (VAPID mismatch): this phone was connected with another key, "
    "the contact address is not accepted, or our clock is wrong."
)
TOO_LARGE: Final = N_("The message was too large for the push service.")
ELSEWHERE: Final = N_("The push service sent us elsewhere. Redirects are not followed.")
REFUSED: Final = N_("The push service refused the message.")
BUSY: Final = N_("The push service asked us to wait.")
BROKEN: Final = N_("The push service has a fault.")
SILENT: Final = N_("The push service did not answer in time.")
UNREACHABLE: Final = N_("The push service could not be reached.")
NOT_ALLOWED: Final = N_("The push service of this phone is not on the list of allowed ones.")
BAD_KEYS: Final = N_("The keys of this phone cannot be used. It must be connected again.")


def refusal(status: int, retry_after: str, *, now: datetime) -> Undeliverable:
    """Return what to raise for any status that is not 2xx."""
    if status in (404, 410):
        return Undeliverable(GONE, gone=True)
    if status in (401, 403):
        # The phone is fine: forgetting it would lose everybody on the day the key or the contact is wrong.
        return Undeliverable(MISMATCH)
    if status == 413:
        return Undeliverable(TOO_LARGE)
    if status == 429 or status >= 500:
        return Undeliverable(BUSY if status == 429 else BROKEN, retry_after=wait(retry_after, now=now))
    return Undeliverable(ELSEWHERE if 300 <= status < 400 else REFUSED)


def wait(retry_after: str, *, now: datetime) -> float:
    """Read a Retry-After header, a number or a date, in seconds; anything else, or nothing, means `SOON`."""
    if retry_after.isascii() and retry_after.isdecimal():
        seconds = float(retry_after[:9])
    else:
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return SOON
        seconds = ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 1.0), LONGEST_WAIT)
