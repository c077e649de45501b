"""What the ways to a person are called, for that person."""

from app.kit.errors import N_

WAY_WORDS = {
    "webpush": N_("my phones"),
    "email": N_("e-mail"),
    "sms": N_("text message"),
    "voice": N_("phone call"),
    "ntfy": "ntfy",
    "dingtalk_stream": N_("DingTalk"),
    "feishu_long": N_("Feishu"),
    "wecom_smart": N_("WeCom"),
}
