"""Tencent Cloud: a text message (SendSms) or a call that reads a text (SendTtsVoice), signed with TC3-HMAC-SHA256.

https://cloud.tencent.com/document/api/382/52072. Both take only texts of a template that was approved before, with
holes; ours has one, `{1}`.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from app.channels.outbound import Answer

VERSIONS: Final = {"sms": "2021-01-11", "vms": "2020-09-02"}
HOLE: Final = 35  # characters; what is longer is refused for many templates

ACCOUNT: Final = (
    "AuthFailure",
    "UnauthorizedOperation",
    "FailedOperation.InsufficientBalance",
    "FailedOperation.Template",
)
LATER: Final = ("LimitExceeded", "RequestLimitExceeded", "InternalError", "FailedOperation.FailResolvePacket")
NUMBER: Final = ("InvalidParameterValue.IncorrectPhoneNumber", "FailedOperation.PhoneNumberInBlacklist")
NUMBERS: Final = (*NUMBER, "InvalidParameterValue.CalledNumber")


def sms(number: str, text: str, options: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return action and body of a text message."""
    given = {"PhoneNumberSet": [number], "SmsSdkAppId": options["app"], "SignName": options["sign"]}
    return "SendSms", given | {"TemplateId": options["template"], "TemplateParamSet": [text[:HOLE]]}


def call(number: str, text: str, options: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return action and body of a call. It is read twice."""
    given = {"CalledNumber": number, "VoiceSdkAppid": options["app"], "TemplateId": options["template"]}
    return "SendTtsVoice", given | {"TemplateParamSet": [text[:HOLE]], "PlayTimes": 2}


def request(
    action: str, body: bytes, *, service: str, host: str, key: str, secret: str, now: datetime, region: str
) -> dict[str, str]:
    """Return the headers of a signed request."""
    kind, moment = "application/json; charset=utf-8", int(now.timestamp())
    day = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
    signed = "content-type;host"
    canonical = f"POST\n/\n\ncontent-type:{kind}\nhost:{host}\n\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    proof = f"TC3{secret}".encode()
    for step in (day, service, "tc3_request"):
        proof = hmac.new(proof, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(proof, text.encode(), hashlib.sha256).hexdigest()
    return {
        "Authorization": f"TC3-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={signature}",
        "Content-Type": kind,
        "Host": host,
        "X-TC-Action": action,
        "X-TC-Timestamp": str(moment),
        "X-TC-Version": VERSIONS.get(service, ""),
        "X-TC-Region": region,
    }


def verdict(answer: Answer) -> tuple[str, str]:
    """Return what became of it (ok, later, account, number, refused), and the service's own words."""
    said = _response(answer.body)
    status = (said.get("SendStatusSet") or [{}])[0]
    error = said.get("Error") or ({} if status.get("Code", "Ok") == "Ok" else status)
    code, words = str(error.get("Code", "")), str(error.get("Message", ""))
    if answer.status == 200 and said and not code:
        return "ok", ""
    for meaning, codes in (("later", LATER), ("account", ACCOUNT), ("number", NUMBERS)):
        if code.startswith(codes):
            return meaning, words
    return ("later" if answer.status >= 500 or answer.status == 429 else "refused"), words


def _response(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)["Response"]
    except (ValueError, KeyError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}
