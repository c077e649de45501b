"""What happened, in words: one sentence for each kind of event, in the language of the reader."""

from app.anomaly.models import Event
from app.kit.errors import N_
from app.kit.i18n import gettext, named, ngettext

SEVERITY_WORDS = {1: N_("urgent"), 2: N_("serious"), 3: N_("ordinary"), 4: N_("minor")}
SOURCE_WORDS = {
    "phone": N_("reported by phone"),
    "opcua": N_("reported by the machine"),
    "demo": N_("reported by phone"),
    "roster": N_("found by looking ahead"),
}
END_WORDS = {
    "false": N_("false alarm"),
    "duplicate": N_("duplicate"),
    "practice": N_("practice"),
    "recalled": N_("recalled by the reporter"),
    "filled": N_("no longer true"),
}
EVENT_WORDS = {
    "report": N_("Reported once more"),
    "me_too": N_("Somebody else has it too"),
    "alarm": N_("Machine alarm"),
    "change": N_("The machine says more"),
    "return_to_normal": N_("Machine is back to normal"),
    "machine_acked": N_("Acknowledged at the machine"),
    "machine_confirmed": N_("Confirmed at the machine"),
    "machine_refused": N_("The machine refused it: %(status)s"),
    "nobody": N_("Nobody on duty for this step: the next one was called at once"),
    "unseen": N_("No phone has shown it yet, and there is no other way to call"),
    "accept": N_("Accepted"),
    "assist": N_("Comes too"),
    "arrive": N_("On site"),
    "contain": N_("Contained: output is protected"),
    "hold": N_("On hold: %(reason)s"),
    "resume": N_("Work goes on"),
    "release": N_("Given back to the queue"),
    "resolve": N_("Fixed"),
    "verify": N_("Checked: it works"),
    "send_back": N_("Sent back: not fixed yet"),
    "recur": N_("It came back: rings again"),
    "close": N_("Closed: it did not come back"),
    "details": N_("Details added"),
    "photo": N_("Photo added"),
    "voice": N_("Voice note added"),
    "merged": N_("Joined with #%(number)s"),
    "merged_from": N_("#%(number)s was joined in"),
    "override": N_("Said to work although the machine says otherwise"),
    "split": N_("Split off as #%(number)s"),
    "split_from": N_("Split off from #%(number)s"),
}


def event_words(event: Event) -> str:
    """Return the headline of an event."""
    details = event.details
    match event.kind:
        case "reported":
            return gettext(SOURCE_WORDS.get(str(details.get("source")), N_("reported"))).capitalize()
        case "called":
            called = details.get("called")
            names = [str(name) for name in called] if isinstance(called, list) else []
            told = {"names": gettext(", ").join(names)}
            if details.get("clock") == "displayed":
                return gettext("No phone has shown it yet: called another way: %(names)s") % told
            return ngettext("Called %(names)s", "Called %(names)s", len(names)) % told
        case "hand_over":
            text = N_("%(to)s was asked to take over") if not details.get("taken") else N_("Taken over")
            return gettext(text) % {"to": details.get("to", "")} if not details.get("taken") else gettext(text)
        case "regrade":
            grade = details.get("severity")
            return gettext("Now %(severity)s") % {"severity": gettext(SEVERITY_WORDS.get(int(str(grade)), ""))}
        case "cancel":
            return gettext("Called off: %(reason)s") % {
                "reason": gettext(END_WORDS.get(str(details.get("reason")), ""))
            }
        case kind if kind in EVENT_WORDS:
            text = EVENT_WORDS[kind]
            return gettext(text) % details if "%(" in text else gettext(text)
    return event.kind


def event_detail(event: Event) -> str:
    """Return what the person or the machine said beside the headline."""
    said = [event.details.get(key) for key in ("message", "note", "cause", "fix", "override")]
    if event.kind in ("send_back", "release"):
        said.append(event.details.get("reason"))
    if isinstance(held := event.details.get("abnormal"), list):
        said += [_abnormal(one) for one in held if isinstance(one, dict)]
    texts = [named(text) if isinstance(text, dict) else str(text) for text in said if text]
    return " · ".join(text for text in texts if text)


def _abnormal(fact: dict[str, object]) -> str:
    """Say of one tag what it showed when somebody overruled it."""
    tag = named(fact["tag"]) if isinstance(fact.get("tag"), dict) else ""  # type: ignore[arg-type]
    value, limit = gettext(str(fact.get("value", ""))), gettext(str(fact.get("limit", "")))
    if fact.get("stale"):
        return gettext("%(tag)s: no fresh value, last %(value)s") % {"tag": tag, "value": value}
    return (
        gettext("%(tag)s: %(value)s (limit %(limit)s)") % {"tag": tag, "value": value, "limit": limit} if value else tag
    )
