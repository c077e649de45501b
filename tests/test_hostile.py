"""What bad input gets: a sentence with a stable code in the language of the reader, and nothing stored by half.

Each test sends its whole collection to one plant: what is refused must leave no trace, so that the next
one finds it as it was.
"""

import io
import json
import struct
import zlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.anomaly.models import Anomaly, Attachment, Event, Occurrence
from app.dispatch.models import Delivery
from app.kit.ids import new_id
from app.people.models import Address, Login
from tests.factories import RETIRED, code_of, report_key
from tests.pictures import jpeg
from tests.push.phone import Phone

TABLES = (Anomaly, Occurrence, Event, Attachment, Delivery, Address, Login)
FORM = {"content-type": "application/x-www-form-urlencoded"}
HUGE = "9" * 30
LONG = "x" * 50_000


@dataclass(frozen=True)
class Bad:
    """A request that cannot be meant, and the codes it may be answered with."""

    path: str
    codes: str
    by: str = ""
    method: str = "POST"
    sent: dict[str, Any] = field(default_factory=dict)


def form(path: str, codes: str, by: str = "", **fields: Any) -> Bad:
    return Bad(path, codes, by, sent={"data": fields})


def raw(path: str, codes: str, body: bytes, by: str = "", **headers: str) -> Bad:
    return Bad(path, codes, by, sent={"content": body, "headers": FORM | headers})


def look(path: str, codes: str, by: str = "") -> Bad:
    return Bad(path, codes, by, method="GET")


def upload(
    path: str, codes: str, name: str, body: bytes, kind: str = "image/jpeg", by: str = "", what: str = "photo"
) -> Bad:
    return Bad(path, codes, by, sent={"files": {what: (name, body, kind)}, "data": {"id": report_key()}})


async def test_what_is_sent_to_a_station(plant):
    report = f"/s/{code_of('Press 7')}/reports"
    me_too = f"/s/{code_of('Press 7')}/me-too"

    await all_refused(
        plant,
        form("/s/ZZZZ/reports", "capture.unknown_station", category="machine"),
        form(f"/s/{RETIRED}/reports", "capture.unknown_station", category="machine"),
        form("/s/!!!!/reports", "plant.bad_code", category="machine"),
        form(f"/s/{'7' * 500}/reports", "plant.bad_code", category="machine"),
        form("/s/机机机机/reports", "plant.bad_code", category="machine"),
        look("/s/ZZZZ", "capture.unknown_station"),
        look(f"/s/{RETIRED}", "capture.unknown_station"),
        look("/s/x", "plant.bad_code"),
        form(report, "capture.unknown_category"),
        form(report, "capture.unknown_category", category="weather"),
        form(report, "capture.unknown_category pullcord.too_long", category=LONG),
        form(report, "pullcord.too_long", category="machine", message=LONG),
        form(report, "pullcord.too_long", category="machine", symptom=LONG),
        form(report, "pullcord.bad_input", category="machine", message="a\x00b"),
        form(report, "pullcord.bad_input", category="\x00"),
        form(report, "pullcord.bad_input", category="machine", key="no id"),
        form(report, "pullcord.bad_input", category="machine", key=HUGE),
        form(report, "pullcord.bad_input", category="machine", captured_at="yesterday"),
        form(report, "pullcord.bad_input", category="machine", captured_at="0001-01-01T00:00:00+14:00"),
        form(report, "pullcord.bad_input", category="machine", captured_at=HUGE),
        raw(report, "pullcord.bad_input", b"category=machine&message=%ff%fe"),
        raw(report, "pullcord.bad_input", b"category=machine&message=%00"),
        raw(report, "capture.unknown_category pullcord.bad_input", b"&" * 100_000),
        raw(report, "capture.unknown_category pullcord.bad_input", b"a=1&" * 20_000),
        raw(report, "capture.unknown_category pullcord.bad_input", bytes(range(256)) * 40),
        Bad(report, "capture.unknown_category pullcord.bad_input", sent={"json": {"category": "machine"}}),
        Bad(report, "capture.unknown_category pullcord.bad_input", sent={"json": [1, 2, 3]}),
        Bad(report, "pullcord.bad_input pullcord.not_found", method="PUT"),
        Bad(report, "pullcord.bad_input pullcord.not_found", method="DELETE"),
        form(me_too, "pullcord.bad_input", anomaly="no id"),
        form(me_too, "pullcord.bad_input"),
        form(me_too, "capture.unknown_anomaly", anomaly=str(new_id())),
        form("/s/ZZZZ/me-too", "capture.unknown_station", anomaly=str(new_id())),
    )


