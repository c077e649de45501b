"""The answer to "why me?"."""

from app.kit.errors import N_
from app.kit.i18n import elapsed, gettext

ROLES = {
    "operator": N_("operator on duty"),
    "team_lead": N_("team lead on duty"),
    "engineer": N_("engineer on duty"),
    "manager": N_("manager on duty"),
    "admin": N_("administrator on duty"),
}
NEWS = {
    "hand_over": N_("asked to take over by %(by)s"),
    "send_back": N_("yours, and not fixed yet"),
    "cancel": N_("yours, and called off"),
}


def why(reason: dict[str, object]) -> str:
    """Return why a person was called, in the language of the reader."""
    if news := reason.get("news"):
        return gettext(NEWS.get(str(news), "")) % {"by": reason.get("by", "")}
    audience = reason.get("audience")
    meant: dict[str, object] = audience if isinstance(audience, dict) else {}
    parts = []
    if meant.get("owner"):
        parts.append(gettext(N_("it is yours")))
    if meant.get("team"):
        parts.append(gettext(N_("on duty for this kind of problem")))
    if role := meant.get("role"):
        parts.append(gettext(ROLES[str(role)]))
    if meant.get("line"):
        parts.append(gettext(N_("of this line")))
    if after := int(str(reason.get("after") or 0)):
        parts.append(gettext(N_("nobody came within %(time)s")) % {"time": elapsed(after)})
    return gettext(", ").join(parts)
