"""Group robots against stand-ins that check signature, limits and form as their documentation has it."""

import re

import pytest

from app.channels import outbound, robot
from app.channels.base import Item, Undeliverable
from app.channels.dingtalk import DingTalk
from app.channels.feishu import Feishu
from app.channels.limits import SILENCED
from app.channels.targets import BadRobot, BadSecret, Robots, check_robot
from app.channels.wecom import WeCom
from tests.channels import provider
from tests.channels.letters import message
from tests.channels.provider import Provider

SECRET = "SEC0123456789abcdef"
KINDS = {
    "wecom": (WeCom, provider.wecom, "/cgi-bin/webhook/send?key=a-key", ""),
    "dingtalk": (DingTalk, provider.dingtalk(SECRET), "/robot/send?access_token=a-token", SECRET),
    "feishu": (Feishu, provider.feishu(SECRET), "/open-apis/bot/v2/hook/a-token", SECRET),
}
URL = message().url


class Group:
    """A robot in a group, and the service behind it."""

    def __init__(self, kind: str, service: Provider) -> None:
        self.kind, self.service = kind, service
        make, _, self.path, secret = KINDS[kind]
        self.channel = make(Robots.of([service.place]))
        self.target = {"url": service.url + self.path, "secret": secret}

    async def hears(self, **changes: object) -> dict[str, object]:
        await self.channel.send(message(**changes), self.target)
        return self.service.asked[-1].json


@pytest.fixture(params=KINDS)
async def group(request):
    async with Provider(KINDS[request.param][1]) as service:
        group = Group(request.param, service)
        yield group
        await group.channel.close()


async def test_a_group_hears_what_where_and_a_link_that_accepts_nothing(group):
    said = await group.hears()

    text = str(said)
    assert "Press 7 停线" in text
    assert "Overheating. Li Wei called." in text
    assert URL in text
    assert "one-time-token" not in text


async def test_many_calls_are_one_message_with_a_link_for_each(group):
    items = tuple(Item(f"! Line 3 · Press {n}: Machine", f"https://pullcord.example/anomalies/{n}") for n in range(20))

    said = str(await group.hears(items=items, body="\n".join(item.text for item in items), can_accept=False))

    assert len(group.service.asked) == 1
    assert all(item.url in said for item in items)


async def test_a_novel_is_cut_and_still_taken(group):
    items = tuple(Item("热" * 40, f"https://pullcord.example/anomalies/{n:036}") for n in range(21))

    await group.hears(title="热" * 100, body="热" * 20_000)
    await group.hears(title="热" * 100, items=items)
    await group.hears(title="热" * 100, body="热" * 20_000, everybody=True)

    assert len(group.service.asked) == 3


async def test_what_people_typed_makes_no_link_and_calls_nobody(group):
    said = await group.hears(body="[tap](http://evil.example) <@all> **x** <at id=all></at>")

    if group.kind == "feishu":  # shown as plain text there
        assert said["card"]["elements"][0]["text"]["tag"] == "plain_text"
    else:
        assert "](http://evil" not in str(said)
        assert "<@all>" not in str(said)


async def test_from_the_second_rung_on_everybody_in_the_group_is_woken(group):
    quiet, loud = str(await group.hears()), str(await group.hears(everybody=True))

    called = re.compile(r"'@all'|'isAtAll': True|<at id=all>")
    assert not called.search(quiet)
    assert called.search(loud)


async def test_a_wrong_token_or_secret_is_said_in_a_sentence_and_nothing_is_thrown_away(group):
    wrong = {"url": group.service.url + group.path.replace("a-token", "other").replace("a-key", "other")}

    for target in (wrong | {"secret": group.target["secret"]}, group.target | {"secret": "SECwrong"}):
        if group.kind == "wecom" and target["url"] == group.target["url"]:
            continue  # it has no secret
        with pytest.raises(Undeliverable) as caught:
            await group.channel.send(message(), target)
        assert caught.value.reason == robot.TOKEN
        assert caught.value.retry_after == SILENCED
        assert not caught.value.gone
        assert caught.value.said


@pytest.mark.parametrize(
    ("kind", "answer", "reason", "again"),
    [
        ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, robot.LIMIT, SILENCED),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, robot.LIMIT, SILENCED),
        ("feishu", {"code": 11232, "msg": "frequency limited psm"}, robot.LIMIT, SILENCED),
        ("wecom", {"errcode": 40058, "errmsg": "invalid"}, robot.REFUSED, None),
        ("feishu", {"code": 9499, "msg": "Bad Request"}, robot.REFUSED, None),
        ("dingtalk", {"errcode": -1, "errmsg": "system busy"}, robot.BUSY, 5),
    ],
)
async def test_every_answer_has_its_meaning(kind, answer, reason, again):
    async with Provider(KINDS[kind][1]) as service:
        group = Group(kind, service)
        service.answers.append((200, answer, {}))

        with pytest.raises(Undeliverable) as caught:
            await group.hears()
        await group.channel.close()

    assert (caught.value.reason, caught.value.retry_after, caught.value.gone) == (reason, again, False)


@pytest.mark.parametrize(("status", "reason"), [(429, robot.LIMIT), (502, robot.BUSY), (302, robot.REFUSED)])
async def test_a_status_has_its_meaning_too(group, status, reason):
    group.service.answers.append((status, "<html>no JSON at all", {"Location": "http://127.0.0.1:9/"}))

    with pytest.raises(Undeliverable) as caught:
        await group.hears()

    assert caught.value.reason == reason
    assert len(group.service.asked) == 1


async def test_a_service_that_is_away_is_tried_again(group):
    await group.service.__aexit__()

    with pytest.raises(Undeliverable) as caught:
        await group.hears()

    assert (caught.value.reason, caught.value.retry_after) == (outbound.UNREACHABLE, 5)


async def test_a_robot_anywhere_else_is_never_called(group):
    elsewhere = type(group.channel)(Robots.of([]))

    with pytest.raises(Undeliverable) as caught:
        await elsewhere.send(message(), group.target)

    assert caught.value.reason == robot.NOT_ALLOWED
    assert group.service.asked == []


async def test_neither_tokens_nor_secrets_reach_the_log(group, capsys):
    group.service.answers.append((500, "", {}))
    with pytest.raises(Undeliverable):
        await group.hears()

    said = capsys.readouterr().out
    assert "refused" in said
    assert not any(secret in said for secret in ("a-key", "a-token", SECRET, "one-time-token"))


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6"),
        ("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=abc"),
        ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/abc"),
        ("feishu", "https://open.larksuite.com/open-apis/bot/v2/hook/abc"),
    ],
)
def test_what_the_robot_s_page_shows_is_taken(kind, url):
    assert check_robot(kind, f" {url} ", "SECabc", Robots.of([])) == {"url": url, "secret": "SECabc"}


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("wecom", ""),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"),
        ("wecom", "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1"),
        ("wecom", "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=1"),
        ("wecom", "https://127.0.0.1/cgi-bin/webhook/send?key=1"),
        ("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token="),
        ("dingtalk", "https://oapi.dingtalk.com/gettoken?access_token=1"),
        ("dingtalk", "https://user@oapi.dingtalk.com/robot/send?access_token=1"),
        ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/"),
        ("feishu", "https://open.feishu.cn/other"),
    ],
)
def test_another_address_is_refused(kind, url):
    with pytest.raises(BadRobot):
        check_robot(kind, url, "SECabc", Robots.of([]))


def test_a_dingtalk_secret_begins_with_sec():
    with pytest.raises(BadSecret):
        check_robot("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=1", "abc", Robots.of([]))