async def test_what_is_sent_to_a_receipt(plant):
    report = await plant.worker_reports("Press 7")
    nobodys = f"/r/{new_id()}"

    await all_refused(
        plant,
        look(nobodys, "capture.no_such_report"),
        look(f"{nobodys}/status", "capture.no_such_report"),
        look(f"/r/{HUGE}", "pullcord.not_found"),
        look("/r/", "pullcord.not_found"),
        form(f"{nobodys}/details", "capture.no_such_report", text="It rattles"),
        form(f"{nobodys}/recall", "capture.no_such_report pullcord.not_found"),
        form(f"{nobodys}/confirmation", "capture.no_such_report pullcord.not_found", works="yes"),
        form(f"{report.receipt}/confirmation", "anomaly.not_allowed_now", works="yes"),
        form(f"{report.receipt}/details", "pullcord.too_long", text=LONG),
        form(f"{report.receipt}/details", "pullcord.bad_input", text="\x00"),
        raw(f"{report.receipt}/details", "pullcord.bad_input", b"text=%c3%28"),
        upload(f"{nobodys}/photos", "capture.no_such_report", "photo.jpg", jpeg()),
    )


async def test_what_is_sent_as_a_photo(plant):
    photos = f"{(await plant.worker_reports('Press 7')).receipt}/photos"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

    await all_refused(
        plant,
        upload(photos, "capture.photo_not_a_picture", "photo.jpg", svg),
        upload(photos, "capture.photo_not_a_picture", "photo.jpg", b""),
        upload(
            photos, "capture.photo_not_a_picture capture.photo_broken", "photo.jpg", b"\xff\xd8\xff\xe0" + bytes(99)
        ),
        upload(photos, "capture.photo_broken", "photo.jpg", jpeg()[:-80]),
        upload(photos, "capture.photo_not_a_picture", "photo.jpg", b"<html><script>alert(1)</script></html>"),
        upload(photos, "capture.photo_too_large", "photo.png", png_of(20_000, 10_000), "image/png"),
        upload(photos, "capture.photo_not_a_picture", "../../../etc/passwd", b"root:x:0:0"),
        upload(photos, "pullcord.too_large", "photo.jpg", jpeg() + b"\x00" * 30_000_000),
        Bad(photos, "pullcord.bad_input", sent={"data": {"photo": "no file"}}),
        Bad(photos, "pullcord.bad_input", sent={"files": {"other": ("a.jpg", jpeg(), "image/jpeg")}}),
        Bad(photos, "pullcord.bad_input", sent={"content": b"--x", "headers": {"content-type": "multipart/form-data"}}),
        Bad(photos, "pullcord.bad_input", sent={"content": cut_off(), "headers": MULTIPART}),
        Bad(photos, "pullcord.bad_input", sent={"json": {"photo": "x"}}),
        Bad(photos, "pullcord.bad_input", sent={"files": {"photo": ("a.jpg", jpeg())}, "data": {"id": HUGE}}),
    )


async def test_what_is_sent_as_a_voice_note(plant):
    voices = f"{(await plant.worker_reports('Press 7')).receipt}/voices"

    def voice(codes: str, body: bytes, kind: str = "audio/webm") -> Bad:
        return upload(voices, codes, "voice.webm", body, kind, what="voice")

    await all_refused(
        plant,
        voice("capture.voice_unreadable", b"this is no sound"),
        voice("capture.voice_unreadable", b""),
        voice("capture.voice_unreadable", jpeg()),
        voice("capture.voice_unreadable", b"\x1aE\xdf\xa3" + b"\x00" * 2000),
        voice("pullcord.too_large", b"\x1aE\xdf\xa3" + b"\x00" * 30_000_000),
    )


