"""The life of an anomaly as one table. Pure: it decides, `actions.advance` writes."""

from enum import StrEnum

from app.kit.errors import N_, DomainError


class Status(StrEnum):
    REPORTED = "reported"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    CONTAINED = "contained"
    RESOLVED = "resolved"
    WATCHING = "watching"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What can happen to an anomaly that may move its status."""

    ACCEPT = "accept"
    ARRIVE = "arrive"
    CONTAIN = "contain"
    RESOLVE = "resolve"
    HAND_OVER = "hand_over"
    RELEASE = "release"
    SEND_BACK = "send_back"
    VERIFY = "verify"
    RECUR = "recur"
    CLOSE = "close"
    CANCEL = "cancel"


S, A = Status, Action

TRANSITIONS: dict[tuple[Status, Action], Status] = {
    (S.REPORTED, A.ACCEPT): S.ACCEPTED,
    (S.REPORTED, A.CANCEL): S.CANCELLED,
    (S.ACCEPTED, A.ARRIVE): S.ON_SITE,
    (S.ACCEPTED, A.RESOLVE): S.RESOLVED,
    (S.ACCEPTED, A.HAND_OVER): S.ACCEPTED,
    (S.ACCEPTED, A.RELEASE): S.REPORTED,
    (S.ACCEPTED, A.CANCEL): S.CANCELLED,
    (S.ON_SITE, A.CONTAIN): S.CONTAINED,
    (S.ON_SITE, A.RESOLVE): S.RESOLVED,
    (S.ON_SITE, A.HAND_OVER): S.ON_SITE,
    (S.ON_SITE, A.RELEASE): S.REPORTED,
    (S.ON_SITE, A.CANCEL): S.CANCELLED,
    (S.CONTAINED, A.RESOLVE): S.RESOLVED,
    (S.CONTAINED, A.HAND_OVER): S.CONTAINED,
    (S.CONTAINED, A.RELEASE): S.REPORTED,
    (S.RESOLVED, A.VERIFY): S.WATCHING,
    (S.RESOLVED, A.SEND_BACK): S.ACCEPTED,
    (S.WATCHING, A.RECUR): S.REPORTED,
    (S.WATCHING, A.CLOSE): S.CLOSED,
    (S.CLOSED, A.RECUR): S.REPORTED,
}

OPEN = frozenset({S.REPORTED, S.ACCEPTED, S.ON_SITE, S.CONTAINED, S.RESOLVED})
"""In the queue: somebody still has to do something."""

OWNED = frozenset({S.ACCEPTED, S.ON_SITE, S.CONTAINED})
"""Exactly one person is working on it."""


STATUS_WORDS: dict[Status, str] = {
    S.REPORTED: N_("waiting"),
    S.ACCEPTED: N_("accepted"),
    S.ON_SITE: N_("on site"),
    S.CONTAINED: N_("contained"),
    S.RESOLVED: N_("fixed, to verify"),
    S.WATCHING: N_("watching"),
    S.CLOSED: N_("closed"),
    S.CANCELLED: N_("cancelled"),
}


def next_status(status: Status, action: Action) -> Status | None:
    """Return where `action` leads from `status`, or None when the table has no such row."""
    return TRANSITIONS.get((status, action))


def allowed(status: Status) -> set[Action]:
    """Return what may happen next."""
    return {action for (before, action) in TRANSITIONS if before == status}


class NotAllowedNow(DomainError):
    """Somebody was faster, or the step makes no sense any more. `status` and `owner` are for the sentence."""

    code = "anomaly.not_allowed_now"
    message = N_(
        "This is not possible any more: it is “%(status)s” now. Nothing was changed. Reload to see the latest."
    )

    @classmethod
    def of(cls, status: Status, owner: str) -> "NotAllowedNow":
        """The refusal that fits: with a name where somebody has it."""
        kind = OwnedByOther if owner and status in OWNED else cls
        return kind(status=STATUS_WORDS[status], owner=owner)


class OwnedByOther(NotAllowedNow):
    code = "anomaly.owned_by_other"
    message = N_("%(owner)s already has it (%(status)s). Nothing was changed. Tap “I am coming too” if you can help.")
