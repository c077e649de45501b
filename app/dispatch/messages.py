"""What a phone says, in the language of the person it belongs to: nothing that a lock screen may not show.

Longer than most files: all the forms a message has are side by side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.channels.base import Item, Message, Words
from app.channels.limits import DIGEST
from app.dispatch.models import BELL
from app.kit.columns import Names
from app.kit.errors import N_
from app.kit.i18n import named, translations

BELL_RINGS = 1800  # seconds a push service keeps it for a phone that is away
TITLE = 40  # characters that every lock screen shows
MARKS = {1: "‼", 2: "!", 3: "•", 4: "·"}
CALL_HEAD = N_("%(mark)s %(line)s · %(station)s: %(category)s")
HEADS = {
    "displayed": CALL_HEAD,
    "accepted": CALL_HEAD,
    "on_site": N_("%(mark)s Nobody on site yet · %(station)s: %(category)s"),
    "resolved": N_("%(mark)s Still not fixed · %(station)s: %(category)s"),
    "verified": N_("✓ Please check: %(station)s: %(category)s"),
    "hold": N_("Look again: %(station)s: %(category)s"),
    "hand_over": N_("%(by)s asks you to take over · %(station)s: %(category)s"),
    "send_back": N_("Not fixed yet · %(station)s: %(category)s"),
    "cancel": N_("Called off · %(station)s: %(category)s"),
    "assist": N_("%(by)s is coming too · %(station)s: %(category)s"),
    "taken": N_("✓ %(by)s has it · %(station)s: %(category)s"),
    "over": N_("✓ Over · %(station)s: %(category)s"),
}
ACCEPTABLE = ("displayed", "accepted")  # clocks that stop when somebody takes it
LINE_STOPPED = N_("Line stopped")
WAITING = N_("#%(number)s · waiting for %(minutes)s min")
JUST_NOW = N_("#%(number)s · just now")
DIGESTED = N_("%(n)s anomalies wait")
MORE = N_("and %(n)s more")

# Messages without an anomaly: title, text, and where they lead.
PLAIN = {
    "test": (N_("Test: this phone can be called"), N_("You asked for it. Nobody else was called."), "/me"),
    "outlet_test": (
        N_("Test from Pullcord"),
        N_("Calls of this plant will come here. Nobody has to do anything."),
        "/",
    ),
    "bell": (
        N_("Shift %(shift)s starts: tap to go on duty"),
        N_("The tap shows that calls reach this phone."),
        "/duty",
    ),
    "swap_asked": (
        N_("%(by)s asks you to take a shift"),
        N_("%(shift)s on %(day)s. Say yes or no."),
        "/roster/mine",
    ),
    "swap_agreed": (N_("%(by)s takes your shift"), N_("%(shift)s on %(day)s. You are off."), "/roster/mine"),
    "swap_refused": (
        N_("%(by)s cannot take your shift"),
        N_("%(shift)s on %(day)s. Ask somebody else."),
        "/roster/mine",
    ),
    "silent_phone": (
        N_("%(by)s's phone does not answer"),
        N_("While you are on duty, calls for %(by)s come to you, until it is heard again."),
        "/duty",
    ),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message about an anomaly is made of."""

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


@dataclass(frozen=True, slots=True)
class Plain:
    """What a message without an anomaly is made of: a test, the bell at shift start. `said` fills its holes."""

    delivery_id: UUID
    topic: str
    said: Mapping[str, object]
    tag: str


def compose(
    facts: Facts | Plain,
    *,
    lang: str,
    token: str,
    public_url: str,
    now: datetime,
    others: Sequence[Facts] = (),
) -> Message:
    """Return the message for one delivery; with `others`, one message for all of them."""
    here = public_url.rstrip("/")
    if isinstance(facts, Plain):
        return _plain(facts, lang=lang, token=token, here=here)
    if any(other.anomaly_id != facts.anomaly_id for other in others):
        return _digest([facts, *others], lang=lang, token=token, here=here)
    return Message(
        delivery_id=facts.delivery_id,
        title=_title(facts, lang),
        body=_body(facts, lang, now=now),
        url=f"{here}/anomalies/{facts.anomaly_id}",
        tag=facts.anomaly_id.hex,
        severity=facts.severity,
        lang=lang,
        words=_words(lang),
        token=token,
        can_accept=facts.can_accept,
        renotify=facts.rung > 0,
        everybody=facts.rung > 1,
    )


def _digest(all_: Sequence[Facts], *, lang: str, token: str, here: str) -> Message:
    say = translations(lang).ugettext
    each = {facts.anomaly_id: facts for facts in all_}.values()  # the newest call of each
    worst_first = sorted(each, key=lambda facts: (facts.severity, facts.received_at))
    items = tuple(Item(_title(f, lang), f"{here}/anomalies/{f.anomaly_id}") for f in worst_first[:DIGEST])
    if left := len(worst_first) - len(items):
        items += (Item(say(MORE) % {"n": left}, f"{here}/queue"),)
    return Message(
        delivery_id=all_[0].delivery_id,
        title=say(DIGESTED) % {"n": len(worst_first)},
        body="\n".join(item.text for item in items),
        url=f"{here}/queue",
        tag=f"digest{all_[0].delivery_id.hex[:20]}",
        severity=worst_first[0].severity,
        lang=lang,
        words=_words(lang),
        token=token,
        can_accept=False,
        items=items,
    )


def _plain(plain: Plain, *, lang: str, token: str, here: str) -> Message:
    say = translations(lang).ugettext
    said = {name: named(hole, lang) if isinstance(hole, dict) else hole for name, hole in plain.said.items()}
    title, body, path = PLAIN[plain.topic]
    bell = plain.topic == BELL
    return Message(
        delivery_id=plain.delivery_id,
        title=_short(say(title) % said),
        body=say(body) % said,
        url=f"{here}{path}",
        tag=plain.tag,
        severity=2,
        lang=lang,
        words=_here(lang) if bell else _words(lang),
        token=token,
        can_accept=bell,
        answer="presence" if bell else "acceptance",
        ttl=BELL_RINGS if bell else None,
    )


def _title(facts: Facts, lang: str) -> str:
    words = {
        "mark": MARKS.get(facts.severity, "•"),
        "line": named(facts.line, lang),
        "station": named(facts.station, lang),
        "category": named(facts.symptom or facts.category, lang),
        "by": facts.by,
    }
    return _short(str(translations(lang).ugettext(HEADS[facts.topic])) % words)


def _body(facts: Facts, lang: str, *, now: datetime) -> str:
    say = translations(lang).ugettext
    minutes = int((now - facts.received_at).total_seconds() // 60)
    since = say(WAITING if minutes else JUST_NOW) % {"number": facts.number, "minutes": minutes}
    said = facts.message if isinstance(facts.message, str) else named(facts.message, lang)
    return " · ".join(part for part in (say(LINE_STOPPED) if facts.line_stopped else "", said, since) if part)


def _short(title: str) -> str:
    return title if len(title) <= TITLE else f"{title[: TITLE - 1].rstrip()}…"


def _words(lang: str) -> Words:
    say = translations(lang).ugettext
    return Words(
        accept=say(N_("I take it")),
        open=say(N_("Open")),
        accepted=say(N_("You have it. Go to the station.")),
        failed=say(N_("NOT accepted: no connection. Open the app and try again.")),
    )


def _here(lang: str) -> Words:
    say = translations(lang).ugettext
    return Words(
        accept=say(N_("I am here")),
        open=say(N_("Open")),
        accepted=say(N_("You are on duty")),
        failed=say(N_("NOT on duty yet: no connection. Open the app and try again.")),
    )
