"""Did it ring, and "why me?", in words."""

from collections.abc import Iterator
from typing import Any

from app.dispatch.queries import Reached
from app.kit.errors import N_
from app.kit.i18n import elapsed, gettext, ngettext

CHANNEL_WORDS = {
    "webpush": N_("phone"),
    "stream": N_("inside the app"),
    "email": N_("e-mail"),
    "sms": N_("text message"),
    "voice": N_("phone call"),
    "ntfy": "ntfy",
    "wecom": N_("WeCom group"),
    "dingtalk": N_("DingTalk group"),
    "feishu": N_("Feishu group"),
    "dingtalk_stream": N_("DingTalk"),
    "feishu_long": N_("Feishu"),
    "wecom_smart": N_("WeCom"),
    "webhook": N_("webhook"),
    "stacklight": N_("stack light"),
    "siren": N_("siren"),
    "board": N_("hall board"),
    "log": N_("log"),
}

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
    "assist": N_("%(by)s is coming too"),
}
ROUTED_BY = {
    "area": N_("this area"),
    "line": N_("this line"),
    "station": N_("this station"),
    "categories": N_("this kind of problem"),
    "severities": N_("this severity"),
    "shifts": N_("this shift"),
}
LATE = {
    "displayed": N_("no phone showed it within %(time)s"),
    "accepted": N_("nobody came within %(time)s"),
    "on_site": N_("nobody on site within %(time)s"),
    "resolved": N_("not fixed within %(time)s"),
    "verified": N_("not checked within %(time)s"),
}


def how_far(reached: Reached) -> str:
    """Return in one line how far the calls got, in the language of the reader."""
    words = {"displayed": reached.displayed, "accepted": reached.accepted}
    if not reached.rang:
        return gettext("no phone rang")
    return ngettext(
        "rang %(num)s phone · %(displayed)s displayed · %(accepted)s accepted",
        "rang %(num)s phones · %(displayed)s displayed · %(accepted)s accepted",
        reached.rang,
    ) % {"num": reached.rang, **words}


def why(reason: dict[str, Any]) -> str:
    """Return why a person was called, in the language of the reader: which route, which audience, which rung."""
    if news := reason.get("news"):
        return gettext(NEWS.get(str(news), "")) % {"by": reason.get("by", "")}
    meant: dict[str, Any] = reason.get("audience") or {}
    parts = [_standing_in(str(reason["deputy_of"]))] if reason.get("deputy_of") else list(_meant(meant))
    if route := reason.get("route"):
        named = str(route.get("name") or "") or gettext(", ").join(gettext(ROUTED_BY[key]) for key in route["for"])
        parts.append(gettext(N_("by the route “%(name)s”")) % {"name": named})
    if after := int(reason.get("after") or 0):
        late = LATE.get(str(reason.get("clock", "")), LATE["accepted"])
        parts.append(gettext(late) % {"time": elapsed(after)})
    return gettext(", ").join(parts)


def _standing_in(name: str) -> str:
    return gettext(N_("standing in for %(name)s")) % {"name": name}


def _meant(audience: dict[str, Any]) -> Iterator[str]:
    if audience.get("owner"):
        yield gettext(N_("it is yours"))
    if audience.get("unseen"):
        yield gettext(N_("called before, and not seen yet"))
    if audience.get("person"):
        yield gettext(N_("named by the ladder"))
    if audience.get("squad"):
        yield gettext(N_("of the response squad"))
    if audience.get("team"):
        yield gettext(N_("on duty for this kind of problem"))
    if role := audience.get("role"):
        yield gettext(ROLES[str(role)])
    if audience.get("line"):
        yield gettext(N_("of this line"))
