"""ntfy against a server that reads JSON as the real one does."""

import pytest
from pydantic import SecretStr

from app.channels import ntfy
from app.channels.base import Changing, Undeliverable
from app.channels.hosts import BadPushSetting
from app.channels.ntfy import Ntfy
from app.channels.personal import BadTopic, checked_topic
from app.settings import Settings
from tests.channels.letters import ANOMALY, message
from tests.channels.provider import Asked, Provider

TOPIC = {"topic": "wang-lei-7f3k9x"}


def server(asked: Asked) -> tuple[int, object]:
    """https://docs.ntfy.sh/publish/#publish-as-json"""
    said = asked.json
    if asked.path != "/" or not said.get("topic") or said.get("priority") not in (1, 2, 3, 4, 5):
        return 400, {"code": 40001, "http": 400, "error": "invalid request"}
    if asked.headers.get("Authorization", "Bearer tk_right") != "Bearer tk_right":
        return 401, {"code": 40101, "http": 401, "error": "unauthorized"}
    return 200, {"id": "Mc2sBrgyDgWY", "event": "message", "topic": said["topic"]}


@pytest.fixture
async def service():
    async with Provider(server) as service:
        yield service


def channel(service: Provider, token: str = "") -> Ntfy:
    url = f"http://{token}{service.place}"
    return Ntfy.from_settings(Settings(_env_file=None, ntfy_url=SecretStr(url)))


async def test_a_phone_rings_and_touching_it_opens_the_page(service):
    ring = channel(service, "tk_right@")
    receipt = await ring.send(message(), TOPIC)
    await ring.close()

    said = service.asked[0].json
    assert (said["topic"], said["title"], said["priority"]) == ("wang-lei-7f3k9x", "[!!] Press 7 停线", 5)
    assert said["click"] == message().url
    assert [action["action"] for action in said["actions"]] == ["view"]
    assert "one-time-token" not in service.asked[0].body.decode()
    assert receipt == {"sequence": ANOMALY}


async def test_newer_news_takes_the_place_of_older_and_makes_no_sound(service):
    ring = channel(service)
    assert isinstance(ring, Changing)
    receipt = await ring.send(message(), TOPIC)
    await ring.change(message(title="✓ Wang Lei has it"), TOPIC, receipt)
    await ring.close()

    first, second = (asked.json for asked in service.asked)
    assert first["sequence_id"] == second["sequence_id"]
    assert (second["title"], second["priority"]) == ("✓ Wang Lei has it", 1)


async def test_a_wrong_token_is_said_so(service):
    ring = channel(service, "tk_wrong@")
    with pytest.raises(Undeliverable) as caught:
        await ring.send(message(), TOPIC)
    await ring.close()

    assert (caught.value.reason, caught.value.retry_after) == (ntfy.NO_LOGIN, None)


@pytest.mark.parametrize(
    ("status", "reason", "again"), [(429, ntfy.BUSY, 17), (500, ntfy.BUSY, 17), (400, ntfy.REFUSED, None)]
)
async def test_every_answer_has_its_meaning(service, status, reason, again):
    service.answers.append((status, {"code": status}, {"Retry-After": "17"}))
    ring = channel(service)

    with pytest.raises(Undeliverable) as caught:
        await ring.send(message(), TOPIC)
    await ring.close()

    assert (caught.value.reason, caught.value.retry_after) == (reason, again)


async def test_without_a_server_one_sentence_says_so():
    with pytest.raises(Undeliverable) as caught:
        await Ntfy(None).send(message(), TOPIC)

    assert "ntfy_url" in caught.value.reason


async def test_what_is_no_topic_is_forgotten(service):
    with pytest.raises(Undeliverable) as caught:
        await channel(service).send(message(), {"topic": "../x"})

    assert caught.value.gone
    assert service.asked == []


def test_a_setting_that_names_no_server_stops_the_start():
    with pytest.raises(BadPushSetting, match="ntfy_url"):
        Ntfy.from_settings(Settings(_env_file=None, ntfy_url=SecretStr("ntfy.example.com")))


def test_a_topic_may_come_with_its_server():
    assert checked_topic(" https://ntfy.example.com/wang-lei-7f3k9x/ ") == "wang-lei-7f3k9x"


@pytest.mark.parametrize("topic", ["", "short", "with space in it", "热热热热热热热热热", "a" * 65])
def test_a_topic_anybody_guesses_is_refused(topic):
    with pytest.raises(BadTopic):
        checked_topic(topic)
