"""Every channel there is. Whoever imports this loads what they all need; the web server does not."""

from collections.abc import Callable

from app.channels.base import Channel
from app.channels.email import Email
from app.channels.log import Log
from app.channels.stream import Stream
from app.channels.webpush import WebPush
from app.settings import Settings

CHANNELS: dict[str, Callable[[Settings], Channel]] = {
    WebPush.kind: WebPush.from_settings,
    Stream.kind: Stream.from_settings,
    Email.kind: Email.from_settings,
    Log.kind: Log.from_settings,
}


def build_channels(settings: Settings) -> dict[str, Channel]:
    """Open every channel of this installation, by its kind.

    Raises:
        BadPushSetting, BadMailSetting: in a sentence that names the setting.
    """
    return {kind: build(settings) for kind, build in CHANNELS.items()}
