"""The letter inside a push message: declarative Web Push. Safari shows it by itself, our service worker too.

`manifest/service-worker.js` is the other end of this contract; tests/channels/test_payload.py holds it still.
"""

import hashlib
import re
from typing import Final

import msgspec

from app.channels.base import Message, Urgency

# How long a push service keeps a message for a phone that is away. A stopped line is called again from the
# ladder after two minutes, so an older call would only be noise; anything else may ring late. Never 0: that
# drops it at once.
TTL: Final = {1: 120, 2: 600, 3: 3600, 4: 3600}

LARGEST: Final = 3000  # bytes; push services take 4096 after encryption, and some phones less
_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_json: Final = msgspec.json.Encoder()


def payload(message: Message) -> bytes:
    """Return the JSON a phone gets. Text that is too long is cut: a call must ring, whatever it says."""
    letter = _json.encode(_letter(message, message.title, message.body))
    if len(letter) > LARGEST:
        room = LARGEST - len(_json.encode(_letter(message, "", "")))
        title = _cut(message.title, room // 3)
        letter = _json.encode(_letter(message, title, _cut(message.body, room - _size(title))))
    return letter


def envelope(message: Message) -> dict[str, str]:
    """Return what the push service itself must know: how long, how urgent, and what it replaces."""
    urgency = message.urgency or (Urgency.HIGH if message.can_accept else Urgency.NORMAL)
    return {
        "TTL": str(message.ttl or TTL.get(message.severity, TTL[4])),
        "Urgency": urgency.value,
        "Topic": topic(message.topic or message.tag),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
    }


def topic(name: str) -> str:
    """Return `name` as a push service's Topic: at most 32 characters of base64url. Same name, same topic."""
    short = name.replace("-", "")
    return short if _TOPIC.fullmatch(short) else hashlib.sha256(name.encode()).hexdigest()[:32]


def _letter(message: Message, title: str, body: str) -> dict[str, object]:
    words = message.words
    actions = [{"action": "open", "title": words.open, "navigate": message.url}]
    if message.can_accept:
        # A phone without our service worker can only open the page with it: links accept nothing.
        actions.insert(0, {"action": "accept", "title": words.accept, "navigate": message.url})
    return {
        "web_push": 8030,
        "mutable": True,  # let the service worker see it, so that "displayed" is reported
        "notification": {
            "title": title,
            "body": body,
            "lang": message.lang,
            "dir": "auto",
            "tag": message.tag,
            "renotify": message.renotify,
            "requireInteraction": message.severity == 1,
            "navigate": message.url,
            "actions": actions,
            "data": {
                "delivery": str(message.delivery_id),
                "token": message.token,
                "url": message.url,
                **({"answer": message.answer} if message.answer != "acceptance" else {}),
                "words": {
                    "accept": words.accept,
                    "open": words.open,
                    "accepted": words.accepted,
                    "failed": words.failed,
                },
            },
        },
    }


def _cut(text: str, room: int) -> str:
    """Shorten to `room` bytes of JSON, and say so with an ellipsis."""
    if _size(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle] + "…") <= room else (low, middle - 1)
    return text[:low] + "…"


def _size(text: str) -> int:
    return len(_json.encode(text)) - 2
