"""The contract between server and service worker. Change it in both, or phones stop answering."""

import json
from uuid import UUID

import pytest

from app.channels.payload import LARGEST, payload, topic
from tests.channels.letters import ANOMALY, message

DELIVERY = "0197f0c2-5a1e-7c33-9d4b-000000000001"
URL = f"https://pullcord.example/anomalies/{ANOMALY}"


def test_the_letter():
    assert json.loads(payload(message(delivery_id=UUID(DELIVERY), renotify=True))) == {
        "web_push": 8030,
        "mutable": True,
        "notification": {
            "title": "[!!] Press 7 停线",
            "body": "Overheating. Li Wei called.",
            "lang": "zh-CN",
            "dir": "auto",
            "tag": ANOMALY,
            "renotify": True,
            "requireInteraction": True,
            "navigate": URL,
            "actions": [
                {"action": "accept", "title": "我来处理", "navigate": URL},
                {"action": "open", "title": "查看", "navigate": URL},
            ],
            "data": {
                "delivery": DELIVERY,
                "token": "one-time-token",
                "url": URL,
                "words": {
                    "accept": "我来处理",
                    "open": "查看",
                    "accepted": "已由您接单",
                    "failed": "没有接上单, 请打开应用",
                },
            },
        },
    }


def test_no_link_in_the_letter_accepts_anything():
    """Safari without our service worker follows `navigate`, and link previews follow every link."""
    letter = json.loads(payload(message()))["notification"]
    assert {action["navigate"] for action in letter["actions"]} | {letter["navigate"]} == {URL}
    assert "one-time-token" not in URL


@pytest.mark.parametrize("text", ["x" * 4000, "热" * 4000, '"\\\n' * 4000, "🏭" * 4000])
@pytest.mark.parametrize("part", ["title", "body", "both"])
def test_too_much_text_is_cut_and_still_says_something(text, part):
    parts = {"title": text, "body": text} if part == "both" else {part: text}

    letter = payload(message(**parts))

    assert LARGEST - 12 <= len(letter) <= LARGEST or part == "title"
    told = json.loads(letter)["notification"]
    assert all(told[name].endswith("…") and len(told[name]) > 100 for name in parts)


def test_a_short_letter_is_not_touched():
    assert json.loads(payload(message(body="x" * 1000)))["notification"]["body"] == "x" * 1000


@pytest.mark.parametrize("name", [ANOMALY, "shift-b", "一号线", "x" * 50, "", "a b"])
def test_a_topic_is_short_and_stable(name):
    assert topic(name) == topic(name)
    assert 0 < len(topic(name)) <= 32
    assert topic(name).isalnum()
