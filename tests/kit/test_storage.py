"""One promise, two places: a folder on disk and an S3 store (a small one of our own, on loopback)."""

import hashlib
import re
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from aiohttp import web

from app.kit.storage import FileMissing, Storage, StorageUnreachable, key_of

PHOTO = b"\xff\xd8 a photo " * 1000


class Bucket:
    """What an S3 store does, as far as we ask it: put, get (in parts), copy, delete, uploads in pieces."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.pieces: dict[str, dict[int, bytes]] = defaultdict(dict)

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
        return await getattr(self, request.method.lower())(request.match_info["name"], request)

    async def put(self, name: str, request: web.Request) -> web.Response:
        if "uploadId" in request.query:
            self.pieces[name][int(request.query["partNumber"])] = await request.read()
        elif source := request.headers.get("x-amz-copy-source"):
            self.files[name] = self.files[unquote(source).partition("/files/")[2]]
            return web.Response(text="<CopyObjectResult><ETag>1</ETag></CopyObjectResult>")
        else:
            self.files[name] = await request.read()
        return web.Response(headers={"ETag": '"1"'})

    async def post(self, name: str, request: web.Request) -> web.Response:
        if "uploads" in request.query:
            return web.Response(
                text=f"<InitiateMultipartUploadResult><UploadId>{len(self.pieces)}</UploadId></InitiateMultipartUploadResult>"
            )
        self.files[name] = b"".join(piece for _, piece in sorted(self.pieces.pop(name).items()))
        return web.Response(text="<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>")

    async def get(self, name: str, request: web.Request) -> web.Response:
        if name not in self.files:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        headers = {"ETag": '"1"', "Last-Modified": "Sun, 22 Nov 2026 06:30:00 GMT"}
        whole = self.files[name]
        if request.http_range.start is None:
            return web.Response(body=whole, headers=headers)
        part = whole[request.http_range]
        first = request.http_range.start
        headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{len(whole)}"
        return web.Response(status=206, body=part, headers=headers)

    async def delete_many(self, request: web.Request) -> web.Response:
        names = re.findall("<Key>files/(.+?)</Key>", await request.text())
        for name in names:
            self.files.pop(name, None)
        gone = "".join(f"<Deleted><Key>files/{name}</Key></Deleted>" for name in names)
        return web.Response(text=f"<DeleteResult>{gone}</DeleteResult>")

    async def delete(self, name: str, request: web.Request) -> web.Response:
        self.pieces.pop(name, None) if "uploadId" in request.query else self.files.pop(name, None)
        return web.Response(status=204)


@pytest.fixture(params=["folder", "s3"])
async def place(request, tmp_path, monkeypatch) -> AsyncIterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "files")
        return
    application = web.Application(client_max_size=1 << 26)
    bucket = Bucket()
    application.router.add_route("*", "/plant/files/{name:.+}", bucket.answer)
    application.router.add_post("/plant", bucket.delete_many)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings = {"ENDPOINT": f"http://127.0.0.1:{port}", "ALLOW_HTTP": "true", "REGION": "cn-east"}
    settings |= {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    yield "s3://plant/files"
    await runner.cleanup()


@pytest.fixture
def storage(place) -> Storage:
    return Storage(place)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_was_put_can_be_got_under_the_name_of_its_content(storage):
    key = await storage.put(PHOTO)

    digest = hashlib.sha256(PHOTO).hexdigest()
    assert key == key_of(PHOTO) == f"{digest[:2]}/{digest[2:4]}/{digest}"
    assert await storage.get(key) == PHOTO


async def test_the_same_bytes_are_one_file(storage):
    assert await storage.put(PHOTO) == await storage.put(PHOTO)


async def test_a_stream_ends_up_under_the_same_name(storage):
    key = await storage.put_stream(chunks(PHOTO[:5000], PHOTO[5000:]))

    assert key == key_of(PHOTO)
    assert await storage.get(key) == PHOTO


async def test_a_stream_larger_than_one_upload_is_whole(storage):
    part = bytes(range(256)) * 12_000

    key = await storage.put_stream(chunks(part, part, part))

    assert key == key_of(part * 3)
    assert b"".join([chunk async for chunk in storage.stream(key)]) == part * 3


async def test_a_part_of_a_file_is_read_without_the_rest(storage):
    key = await storage.put(b"0123456789")

    assert await storage.get_part(key, 3, 7) == b"3456"


async def test_a_stream_that_breaks_off_leaves_nothing(storage, tmp_path):
    async def broken() -> AsyncIterator[bytes]:
        yield PHOTO[:5000]
        raise ConnectionError("the phone is gone")

    with pytest.raises(ConnectionError):
        await storage.put_stream(broken())

    with pytest.raises(FileMissing):
        await storage.get(key_of(PHOTO[:5000]))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(storage):
    key = await storage.put(PHOTO)

    await storage.delete(key)
    await storage.delete(key)

    with pytest.raises(FileMissing):
        await storage.get(key)
    with pytest.raises(FileMissing):
        await storage.get_part(key, 0, 1)
    with pytest.raises(FileMissing):
        [chunk async for chunk in storage.stream(key)]


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../../secret", "ab/cd/../../../secret", "ab/cd/" + "e" * 64, key_of(PHOTO) + "\n", "\0"]
)
async def test_only_names_of_files_are_looked_for(storage, key):
    for asked in (storage.get(key), storage.get_part(key, 0, 1), storage.delete(key)):
        with pytest.raises(FileMissing):
            await asked


async def test_a_store_that_refuses_is_told_in_a_sentence(tmp_path):
    storage = Storage(tmp_path)
    (tmp_path / key_of(PHOTO)[:2]).write_bytes(b"in the way")

    with pytest.raises(StorageUnreachable):
        await storage.put(PHOTO)


async def test_a_store_that_is_not_there_is_told_in_a_sentence(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        for name, value in (
            ("ALLOW_HTTP", "true"),
            ("REGION", "r"),
            ("ACCESS_KEY_ID", "k"),
            ("SECRET_ACCESS_KEY", "s"),
        ):
            monkeypatch.setenv(f"AWS_{name}", value)

        with pytest.raises(StorageUnreachable):
            await Storage("s3://plant/files").put(PHOTO)


async def test_sending_it_again_mends_a_damaged_file(tmp_path):
    storage = Storage(tmp_path)
    key = await storage.put(PHOTO)
    (tmp_path / key).write_bytes(b"")

    await storage.put(PHOTO)

    assert await storage.get(key) == PHOTO


async def test_a_folder_that_is_not_there_is_made(tmp_path):
    key = await Storage(tmp_path / "var" / "files").put(PHOTO)

    assert (tmp_path / "var" / "files" / key).read_bytes() == PHOTO


async def test_a_file_is_on_disk_before_put_answers(tmp_path, monkeypatch):
    settled: list[Path] = []
    monkeypatch.setattr(
        "app.kit.storage.os.fsync", lambda handle: settled.append(Path(f"/proc/self/fd/{handle}").readlink())
    )

    key = await Storage(tmp_path).put(PHOTO)

    assert settled == [tmp_path / key, (tmp_path / key).parent, (tmp_path / key).parent.parent, tmp_path]