async def test_what_is_sent_to_an_anomaly(plant):
    report = await plant.worker_reports("Press 7")
    here, nowhere, lead = f"/anomalies/{report.anomaly}", f"/anomalies/{new_id()}", "Wang Lei"
    buttons = ("acceptance", "arrival", "containment", "hold/end", "release", "verification", "send-back")

    await all_refused(
        plant,
        look(nowhere, "pullcord.not_found", lead),
        look(f"/anomalies/{HUGE}", "pullcord.not_found", lead),
        look(here, "people.login_needed"),
        *(form(f"{nowhere}/{button}", "pullcord.not_found", lead) for button in buttons),
        *(form(f"{here}/{button}", "people.login_needed") for button in buttons),
        form(f"{here}/severity", "pullcord.bad_input", lead, severity=HUGE),
        form(f"{here}/severity", "pullcord.bad_input", lead, severity="1.5"),
        form(f"{here}/merge", "pullcord.not_found pullcord.bad_input", lead, number=HUGE),
        form(f"{here}/merge", "pullcord.not_found pullcord.bad_input", lead, number="-1"),
        form(f"{here}/merge", "pullcord.not_found pullcord.bad_input", lead, number=str(2**63)),
        form(f"{here}/merge", "pullcord.bad_input", lead),
        form(f"{here}/split", "pullcord.not_found", lead, occurrence=HUGE),
        form(f"{here}/split", "pullcord.not_found", lead, occurrence=str(new_id())),
        form(f"{here}/cancellation", "pullcord.bad_input", lead, reason="; DROP TABLE anomaly"),
        form(f"{here}/cancellation", "pullcord.too_long", lead, reason=LONG),
        form(f"{here}/hold", "anomaly.not_allowed_now pullcord.not_allowed", lead, reason="x", minutes=HUGE),
        form(f"{here}/hand-over", "pullcord.bad_input", lead, person_id="me"),
        form(f"{here}/hand-over", "anomaly.not_allowed_now", lead, person_id=str(new_id())),
        form(f"{here}/resolution", "anomaly.not_allowed_now pullcord.not_allowed", lead, fix="x"),
        form(f"{here}/resolution", "pullcord.too_long", lead, fix=LONG),
        upload(f"{nowhere}/photos", "pullcord.not_found", "a.jpg", jpeg(), by=lead),
    )


async def test_a_hold_of_nine_hundred_octillion_minutes_is_a_month(plant):
    report = await plant.worker_reports("Press 7")
    await plant.accepts("Li Wei", report.anomaly)

    answer = await plant.does("Li Wei", "hold", report.anomaly, reason="Waiting", minutes=HUGE)

    assert answer.status_code in (303, 400)
    assert (await plant.card(report.anomaly)).held == (answer.status_code == 303)


async def test_words_as_long_as_allowed_fit_everywhere(plant):
    """What passes the form must fit its column: PostgreSQL minds, and SQLite does not."""
    longest = "机" * 4000
    report = await plant.worker_reports("Press 7", message=longest, symptom=longest[:80])
    await plant.accepts("Li Wei", report.anomaly)
    answers = [
        await plant.posts(f"{report.receipt}/details", {"text": longest, "symptom": longest}),
        await plant.does("Li Wei", "hold", report.anomaly, reason=longest, minutes="5"),
        await plant.resolves("Li Wei", report.anomaly, cause=longest, fix=longest),
        await plant.does("Wang Lei", "send-back", report.anomaly, reason=longest),
        await plant.posts("/login", {"name": longest, "pin": longest}),
    ]

    assert all(answer.status_code < 500 for answer in answers), [a.text for a in answers if a.status_code >= 500]


