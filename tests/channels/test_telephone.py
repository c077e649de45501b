"""SMS and calls: signatures as the carriers' documentation computes them, and stand-ins that check them."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote

import pytest
from pydantic import SecretStr

from app.channels import aliyun, carrier, tencent
from app.channels.base import Undeliverable
from app.channels.carrier import BadCarrier
from app.channels.personal import BadNumber, checked_number
from app.channels.telephone import NO_NUMBER, Sms, Voice
from app.settings import Settings
from tests.channels.letters import message
from tests.channels.provider import Asked, Provider

TO = {"number": "+8613812345678"}
KEY, SECRET = "LTAI5t", "a/secret+with=signs"
ALIYUN_SMS = "aliyun://{key}:{secret}@{place}?sign=普拉绳&template=SMS_1"
ALIYUN_VOICE = "aliyun://{key}:{secret}@{place}?template=TTS_1&from=057112345678"
TENCENT_SMS = "tencent://{key}:{secret}@{place}?app=1400006666&sign=Pullcord&template=1110"
TENCENT_VOICE = "tencent://{key}:{secret}@{place}?app=1400006666&template=1111"


def aliyun_rules(asked: Asked) -> tuple[int, object]:
    """Check as https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature says."""
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    headers = {name.lower(): value for name, value in asked.headers.items()}
    query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(asked.query.items()))
    empty = hashlib.sha256(asked.body).hexdigest()
    lines = "".join(f"{name}:{headers[name]}\n" for name in names.split(";"))
    digest = hashlib.sha256(f"POST\n/\n{query}\n{lines}\n{names}\n{empty}".encode()).hexdigest()
    right = hmac.new(SECRET.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), hashlib.sha256).hexdigest()
    if headers["authorization"] != f"ACS3-HMAC-SHA256 Credential={KEY},SignedHeaders={names},Signature={right}":
        return 400, {"Code": "SignatureDoesNotMatch", "Message": "Specified signature does not match"}
    if headers["x-acs-version"] != "2017-05-25":
        return 404, {"Code": "InvalidVersion", "Message": ""}
    return 200, {"Code": "OK", "Message": "OK", "BizId": "9006"}


def tencent_rules(asked: Asked) -> tuple[int, object]:
    """Check as https://cloud.tencent.com/document/api/382/52072 says."""
    headers, action = asked.headers, asked.headers["X-TC-Action"]
    service = "sms" if action == "SendSms" else "vms"
    stamp = int(headers["X-TC-Timestamp"])
    day = datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d")
    signed = f"content-type:{headers['Content-Type']}\nhost:{headers['Host']}\n"
    digest = hashlib.sha256(asked.body).hexdigest()
    canonical = hashlib.sha256(f"POST\n/\n\n{signed}\ncontent-type;host\n{digest}".encode()).hexdigest()
    key = f"TC3{SECRET}".encode()
    for step in (day, service, "tc3_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    text = f"TC3-HMAC-SHA256\n{stamp}\n{day}/{service}/tc3_request\n{canonical}"
    right = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not headers["Authorization"].endswith(f"Signature={right}") or abs(stamp - asked.at) > 300:
        error = {"Code": "AuthFailure.SignatureFailure", "Message": "The provided credentials could not be validated"}
        return 200, {"Response": {"Error": error, "RequestId": "r"}}
    if service == "vms":
        return 200, {"Response": {"SendStatus": {"CallId": "c"}, "RequestId": "r"}}
    status = {"Code": "Ok", "Message": "send success", "PhoneNumber": asked.json["PhoneNumberSet"][0]}
    return 200, {"Response": {"SendStatusSet": [status], "RequestId": "r"}}


@pytest.fixture
async def ali():
    async with Provider(aliyun_rules) as service:
        yield service


@pytest.fixture
async def ten():
    async with Provider(tencent_rules) as service:
        yield service


def sms(url: str, service: Provider, secret: str = SECRET) -> Sms:
    url = url.format(key=KEY, secret=quote(secret, safe=""), place=service.place)
    return Sms.from_settings(Settings(_env_file=None, sms_url=SecretStr(url)))


def voice(url: str, service: Provider) -> Voice:
    url = url.format(key=KEY, secret=quote(SECRET, safe=""), place=service.place)
    return Voice.from_settings(Settings(_env_file=None, voice_url=SecretStr(url)))


async def test_aliyun_sends_a_text(ali):
    await sms(ALIYUN_SMS, ali).send(message(), TO)

    [asked] = ali.asked
    assert asked.headers["x-acs-action"] == "SendSms"
    assert (asked.query["PhoneNumbers"], asked.query["SignName"]) == ("13812345678", "普拉绳")
    assert json.loads(asked.query["TemplateParam"]) == {"title": "[!!] Press 7 停线"}


async def test_aliyun_calls(ali):
    await voice(ALIYUN_VOICE, ali).send(message(), {"number": "+4915112345678"})

    [asked] = ali.asked
    assert asked.headers["x-acs-action"] == "SingleCallByTts"
    assert (asked.query["CalledNumber"], asked.query["CalledShowNumber"]) == ("4915112345678", "057112345678")


async def test_tencent_sends_a_text(ten):
    await sms(TENCENT_SMS, ten).send(message(), TO)

    [asked] = ten.asked
    assert asked.headers["X-TC-Version"] == "2021-01-11"
    assert asked.json["PhoneNumberSet"] == ["+8613812345678"]
    assert asked.json["TemplateParamSet"] == ["[!!] Press 7 停线"]


async def test_tencent_calls(ten):
    await voice(TENCENT_VOICE, ten).send(message(), TO)

    [asked] = ten.asked
    assert (asked.headers["X-TC-Action"], asked.headers["X-TC-Version"]) == ("SendTtsVoice", "2020-09-02")
    assert (asked.json["CalledNumber"], asked.json["VoiceSdkAppid"]) == ("+8613812345678", "1400006666")


async def test_a_wrong_secret_is_said_to_be_one(ali, ten):
    for url, service in ((ALIYUN_SMS, ali), (TENCENT_SMS, ten)):
        with pytest.raises(Undeliverable) as caught:
            await sms(url, service, secret="wrong").send(message(), TO)
        assert (caught.value.reason, caught.value.retry_after, caught.value.gone) == (carrier.ACCOUNT, None, False)
        assert caught.value.said


@pytest.mark.parametrize(
    ("code", "reason", "again", "gone"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", carrier.BUSY, carrier.LATER, False),
        ("Throttling.User", carrier.BUSY, carrier.LATER, False),
        ("isv.AMOUNT_NOT_ENOUGH", carrier.ACCOUNT, None, False),
        ("isv.SMS_TEMPLATE_ILLEGAL", carrier.ACCOUNT, None, False),
        ("isv.MOBILE_NUMBER_ILLEGAL", carrier.NUMBER, None, True),
        ("isv.BLACK_KEY_CONTROL_LIMIT", carrier.REFUSED, None, False),
    ],
)
async def test_every_answer_of_aliyun_has_its_meaning(ali, code, reason, again, gone):
    ali.answers.append((200, {"Code": code, "Message": "…"}, {}))

    with pytest.raises(Undeliverable) as caught:
        await sms(ALIYUN_SMS, ali).send(message(), TO)

    assert (caught.value.reason, caught.value.retry_after, caught.value.gone) == (reason, again, gone)


@pytest.mark.parametrize(
    ("answer", "reason", "again", "gone"),
    [
        (
            {"SendStatusSet": [{"Code": "LimitExceeded.PhoneNumberThirtySecondLimit"}]},
            carrier.BUSY,
            carrier.LATER,
            False,
        ),
        ({"Error": {"Code": "RequestLimitExceeded"}}, carrier.BUSY, carrier.LATER, False),
        (
            {"SendStatusSet": [{"Code": "FailedOperation.InsufficientBalanceInSmsPackage"}]},
            carrier.ACCOUNT,
            None,
            False,
        ),
        ({"SendStatusSet": [{"Code": "InvalidParameterValue.IncorrectPhoneNumber"}]}, carrier.NUMBER, None, True),
        ({"Error": {"Code": "InvalidParameter"}}, carrier.REFUSED, None, False),
    ],
)
async def test_every_answer_of_tencent_has_its_meaning(ten, answer, reason, again, gone):
    ten.answers.append((200, {"Response": answer | {"RequestId": "r"}}, {}))

    with pytest.raises(Undeliverable) as caught:
        await sms(TENCENT_SMS, ten).send(message(), TO)

    assert (caught.value.reason, caught.value.retry_after, caught.value.gone) == (reason, again, gone)


async def test_a_carrier_with_a_fault_is_tried_again(ali, ten):
    for url, service in ((ALIYUN_SMS, ali), (TENCENT_SMS, ten)):
        service.answers.append((502, "<html>", {}))
        with pytest.raises(Undeliverable) as caught:
            await sms(url, service).send(message(), TO)
        assert caught.value.retry_after == carrier.LATER


async def test_twilio_comes_through_apprise(monkeypatch):
    from apprise.plugins.twilio import NotifyTwilio

    sid, token = "AC" + "1" * 32, "2" * 32

    def rules(asked: Asked) -> tuple[int, object]:
        said = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        right = asked.headers["Authorization"].startswith("Basic ") and said["To"] == "+8613812345678"
        return (201, {"sid": "SM1"}) if right else (401, {"code": 20003, "message": "Authenticate"})

    async with Provider(rules) as service:
        monkeypatch.setattr(NotifyTwilio, "notify_sms_url", service.url + "/{sid}/Messages.json")
        settings = Settings(_env_file=None, sms_url=SecretStr(f"twilio://{sid}:{token}@+15005550006/{{number}}"))
        await Sms.from_settings(settings).send(message(), TO)

        service.answers.append((500, {}, {}))
        with pytest.raises(Undeliverable) as caught:
            await Sms.from_settings(settings).send(message(), TO)

    assert "Press+7" in service.asked[0].body.decode()
    assert (caught.value.reason, caught.value.retry_after) == (carrier.REFUSED, carrier.LATER)


@pytest.mark.parametrize(
    "number", ["", "110", "13812345678", "+86138123456789012", "+86 138", None, "+8613812345678;x"]
)
async def test_what_is_no_number_is_forgotten(number):
    with pytest.raises(Undeliverable) as caught:
        await Sms(None).send(message(), {"number": number})

    assert (caught.value.reason, caught.value.gone) == (NO_NUMBER, True)


async def test_without_a_carrier_one_sentence_says_which_setting():
    for channel, setting in ((Sms(None), "sms_url"), (Voice(None), "voice_url")):
        with pytest.raises(Undeliverable) as caught:
            await channel.send(message(), TO)
        assert setting in caught.value.reason


@pytest.mark.parametrize(
    "url",
    [
        "twilio://sid:token@from/",
        "aliyun://key:secret@dysmsapi.aliyuncs.com?template=1",
        "aliyun://dysmsapi.aliyuncs.com?sign=a&template=1",
        "tencent://id:key@sms.tencentcloudapi.com?sign=a&template=1",
        "tencent://id:key@:x?app=1&sign=a&template=1",
        "+8613812345678",
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(url):
    with pytest.raises(BadCarrier, match="sms_url"):
        Sms.from_settings(Settings(_env_file=None, sms_url=SecretStr(url)))


def test_neither_keys_nor_secrets_are_shown():
    made = carrier.carrier(
        "aliyun://key:hidden@dysmsapi.aliyuncs.com?sign=a&template=1", setting="sms_url", voice=False
    )

    assert "hidden" not in repr(vars(made))


def test_the_signature_is_the_one_of_aliyun_s_own_example():
    _, headers = aliyun._signed(
        "RunInstances",
        {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"},
        host="ecs.cn-shanghai.aliyuncs.com",
        key="YourAccessKeyId",
        secret="YourAccessKeySecret",
        now=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        version="2014-05-26",
        nonce="3156853299f313e23d1673dc12e1703d",
    )

    assert headers["Authorization"].endswith("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")


def test_the_signature_is_the_one_of_tencent_s_own_example():
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'

    headers = tencent.request(
        "DescribeInstances",
        body,
        service="cvm",
        host="cvm.tencentcloudapi.com",
        key="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        now=datetime.fromtimestamp(1551113065, UTC),
        region="ap-guangzhou",
    )

    assert headers["Authorization"].endswith("72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("138 1234 5678", "+8613812345678"),
        ("+86 138-1234-5678", "+8613812345678"),
        ("0049 (151) 1234567", "+491511234567"),
    ],
)
def test_a_number_is_kept_as_networks_want_it(given, number):
    assert checked_number(given) == number


@pytest.mark.parametrize("given", ["", "110", "0571 8888 8888", "abc", "+0 123456789", "+86138123456781234567"])
def test_what_cannot_be_called_from_everywhere_is_refused(given):
    with pytest.raises(BadNumber, match="country"):
        checked_number(given)
