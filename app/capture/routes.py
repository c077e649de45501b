"""HTTP for the shop floor: the station page, the call, its receipt. No login, no JavaScript, no HTTPS needed.

Longer than most files because all doors of the shop floor are here, each a few lines.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect

from app.anomaly.lifecycle import STATUS_WORDS
from app.anomaly.models import Attachment
from app.anomaly.words import SEVERITY_WORDS
from app.capture import actions
from app.capture.actions import Stored
from app.capture.codes import find_station_code
from app.capture.intake import Received
from app.capture.media import shrink_photo
from app.capture.queries import station_page
from app.capture.receipt import Receipt, receipt
from app.capture.sources import phone
from app.capture.sources.phone import PhoneReport
from app.capture.voice import transcode_voice
from app.kit.errors import BadInput, NotFound
from app.kit.guard import Limit
from app.kit.http import AnyRequest, Db, Form, Now, TooLarge, page, see, wants_fragment, wants_json
from app.kit.ids import new_id
from app.kit.storage import Storage
from app.people.routes import Me, Staff
from app.plant import queries as plant
from app.plant.codes import normalise

Files = NamedDependency[Storage]
Reports = NamedDependency[Limit]
LARGEST_PHOTO = 30_000_000
LARGEST_VOICE = 10_000_000
REQUEST_LIMIT = 40_000_000


class ReportForm(Form):
    """One report. `key` is made by the phone (UUIDv7): the same key is the same report."""

    category: str = ""
    key: UUID | None = None
    captured_at: datetime | None = None
    message: str = ""
    symptom: str = ""
    line_stopped: str = ""
    danger: str = ""


class MeTooForm(Form):
    anomaly: UUID
    key: UUID | None = None


class DetailsForm(Form):
    line_stopped: str = ""
    danger: str = ""
    symptom: str = ""
    text: str = ""


class PhotoForm(msgspec.Struct):
    photo: UploadFile
    id: UUID | None = None


class VoiceForm(msgspec.Struct):
    voice: UploadFile
    id: UUID | None = None


class ScanForm(msgspec.Struct):
    photo: UploadFile


@get("/")
async def start(request: AnyRequest, db: Db, me: Me) -> Response[Any]:
    lines = await db.read(plant.lines)
    return page(request, "start/page.html", lines=lines)


@get("/s/{code:str}")
async def station(request: AnyRequest, code: FromPath[str], db: Db, me: Me) -> Response[Any]:
    return await _station(request, code, db, me)


@get("/S/{code:str}", include_in_schema=False)
async def labelled(request: AnyRequest, code: FromPath[str], db: Db, me: Me) -> Response[Any]:
    """What a label says: all in upper case, which makes a coarser QR code."""
    return await _station(request, code, db, me)


@post("/s/{code:str}/reports", status_code=303)
async def report(
    request: AnyRequest,
    code: FromPath[str],
    data: URLEncodedBody[ReportForm],
    db: Db,
    me: Me,
    now: Now,
    reports: Reports,
) -> Response[Any]:
    reports.take(_from(request, code), at=now.timestamp())
    sent = PhoneReport(
        key=data.key or new_id(),
        code=normalise(code),
        category=data.category,
        now=now,
        message=data.message.strip(),
        symptom=data.symptom,
        line_stopped=_yes(data.line_stopped),
        danger=_yes(data.danger),
        captured_at=_aware(data.captured_at),
        reporter_id=me.id if me else None,
    )
    return _received(request, await db.write_one_of_many(phone.door, sent))


@post("/s/{code:str}/me-too", status_code=303)
async def me_too(
    request: AnyRequest,
    code: FromPath[str],
    data: URLEncodedBody[MeTooForm],
    db: Db,
    me: Me,
    now: Now,
    reports: Reports,
) -> Response[Any]:
    reports.take(_from(request, code), at=now.timestamp())
    sent = PhoneReport(
        key=data.key or new_id(),
        code=normalise(code),
        category="",
        now=now,
        anomaly_id=data.anomaly,
        reporter_id=me.id if me else None,
    )
    return _received(request, await db.write_one_of_many(phone.door, sent))


@get("/r/{key:uuid}")
async def show_receipt(
    request: AnyRequest, key: FromPath[UUID], db: Db, me: Me, new: FromQuery[str] = ""
) -> Response[Any]:
    found = await db.read(receipt, key, viewer=me)
    return page(request, "report/receipt.html", fresh=bool(new), **_shown(found))


@get("/r/{key:uuid}/status")
async def receipt_status(request: AnyRequest, key: FromPath[UUID], db: Db, me: Me) -> Response[Any]:
    found = await db.read(receipt, key, viewer=me)
    return page(request, "report/_status.html", fresh=False, **_shown(found))


@post("/r/{key:uuid}/details", status_code=303)
async def add_details(
    request: AnyRequest, key: FromPath[UUID], data: URLEncodedBody[DetailsForm], db: Db, now: Now, reports: Reports
) -> Response[Any]:
    reports.take(f"r:{key}", at=now.timestamp())
    await db.write(
        actions.details,
        key,
        line_stopped=_yes(data.line_stopped),
        danger=_yes(data.danger),
        symptom=data.symptom,
        text=data.text,
        now=now,
    )
    return see(f"/r/{key}") if not wants_json(request) else Response({"key": str(key)}, status_code=200)


@post("/r/{key:uuid}/photos", status_code=303, request_max_body_size=REQUEST_LIMIT)
async def add_photo(
    request: AnyRequest,
    key: FromPath[UUID],
    data: Annotated[PhotoForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    db: Db,
    files: Files,
    now: Now,
    reports: Reports,
) -> Response[Any]:
    reports.take(f"r:{key}", at=now.timestamp())
    await db.read(actions.may_attach, key, "photo", data.id)
    stored = await store_photo(files, await _read(data.photo, LARGEST_PHOTO), data.id or new_id())
    kept = await db.write(actions.attach, key, stored, now=now)
    if wants_fragment(request) or wants_json(request):
        return page(request, "report/_photo.html", status=201, photo=_file(kept))
    return see(f"/r/{key}")


@post("/r/{key:uuid}/voices", status_code=303, request_max_body_size=REQUEST_LIMIT)
async def add_voice(
    request: AnyRequest,
    key: FromPath[UUID],
    data: Annotated[VoiceForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    db: Db,
    files: Files,
    now: Now,
    reports: Reports,
) -> Response[Any]:
    reports.take(f"r:{key}", at=now.timestamp())
    await db.read(actions.may_attach, key, "voice", data.id)
    raw = await _read(data.voice, LARGEST_VOICE)
    voice = await transcode_voice(raw)
    stored = Stored(
        id=data.id or new_id(),
        kind="voice",
        key=await files.put(voice.audio),
        media_type="audio/mp4",
        size=len(voice.audio),
        digest=hashlib.sha256(raw).hexdigest(),
        duration_ms=voice.milliseconds,
    )
    kept = await db.write(actions.attach, key, stored, now=now)
    if wants_fragment(request) or wants_json(request):
        return page(request, "report/_voice.html", status=201, voice=_file(kept))
    return see(f"/r/{key}")


@post("/anomalies/{anomaly_id:uuid}/photos", status_code=303, request_max_body_size=REQUEST_LIMIT)
async def add_photo_after(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: Annotated[PhotoForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    staff: Staff,
    db: Db,
    files: Files,
    now: Now,
) -> Response[Any]:
    await db.read(actions.may_attach_after, anomaly_id, data.id)
    stored = await store_photo(files, await _read(data.photo, LARGEST_PHOTO), data.id or new_id())
    kept = await db.write(actions.attach_after, anomaly_id, stored, by=staff, now=now)
    if wants_fragment(request) or wants_json(request):
        return page(request, "report/_photo.html", status=201, photo=_file(kept))
    return see(f"/anomalies/{anomaly_id}")


@get("/files/{file_id:uuid}/{size:str}")
async def show_file(
    request: AnyRequest, file_id: FromPath[UUID], size: FromPath[str], db: Db, files: Files
) -> Response[bytes]:
    """A file's id is known only to who may see the report it belongs to; its bytes never change."""
    row = await db.read(lambda session: session.get(Attachment, file_id))
    if row is None or size not in ("full", "thumb"):
        raise NotFound()
    key = row.thumb if size == "thumb" and row.thumb else row.key
    headers = {"cache-control": "private, max-age=31536000, immutable", "content-disposition": "inline"}
    headers["accept-ranges"] = "bytes"
    if part := _part(request.headers.get("range", ""), row.size if key == row.key else 0):
        # Safari plays no sound from a server that cannot send a part of it.
        start, end = part
        headers["content-range"] = f"bytes {start}-{end - 1}/{row.size}"
        body = await files.get_part(key, start, end)
        return Response(body, status_code=206, media_type=row.media_type, headers=headers)
    return Response(await files.get(key), media_type=row.media_type, headers=headers)