async def test_what_a_phone_says_of_itself(plant):
    keys = Phone(plant.push).subscribe(None)["keys"]

    def subscription(codes: str, endpoint: object, **more: Any) -> Bad:
        sent = {"kind": "webpush", "label": "x", "subscription": {"endpoint": endpoint, "keys": keys} | more}
        return Bad("/addresses", codes, "Wang Lei", sent={"json": sent})

    stranger, bad = "channels.unknown_push_service", "channels.bad_subscription"
    await all_refused(
        plant,
        subscription(stranger, "https://127.0.0.1/push"),
        subscription(stranger, "https://localhost/push"),
        subscription(stranger, "http://127.0.0.1:8000/anomalies"),
        subscription(stranger, "https://[::1]/push"),
        subscription(stranger, "https://169.254.169.254/latest/meta-data"),
        subscription(stranger, "https://2130706433/push"),
        subscription(stranger, "https://evil.example/fcm.googleapis.com"),
        subscription(stranger, "https://fcm.googleapis.com.evil.example/x"),
        subscription(stranger, "https://fcm.googleapis.com@evil.example/x"),
        subscription(stranger, "https://fcm.googleapis.com:22/x"),
        subscription(f"{stranger} {bad}", "file:///etc/passwd"),
        subscription(f"{stranger} {bad}", "https://fcm.googleapis.com\\@evil.example/x"),
        subscription(bad, ""),
        subscription(bad, None),
        subscription(bad, 7),
        subscription(bad, "https://fcm.googleapis.com/" + LONG),
        subscription(bad, "https://fcm.googleapis.com/x", keys={}),
        subscription(bad, "https://fcm.googleapis.com/x", keys={"p256dh": "AAAA", "auth": "AAAA"}),
        Bad(
            "/addresses",
            "pullcord.bad_input channels.bad_subscription",
            "Wang Lei",
            sent={"content": deep_inside(), "headers": JSON},
        ),
        Bad("/addresses", "people.login_needed", sent={"json": {"kind": "webpush", "subscription": {}}}),
    )


async def test_what_is_sent_at_the_change_of_shifts(plant):
    key, nobody = new_id(), new_id()
    await all_refused(
        plant,
        form("/duty/presence", "people.login_needed"),
        form("/duty/presence", "rosters.no_shift", by="Wang Lei"),
        form("/duty/presence/end", "rosters.no_shift", by="Wang Lei"),
        form(f"/deliveries/{nobody}/presence", "dispatch.bad_token", token="x"),
        form(f"/deliveries/{HUGE}/presence", "pullcord.not_found", token="x"),
        form("/handover", "people.login_needed", key=key),
        form("/handover", "pullcord.bad_input", by="Wang Lei"),
        form("/handover", "pullcord.bad_input", by="Wang Lei", key=HUGE),
        form("/handover", "pullcord.too_long", by="Wang Lei", key=key, text=LONG),
        form("/handover", "pullcord.bad_input", by="Wang Lei", key=key, text="a\x00b"),
        form("/handover", "pullcord.not_found", by="Wang Lei", key=key, line=nobody),
        form("/handover", "pullcord.not_found", by="Wang Lei", key=key, line="' OR 1=1 --"),
        form(f"/handover/{nobody}/receipt", "pullcord.not_found", by="Wang Lei"),
        look(f"/handover/{nobody}", "pullcord.not_found", by="Wang Lei"),
        look("/handover/x", "pullcord.not_found", by="Wang Lei"),
    )


async def test_what_is_asked_for(plant):
    lead = "Wang Lei"
    await all_refused(
        plant,
        look(f"/d/{new_id()}?t=x", "dispatch.bad_token"),
        look("/d/x?t=x", "pullcord.not_found"),
        look(f"/files/{new_id()}/full", "pullcord.not_found"),
        look(f"/files/{HUGE}/full", "pullcord.not_found"),
        look("/files/../settings.py/full", "pullcord.not_found"),
        look("/static/../app/settings.py", "pullcord.not_found"),
        look("/static/%2e%2e/%2e%2e/pyproject.toml", "pullcord.not_found"),
        look("/static//etc/passwd", "pullcord.not_found"),
        look("/b/x", "people.unknown_badge"),
        look(f"/b/{LONG[:1900]}", "people.unknown_badge"),
        look("/scan/code?code=", "plant.bad_code"),
        look("/scan/code?code=%ff%fe", "plant.bad_code"),
        look(f"/scan/code?code={LONG[:4000]}", "plant.bad_code"),
        look("/labels", "people.login_needed"),
        look("/labels", "pullcord.not_allowed", "Li Wei"),
        look("/labels.pdf?line=x", "pullcord.bad_input", lead),
        look(f"/labels.pdf?line={HUGE}", "pullcord.bad_input", lead),
        form("/login", "pullcord.too_long", name=LONG, pin="1"),
        form("/login", "pullcord.too_long", name="Wang Lei", pin=LONG),
        form("/login", "pullcord.bad_input", name="\x00", pin="1"),
        Bad("/nowhere", "pullcord.not_found", sent={"content": b"\xff" * 1000}),
        upload("/scan", "capture.no_code_in_picture", "a.jpg", jpeg()),
        upload("/scan", "capture.photo_not_a_picture", "a.jpg", b"<svg/>"),
    )


