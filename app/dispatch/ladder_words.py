"""Ladders and routes as sentences, in the language of the reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app.dispatch.words import CHANNEL_WORDS
from app.flows.document import Audience, Rung
from app.kit.columns import Names
from app.kit.errors import N_
from app.kit.i18n import elapsed, gettext, named

CLOCKS = {
    "accepted": N_("Nobody accepts"),
    "displayed": N_("No phone shows it"),
    "on_site": N_("Accepted, but nobody is there"),
    "resolved": N_("There, but not fixed"),
    "verified": N_("Fixed, but not checked"),
}
ROLES = {
    "operator": N_("operators on duty"),
    "team_lead": N_("team leads on duty"),
    "engineer": N_("engineers on duty"),
    "manager": N_("managers on duty"),
    "admin": N_("administrators on duty"),
}
GROUPS = {
    "chat": N_("the group's chat"),
    "signal": N_("lights, sirens and boards"),
    "phone": N_("phone call"),
}
UNITS = {"s": N_("seconds"), "min": N_("minutes"), "h": N_("hours"), "d": N_("days")}


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What the things that ladders and routes name are called."""

    teams: Mapping[str, Names] = field(default_factory=dict)
    squads: Mapping[str, Names] = field(default_factory=dict)
    people: Mapping[UUID, str] = field(default_factory=dict)


def who(audience: Audience, known: Dictionary) -> str:
    """Return whom an audience means."""
    meant = _who(audience, known)
    return gettext(N_("%(who)s, and their deputies")) % {"who": meant} if audience.deputies else meant


def clock(name: str) -> str:
    """Return what has not happened when the steps of this clock are called."""
    return gettext(CLOCKS[name])


def channel(kind: str) -> str:
    """Return what a channel or a group of them is called; one nobody has translated by its own name."""
    return gettext(GROUPS.get(kind) or CHANNEL_WORDS.get(kind, kind))


def step(rung: Rung, known: Dictionary) -> str:
    """Return a step as one line: when, whom, over what."""
    when = gettext(N_("after %(time)s")) % {"time": elapsed(rung.after)} if rung.after else gettext(N_("at once"))
    people = "; ".join(who(audience, known) for audience in rung.call)
    over = ", ".join(channel(kind) for kind in rung.channels)
    said = gettext(N_("%(when)s: %(people)s")) % {"when": when, "people": people}
    return gettext(N_("%(said)s, also by %(channels)s")) % {"said": said, "channels": over} if over else said


def _who(audience: Audience, known: Dictionary) -> str:
    if audience.owner:
        return gettext(N_("whoever accepted it"))
    if audience.unseen:
        return gettext(N_("whoever was called and has not seen it"))
    if audience.person:
        return known.people.get(audience.person) or gettext(N_("somebody who has left"))
    meant = gettext(ROLES[audience.role] if audience.role else N_("everybody on duty"))
    if audience.squad:
        squad = named(known.squads.get(audience.squad)) or audience.squad
        meant = gettext(N_("%(who)s in the squad %(squad)s")) % {"who": meant, "squad": squad}
    if audience.team == "owner":
        meant = gettext(N_("%(who)s of the team in charge")) % {"who": meant}
    elif audience.team:
        team = named(known.teams.get(audience.team)) or audience.team
        meant = gettext(N_("%(who)s of %(team)s")) % {"who": meant, "team": team}
    if audience.line:
        meant = gettext(N_("%(who)s, for this line")) % {"who": meant}
    return meant
