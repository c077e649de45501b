"""Messages for tests, as dispatch would write them."""

from typing import Any

from app.channels.base import Message, Words
from app.kit.ids import new_id

CONTACT = "mailto:andon@press-works.example"
ANOMALY = "0197f0c2-5a1e-7c33-9d4b-2f6f3a1b0c9d"
WORDS = Words(accept="我来处理", open="查看", accepted="已由您接单", failed="没有接上单, 请打开应用")


def message(**changes: Any) -> Message:
    """A stopped press, for the team lead."""
    usual: dict[str, Any] = {
        "delivery_id": new_id(),
        "title": "[!!] Press 7 停线",
        "body": "Overheating. Li Wei called.",
        "url": f"https://pullcord.example/anomalies/{ANOMALY}",
        "tag": ANOMALY,
        "severity": 1,
        "lang": "zh-CN",
        "words": WORDS,
        "token": "one-time-token",
    }
    return Message(**{**usual, **changes})
