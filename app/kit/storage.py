"""Files: one folder or any S3 store, behind the same few verbs.

A file's name is the hash of its bytes, `ab/cd/<sha256>`: the same picture sent twice is one file, a name can't be
guessed and never changes its meaning. What a file is (type, size, owner) is written in the row that names it.
"""

import hashlib
import os
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from anyio import to_thread
from obstore.store import LocalStore, ObjectStore, from_url

from app.kit.errors import N_, DomainError
from app.kit.ids import new_id

if TYPE_CHECKING:
    from obstore.store import RetryConfig


class FileMissing(DomainError):
    code = "storage.missing"
    message = N_(
        "This picture or recording is no longer here. Everything else of the report is safe. "
        "Ask whoever sent it to send it again."
    )
    status = 404


class StorageUnreachable(DomainError):
    code = "storage.unreachable"
    message = N_(
        "Pictures and recordings can't be kept or fetched right now. Everything else of the report is safe. "
        "Send them again in a few minutes; if it stays like this, tell whoever runs Pullcord."
    )
    status = 503


def key_of(data: bytes) -> str:
    """Return the name these bytes have in every storage."""
    return _key(hashlib.sha256(data).hexdigest())


class Storage:
    """Where files live. Give it a folder (made when missing) or a URL, e.g. `s3://bucket/prefix`.

    S3 keys, region and the address of another maker's store come from the usual AWS_* variables.
    Nobody ever sees half a file: it appears under its name when it is whole and, in a folder, on disk.
    Every verb raises StorageUnreachable when the store does not answer within a minute, or the disk refuses.
    """

    def __init__(self, place: str | Path) -> None:
        if "://" in str(place):
            self._store: ObjectStore = from_url(str(place), retry_config=_PATIENCE)
            self._folder: Path | None = None
        else:
            self._folder = Path(place).resolve()
            self._store = LocalStore(self._folder, mkdir=True)

    async def put(self, data: bytes) -> str:
        """Keep `data` and return its key. The same bytes again mend a file that was damaged."""
        key = key_of(data)
        with _told():
            await obstore.put_async(self._store, key, data, use_multipart=False)
            await self._settle(key)
        return key

    async def put_stream(self, chunks: AsyncIterable[bytes]) -> str:
        """Keep what `chunks` bring, without ever holding it all, and return its key. If they fail, nothing is kept."""
        digest = hashlib.sha256()

        async def counted() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                digest.update(chunk)
                yield chunk

        incoming = f"incoming/{new_id()}"
        with _told():
            await obstore.put_async(self._store, incoming, counted())
            key = _key(digest.hexdigest())
            await obstore.rename_async(self._store, incoming, key)
            await self._settle(key)
        return key

    async def get(self, key: str) -> bytes:
        """Return a whole file.

        Raises:
            FileMissing: there is no such file, or `key` is no name of a file.
        """
        with _told():
            found = await obstore.get_async(self._store, _checked(key))
            return bytes(await found.bytes_async())

    async def get_part(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to, not including, `end`: players on phones ask for audio in parts."""
        with _told():
            return bytes(await obstore.get_range_async(self._store, _checked(key), start=start, end=end))

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield a file chunk by chunk; the first step raises FileMissing when there is none."""
        with _told():
            found = await obstore.get_async(self._store, _checked(key))
            async for chunk in found.stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)

    async def delete(self, key: str) -> None:
        """Forget a file. One that is gone already is no error: two tidiers may meet."""
        name = _checked(key)
        with suppress(FileMissing), _told():
            await obstore.delete_async(self._store, name)

    async def _settle(self, key: str) -> None:
        if self._folder is not None:
            await to_thread.run_sync(_on_disk, self._folder / key, self._folder)


_CHUNK = 256 * 1024
_PATIENCE: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_KEY = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}")


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise FileMissing
    return key


@contextmanager
def _told() -> Iterator[None]:
    """Turn what a store raises into sentences."""
    try:
        yield
    except FileNotFoundError:
        raise FileMissing from None
    except (obstore.exceptions.BaseError, PermissionError) as reason:
        raise StorageUnreachable from reason


def _on_disk(file: Path, folder: Path) -> None:
    """Wait until a power cut can't take the file: its bytes first, then the folders that name it."""
    for path in (file, *[parent for parent in file.parents if parent.is_relative_to(folder)]):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
