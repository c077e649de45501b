"""What is said of sources: how they stand, and how one speaks with them."""

from app.kit.errors import N_
from app.machines.models import LinkState
from app.machines.security import Login, Mode

STATE_WORDS = {
    LinkState.IDLE: N_("not watched yet"),
    LinkState.CONNECTING: N_("connecting"),
    LinkState.CONNECTED: N_("connected"),
    LinkState.RETRYING: N_("not connected, trying again"),
    LinkState.NEEDS_PERSON: N_("needs somebody"),
}
STATE_TONES = {
    LinkState.IDLE: "",
    LinkState.CONNECTING: "blue",
    LinkState.CONNECTED: "green",
    LinkState.RETRYING: "amber",
    LinkState.NEEDS_PERSON: "red",
}
STATE_ICONS = {
    LinkState.IDLE: "clock",
    LinkState.CONNECTING: "clock",
    LinkState.CONNECTED: "check",
    LinkState.RETRYING: "offline",
    LinkState.NEEDS_PERSON: "octagon",
}
MODE_WORDS = {
    Mode.SIGN_AND_ENCRYPT: N_("signed and encrypted"),
    Mode.SIGN: N_("signed, not encrypted"),
    Mode.NONE: N_("not secured"),
}
LOGIN_WORDS = {
    Login.ANONYMOUS: N_("without a login"),
    Login.NAME: N_("with user name and password"),
    Login.CERTIFICATE: N_("with a certificate"),
}
