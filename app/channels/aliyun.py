"""Alibaba Cloud: a text message (SendSms) or a call that reads a text (SingleCallByTts), signed as its V3 wants it.

https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature. Both take only texts of a template
that was approved before, with holes; ours has one, `title`.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from app.channels.outbound import Answer

VERSION: Final = "2017-05-25"  # of both services
HOLE: Final = 35  # characters a hole takes

ACCOUNT: Final = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "Forbidden",
    "isv.AMOUNT",
    "isv.OUT_OF_SERVICE",
    "isv.SMS_",
)
LATER: Final = ("isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isp.", "Throttling", "ServiceUnavailable")
NUMBER: Final = ("isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.INVALID_PARAMETERS")


def sms(number: str, text: str, options: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return action and parameters of a text message."""
    given = {"PhoneNumbers": local(number), "SignName": options["sign"], "TemplateCode": options["template"]}
    return "SendSms", given | {"TemplateParam": _hole(text)}


def call(number: str, text: str, options: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return action and parameters of a call. It is read twice."""
    given = {"CalledNumber": local(number), "TtsCode": options["template"], "TtsParam": _hole(text), "PlayTimes": "2"}
    return "SingleCallByTts", given | ({"CalledShowNumber": options["from"]} if options.get("from") else {})


def request(
    action: str, given: Mapping[str, str], *, host: str, key: str, secret: str, now: datetime, nonce: str = ""
) -> tuple[str, dict[str, str]]:
    """Return query and headers of a signed request with an empty body."""
    return _signed(action, given, host=host, key=key, secret=secret, now=now, version=VERSION, nonce=nonce)


def verdict(answer: Answer) -> tuple[str, str]:
    """Return what became of it (ok, later, account, number, refused), and the service's own words."""
    said: dict[str, Any] = _json(answer.body)
    code, words = str(said.get("Code", "")), str(said.get("Message", ""))
    if answer.status == 200 and code == "OK":
        return "ok", ""
    for meaning, codes in (("later", LATER), ("account", ACCOUNT), ("number", NUMBER)):
        if code.startswith(codes):
            return meaning, words
    return ("later" if answer.status >= 500 or answer.status == 429 else "refused"), words


def local(number: str) -> str:
    """Return a number as Aliyun wants it: Chinese ones without their country, others without the plus."""
    return number.removeprefix("+86") if number.startswith("+86") else number.removeprefix("+")


def _signed(
    action: str, given: Mapping[str, str], *, host: str, key: str, secret: str, now: datetime, version: str, nonce: str
) -> tuple[str, dict[str, str]]:
    query = "&".join(f"{_quoted(name)}={_quoted(given[name])}" for name in sorted(given))
    digest = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": digest,
        "x-acs-date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce or secrets.token_hex(16),
        "x-acs-version": version,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = "\n".join(["POST", "/", query, lines, names, digest])
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    proof = f"ACS3-HMAC-SHA256 Credential={key},SignedHeaders={names},Signature={signature}"
    return query, headers | {"Authorization": proof, "Accept": "application/json"}


def _hole(text: str) -> str:
    return json.dumps({"title": text[:HOLE]}, ensure_ascii=False)


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
