"""Every channel there is. Whoever imports this loads what they all need; the web server does not."""

from collections.abc import Callable

from app.channels.base import Channel
from app.channels.board import Board
from app.channels.dingtalk import DingTalk
from app.channels.dingtalk_stream import DingTalkStream
from app.channels.email import Email
from app.channels.feishu import Feishu
from app.channels.feishu_long import FeishuLong
from app.channels.log import Log
from app.channels.mqtt import Mqtt
from app.channels.ntfy import Ntfy
from app.channels.stacklight import StackLight
from app.channels.stream import Stream
from app.channels.telephone import Sms, Voice
from app.channels.webhook import Webhook
from app.channels.webpush import WebPush
from app.channels.wecom import WeCom
from app.channels.wecom_smart import WeComSmart
from app.settings import Settings

CHANNELS: dict[str, Callable[[Settings], Channel]] = {
    WebPush.kind: WebPush.from_settings,
    Stream.kind: Stream.from_settings,
    Email.kind: Email.from_settings,
    Sms.kind: Sms.from_settings,
    Voice.kind: Voice.from_settings,
    Ntfy.kind: Ntfy.from_settings,
    WeCom.kind: WeCom.from_settings,
    DingTalk.kind: DingTalk.from_settings,
    Feishu.kind: Feishu.from_settings,
    Webhook.kind: Webhook.from_settings,
    Log.kind: Log.from_settings,
    Board.kind: Board.from_settings,
    DingTalkStream.kind: DingTalkStream.from_settings,
    FeishuLong.kind: FeishuLong.from_settings,
    WeComSmart.kind: WeComSmart.from_settings,
    Mqtt.kind: Mqtt.from_settings,
    StackLight.kind: StackLight.from_settings,
}


def build_channels(settings: Settings) -> dict[str, Channel]:
    """Open every channel of this installation, by its kind.

    Raises:
        BadPushSetting, BadMailSetting: in a sentence that names the setting.
    """
    return {kind: build(settings) for kind, build in CHANNELS.items()}
