"""What a phone says, in the language of the person it belongs to: nothing that a lock screen may not show."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.channels.base import Message, Words
from app.kit.columns import Names
from app.kit.errors import N_
from app.kit.i18n import named, translations

MARKS = {1: "‼", 2: "!", 3: "•", 4: "·"}
HEADS = {
    "accepted": N_("%(mark)s %(line)s · %(station)s: %(category)s"),
    "on_site": N_("%(mark)s Nobody on site yet · %(station)s: %(category)s"),
    "resolved": N_("%(mark)s Still not fixed · %(station)s: %(category)s"),
    "verified": N_("✓ Please check: %(station)s: %(category)s"),
    "hold": N_("Look again: %(station)s: %(category)s"),
    "hand_over": N_("%(by)s asks you to take over · %(station)s: %(category)s"),
    "send_back": N_("Not fixed yet · %(station)s: %(category)s"),
    "cancel": N_("Called off · %(station)s: %(category)s"),
}
LINE_STOPPED = N_("Line stopped")
WAITING = N_("#%(number)s · waiting for %(minutes)s min")
JUST_NOW = N_("#%(number)s · just now")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message is made of."""

    delivery_id: UUID
    anomaly_id: UUID
    number: int
    severity: int
    category: Names
    symptom: Names | None
    line: Names
    station: Names
    message: Names | str
    line_stopped: bool | None
    received_at: datetime
    topic: str
    rung: int
    can_accept: bool
    by: str = ""


def compose(facts: Facts, *, lang: str, token: str, public_url: str, now: datetime) -> Message:
    """Return the message for one delivery."""
    say = translations(lang).ugettext
    minutes = int((now - facts.received_at).total_seconds() // 60)
    words = {
        "mark": MARKS.get(facts.severity, "•"),
        "line": named(facts.line, lang),
        "station": named(facts.station, lang),
        "category": named(facts.symptom or facts.category, lang),
        "by": facts.by,
    }
    since = say(WAITING if minutes else JUST_NOW) % {"number": facts.number, "minutes": minutes}
    said = facts.message if isinstance(facts.message, str) else named(facts.message, lang)
    body = " · ".join(part for part in (say(LINE_STOPPED) if facts.line_stopped else "", said, since) if part)
    return Message(
        delivery_id=facts.delivery_id,
        title=say(HEADS[facts.topic]) % words,
        body=body,
        url=f"{public_url.rstrip('/')}/anomalies/{facts.anomaly_id}",
        tag=facts.anomaly_id.hex,
        severity=facts.severity,
        lang=lang,
        words=Words(
            accept=say(N_("I take it")),
            open=say(N_("Open")),
            accepted=say(N_("You have it. Go to the station.")),
            failed=say(N_("NOT accepted: no connection. Open the app and try again.")),
        ),
        token=token,
        can_accept=facts.can_accept,
        renotify=facts.rung > 0,
    )
