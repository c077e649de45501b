"""What a phone can find out about itself, what that means, and what to do about it.

The page runs the check (frontend/js/doctor.js) and knows the same names; here they get their words. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.kit.errors import N_


class Tone(StrEnum):
    GOOD = "green"
    BAD = "red"
    LEFT_OUT = "quiet"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a row may say; `fix` says what to do, `link` leads there."""

    tone: Tone
    text: str
    fix: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    findings: Mapping[str, Finding]


def _good(text: str) -> Finding:
    return Finding(Tone.GOOD, text)


def _bad(text: str, fix: str, link: str = "") -> Finding:
    return Finding(Tone.BAD, text, fix, link)


def _left_out(text: str, fix: str = "", link: str = "") -> Finding:
    return Finding(Tone.LEFT_OUT, text, fix, link)


NOT_HERE = _left_out(N_("Not possible here: see the crosses above"))
SIGN_IN = _left_out(
    N_("Only for people who are signed in"), N_("Sign in, then run the test again."), "/login?next=/doctor"
)

ROWS: Final[dict[str, Row]] = {
    "secure": Row(
        N_("Secure connection"),
        {
            "ok": _good(N_("Is secure")),
            "http": _bad(
                N_("This address has no HTTPS: no notifications, no scanner, no outbox"),
                N_("Open Pullcord by its https:// address, or ask your administrator for a certificate."),
            ),
        },
    ),
    "browser": Row(
        N_("Browser"),
        {
            "ok": _good(N_("Can do all that is needed")),
            "wechat": _bad(
                N_("This is WeChat's own browser: it cannot ring"),
                N_("Tap ··· above and choose “Open in browser”."),
            ),
            "inside": _bad(
                N_("This is the browser inside another app: it cannot ring"),
                N_("Open Pullcord in the phone's own browser."),
            ),
            "home": _bad(
                N_("An iPhone rings only for apps on the home screen"),
                N_("Tap Share, then “Add to Home Screen”, and open Pullcord from there."),
            ),
            "old": _bad(
                N_("This browser has no push messages"),
                N_("Update it, or use Chrome, Edge, Firefox or Safari."),
            ),
        },
    ),
    "worker": Row(
        N_("Service worker"),
        {
            "ok": _good(N_("Runs")),
            "none": NOT_HERE,
            "failed": _bad(
                N_("Does not start"),
                N_("Close all Pullcord tabs, leave private mode, and open it again."),
            ),
        },
    ),
    "storage": Row(
        N_("Storage"),
        {
            "ok": _good(N_("Is kept")),
            "not_kept": _bad(
                N_("The phone may throw away what is not sent yet"),
                N_("Add Pullcord to the home screen and allow notifications: then it is kept."),
            ),
            "none": NOT_HERE,
        },
    ),
    "camera": Row(
        N_("Camera"),
        {
            "ok": _good(N_("Works")),
            "denied": _bad(N_("Not allowed"), N_("Tap the sign left of the address and allow the camera.")),
            "missing": _bad(
                N_("None was found"), N_("Take a photo of the label instead, or type its four characters.")
            ),
            "none": NOT_HERE,
        },
    ),
    "permission": Row(
        N_("Permission to ring"),
        {
            "ok": _good(N_("Granted")),
            "not_asked": _bad(N_("Nobody has asked for it yet"), N_("Turn ringing on on your own page."), "/me"),
            "denied": _bad(
                N_("Blocked"),
                N_("Tap the sign left of the address, allow notifications, and come back. Android asks once more."),
            ),
            "none": NOT_HERE,
        },
    ),
    "subscription": Row(
        N_("Address for ringing"),
        {
            "ok": _good(N_("Known to Pullcord")),
            "off": _bad(N_("Ringing is not turned on here"), N_("Turn it on on your own page."), "/me"),
            "unreachable": _bad(
                N_("The push service of this browser cannot be reached"),
                N_("Ask whether the network lets phones out, or use another browser; e-mail and chat still work."),
            ),
            "refused": _bad(
                N_("Pullcord does not accept this push service"),
                N_("Use another browser, or ask your administrator to allow it (push_hosts)."),
            ),
            "none": NOT_HERE,
            "login": SIGN_IN,
        },
    ),
    "push": Row(
        N_("Push round trip"),
        {
            "ok": _good(N_("%(value)s s from Pullcord to this screen")),
            "late": _bad(
                N_("Nothing came within %(value)s s"),
                N_("Switch battery saving off for this browser, and check that it may run in the background."),
            ),
            "failed": _bad(
                N_("The push service refused the message"),
                N_("Turn ringing off and on again on your own page."),
                "/me",
            ),
            "busy": _left_out(N_("Too many tests in a short time"), N_("Wait a minute and run the test again.")),
            "off": _left_out(N_("Needs an address for ringing")),
            "login": SIGN_IN,
        },
    ),
    "stream": Row(
        N_("Live pages"),
        {
            "ok": _good(N_("First news after %(value)s s")),
            "silent": _bad(
                N_("Nothing comes through"),
                N_("A proxy holds the stream back. Your administrator must switch off its buffering for /stream."),
            ),
        },
    ),
    "clock": Row(
        N_("Clock"),
        {
            "ok": _good(N_("Right to %(value)s s")),
            "wrong": _bad(
                N_("Wrong by %(value)s s"),
                N_("Let the phone set its time by itself, in its settings under date and time."),
            ),
            "unknown": _left_out(N_("The server could not be asked")),
        },
    ),
    "chat": Row(
        N_("Chat account"),
        {
            "ok": _good(N_("Bound to you")),
            "unbound": _left_out(N_("None is bound to you; it is not needed for ringing")),
            "login": SIGN_IN,
        },
    ),
}
