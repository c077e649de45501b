"""What is true of every channel."""

import re
import sys

import pytest
from pydantic import SecretStr

from app.channels.base import CHECKLIST
from app.channels.hosts import BadPushSetting
from app.channels.log import Log
from app.channels.mailserver import BadMailSetting
from app.channels.registry import CHANNELS, build_channels
from app.channels.stream import Stream
from app.settings import Settings
from tests.channels.letters import message


def settings(tmp_path, **changes: object) -> Settings:
    return Settings(data_dir=tmp_path, push_contact="mailto:andon@plant.example", **changes)


@pytest.mark.parametrize("kind", CHANNELS)
def test_every_channel_starts_with_its_checklist(kind, tmp_path):
    """A row nobody thought of is how a channel loses calls: write done, todo (why) or exempt (why)."""
    module = sys.modules[type(build_channels(settings(tmp_path))[kind]).__module__]

    rows = dict(re.findall(r"^([a-z-]+): (.+)$", module.__doc__ or "", re.MULTILINE))

    assert tuple(rows) == CHECKLIST
    for row, state in rows.items():
        assert re.fullmatch(r"done|(todo|exempt) \(.{10,}\)", state), f"{kind}: {row}: {state}"


async def test_every_channel_has_its_own_kind_and_can_be_closed_twice(tmp_path):
    channels = build_channels(settings(tmp_path))

    for kind, channel in channels.items():
        assert channel.kind == kind
        await channel.close()
        await channel.close()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"push_hosts": ["*"]}, BadPushSetting),
        ({"push_contact": "mailto:root@localhost"}, BadPushSetting),
        ({"push_trust": "nowhere.pem"}, BadPushSetting),
        ({"smtp_url": SecretStr("mail.plant.example")}, BadMailSetting),
    ],
)
def test_a_wrong_setting_stops_the_start_in_a_sentence(tmp_path, wrong, error):
    with pytest.raises(error, match="Pullcord did not start"):
        build_channels(settings(tmp_path).model_copy(update=wrong))


async def test_the_log_tells_the_call_and_keeps_the_token(capsys):
    await Log().send(message(), {})

    said = capsys.readouterr().out
    assert "Press 7" in said
    assert "one-time-token" not in said


async def test_the_stream_has_nothing_to_send():
    await Stream().send(message(), {})
