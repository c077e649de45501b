"""What a phone says: short enough for every lock screen, in the language of its owner."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.channels.limits import DIGEST
from app.dispatch.messages import HEADS, PLAIN, TITLE, Facts, Plain, compose
from app.kit.ids import new_id
from tests.factories import MONDAY

FACTS = Facts(
    delivery_id=new_id(),
    anomaly_id=new_id(),
    number=1042,
    severity=1,
    category={"en": "Machine", "zh": "设备"},
    symptom=None,
    line={"en": "Line 3", "zh": "三号线"},
    station={"en": "Press 7", "zh": "7 号冲压机"},
    message="It smokes",
    line_stopped=True,
    received_at=MONDAY,
    topic="accepted",
    rung=0,
    can_accept=True,
    by="Wang Lei",
)


def said(facts: Facts | Plain = FACTS, *, lang: str = "en", others: tuple[Facts, ...] = ()):
    now = MONDAY + timedelta(minutes=2)
    return compose(facts, lang=lang, token="token", public_url="https://plant.example/", now=now, others=others)


def test_it_says_where_what_and_since_when():
    message = said()

    assert message.title == "‼ Line 3 · Press 7: Machine"
    assert message.body == "Line stopped · It smokes · #1042 · waiting for 2 min"
    assert message.url == f"https://plant.example/anomalies/{FACTS.anomaly_id}"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("topic", HEADS)
def test_every_title_fits_on_a_lock_screen(topic, lang):
    long = {"en": "Hydraulic press number seventeen, left", "zh": "十七号液压机左侧进料口安全光栅上方油缸" * 2}

    title = said(replace(FACTS, topic=topic, station=long, category=long), lang=lang).title

    assert len(title) <= TITLE
    assert title.endswith("…")


@pytest.mark.parametrize("topic", PLAIN)
def test_what_is_about_no_anomaly_fits_too(topic):
    holes = {"by": "Wang Lei", "shift": {"en": "Late", "zh": "中班"}, "at": "14:00", "day": "24 Nov"}

    message = said(Plain(new_id(), topic, holes, "a-tag"))

    assert len(message.title) <= TITLE
    assert "%(" not in message.title + message.body
    assert message.url.startswith("https://plant.example/")


def test_several_are_one_message_worst_first_each_with_its_own_link():
    mild = replace(FACTS, anomaly_id=new_id(), severity=3, delivery_id=new_id())

    message = said(mild, others=(FACTS,))

    assert (message.title, message.severity, message.can_accept) == ("2 anomalies wait", 1, False)
    assert [item.text for item in message.items] == ["‼ Line 3 · Press 7: Machine", "• Line 3 · Press 7: Machine"]
    assert message.items[0].url.endswith(str(FACTS.anomaly_id))
    assert message.body.splitlines() == [item.text for item in message.items]


def test_of_one_anomaly_there_is_one_line():
    again = replace(FACTS, delivery_id=new_id(), rung=1)

    assert said(others=(again,)).items == ()
    assert len(said(others=(again, replace(FACTS, anomaly_id=new_id()))).items) == 2


def test_what_is_beyond_a_screenful_is_counted():
    others = tuple(replace(FACTS, anomaly_id=UUID(int=n)) for n in range(DIGEST + 4))

    assert said(others=others).items[-1].text == "and 5 more"