@get("/scan")
async def scan_page(request: AnyRequest, db: Db, me: Me) -> Response[Any]:
    lines = await db.read(plant.lines)
    return page(request, "scan/page.html", lines=lines)


@post("/scan", status_code=303, request_max_body_size=REQUEST_LIMIT)
async def scan_photo(
    request: AnyRequest,
    data: Annotated[ScanForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    now: Now,
    reports: Reports,
) -> Redirect:
    reports.take(_from(request, "scan"), at=now.timestamp())
    return see(f"/s/{await find_station_code(await _read(data.photo, LARGEST_PHOTO))}")


@get("/scan/code")
async def scan_code(code: FromQuery[str] = "") -> Redirect:
    return see(f"/s/{normalise(code)}")


async def store_photo(files: Storage, raw: bytes, file_id: UUID) -> Stored:
    """Make a photo safe and small, put it on disk, and return what its row needs."""
    photo = await shrink_photo(raw)
    return Stored(
        id=file_id,
        kind="photo",
        key=await files.put(photo.full),
        thumb=await files.put(photo.thumb),
        media_type="image/jpeg",
        size=len(photo.full),
        digest=hashlib.sha256(raw).hexdigest(),
        width=photo.width,
        height=photo.height,
    )


async def _station(request: AnyRequest, code: str, db: Any, me: Any) -> Response[Any]:
    seen = await db.read(station_page, normalise(code), viewer=me)
    words: dict[str, Any] = {"status_words": STATUS_WORDS, "severity_words": SEVERITY_WORDS}
    return page(
        request, "station/page.html", station=seen.station, open=seen.open, tiles=seen.tiles, history=seen.history,
        last_at=seen.last_at, key=new_id(), **words,
    )  # fmt: skip


async def _read(upload: UploadFile, largest: int) -> bytes:
    raw = await upload.read(largest + 1)
    if len(raw) > largest:
        raise TooLarge()
    return raw


def _received(request: AnyRequest, received: Any) -> Response[Any]:
    answer: Received = received
    where = f"/r/{answer.key}"
    if wants_json(request):
        body = {
            "key": str(answer.key),
            "url": where,
            "anomaly": str(answer.anomaly_id),
            "opened": answer.opened,
        }
        return Response(body, status_code=201 if answer.fresh else 200)
    return see(f"{where}?new=1" if answer.fresh else where)


def _shown(found: Receipt) -> dict[str, Any]:
    files = [_file(row) for row in found.files]
    said = found.report.details
    return {
        "report": {
            "key": found.key,
            "url": f"/r/{found.key}",
            "line_stopped": said.get("line_stopped"),
            "danger": said.get("danger"),
            "symptom": said.get("symptom", ""),
            "text": found.report.message,
        },
        "card": found.card,
        "steps": found.steps,
        "photos": [f for f in files if f["kind"] == "photo"],
        "voices": [f for f in files if f["kind"] == "voice"],
        "flow": found.flow,
        "can_recall": found.can_recall,
        "can_confirm": found.can_confirm,
        "escalates_at": found.escalates_at,
        "room": found.room,
        "status_words": STATUS_WORDS,
        "severity_words": SEVERITY_WORDS,
    }


def _file(row: Attachment) -> dict[str, Any]:
    full = f"/files/{row.id}/full"
    return {
        "id": row.id,
        "kind": row.kind,
        "purpose": row.purpose,
        "url": full,
        "thumb": f"/files/{row.id}/thumb",
        "duration_ms": row.duration_ms or 0,
    }


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """Return the one range of bytes a player asks for, as start and end; None for anything else: send it all."""
    found = re.fullmatch(r"bytes=(\d{1,12})-(\d{0,12})", asked)
    if not found:
        return None
    start, end = int(found[1]), min(int(found[2]) + 1 if found[2] else size, size)
    return (start, end) if start < end else None


def _yes(answer: str) -> bool | None:
    return {"yes": True, "no": False}.get(answer)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise BadInput() from error


def _from(request: AnyRequest, code: str) -> str:
    return f"{request.client.host if request.client else ''}:{code.upper()[:12]}"


handlers = [
    start, station, labelled, report, me_too, show_receipt, receipt_status, add_details, add_photo, add_voice,
    add_photo_after,    show_file, scan_page, scan_photo, scan_code,
]  # fmt: skip