async def test_addresses_that_cannot_be_meant_are_refused_at_the_door(plant):
    for path in ("/s/%00", "/s/7K3Q%00", f"/{LONG}", "/%ff%fe", "/s/7K3Q?x=%00"):
        answer = await plant.http.get(path)

        assert (answer.status_code, "pullcord." in answer.text) in ((400, True), (404, True)), path


async def test_bytes_no_browser_sends_in_a_form_are_taken_whole_or_not_at_all(plant):
    """Browsers escape everything beyond ASCII. What comes raw is read byte by byte, as the standard has it."""
    for said in (b"\xff\xfe", "机器".encode(), b"\xc3\x28"):
        path = f"/s/{code_of('Press 7')}/reports"
        answer = await plant.http.post(path, content=b"category=machine&message=" + said, headers=FORM)

        assert answer.status_code in (303, 400)


async def test_headers_nobody_can_mean(plant):
    strange: list[dict[str, Any]] = [
        {"cookie": b"pullcord_session=\xff\xfe"},
        {"cookie": b"pullcord_language=\xff; pullcord_theme=<script>; =;;;"},
        {"cookie": f"pullcord_session={LONG[:6000]}"},
        {"accept-language": b"\xff\xfe;q=nan,zh;q=-inf"},
        {"accept-language": "zh," * 2000},
        {"range": "bytes=9-1"},
        {"hx-request": "true", "hx-target": "'\"<>"},
        {"last-event-id": HUGE},
        {"accept": "\x7f"},
    ]
    for headers in strange:
        for path in ("/", f"/s/{code_of('Press 7')}", "/login", "/me"):
            answer = await plant.http.get(path, headers=headers)
            assert answer.status_code < 500, (path, headers)


async def all_refused(plant, *requests: Bad) -> None:
    """Send all of it; nothing may be stored, and each is told so in words, in both languages."""
    before, wrong = await traces(plant), {}
    for bad in requests:
        for lang in ("en", "zh"):
            told = await told_in(plant, bad, lang)
            if problem := what_is_wrong(told, bad, lang):
                wrong[f"{bad.method} {bad.path[:60]} {str(bad.sent)[:80]} ({lang})"] = problem
        plant.clock.time += timedelta(minutes=1)  # no limit is what refuses
    assert wrong == {}
    assert await traces(plant) == before


async def told_in(plant, bad: Bad, lang: str):
    headers = {"accept": "application/json", "accept-language": lang} | plant._as(bad.by) | bad.sent.get("headers", {})
    return await plant.http.request(bad.method, bad.path, **bad.sent | {"headers": headers})


def what_is_wrong(answer, bad: Bad, lang: str) -> str:
    if not 400 <= answer.status_code < 500:
        return f"{answer.status_code}: {answer.text[:200]}"
    try:
        said = answer.json()
    except json.JSONDecodeError:
        return f"no JSON: {answer.text[:200]}"
    if said.get("code") not in bad.codes.split():
        return f"{said.get('code')} instead of {bad.codes}"
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in said["text"])
    if chinese != (lang == "zh"):
        return f"not in {lang}: {said['text']}"
    return "" if len(said["text"]) > 20 else f"no sentence: {said['text']}"


async def traces(plant) -> tuple[object, ...]:
    rows = [len(await plant.all(table)) for table in TABLES]
    files = plant.settings.data_dir / "files"
    return *rows, sum(file.is_file() for file in files.rglob("*"))


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims to be very large: a few kilobytes that would be a gigabyte."""
    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, io.SEEK_END)
    line = zlib.compress(b"\x00" * 1_000_000)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for kind, body in ((b"IHDR", head), (b"IDAT", line), (b"IEND", b"")):
        out.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
    return out.getvalue()


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def deep_inside() -> bytes:
    return b'{"kind": "webpush", "subscription": {"endpoint": ' + nested(1000) + b"}}"


def cut_off() -> bytes:
    return b'--x\r\ncontent-disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n\xff\xd8'


MULTIPART = {"content-type": "multipart/form-data; boundary=x"}
JSON = {"content-type": "application/json"}
