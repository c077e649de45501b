"""The disk is full: whoever reports reads a sentence, nothing is stored by half, and afterwards everything goes on."""

import resource
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.factories import report_key
from tests.faults.conftest import cell
from tests.pictures import jpeg, snow

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("parts", ["sqlite"], indirect=True)]
ROOM = 120_000  # bytes that fit into any one file beside what it has: our stand-in for the end of a disk


def test_reports_end_with_a_sentence_and_what_was_answered_is_there(parts):
    database, said_yes = _database(parts), []
    with parts.process("web", limit=_a_disk_with_room_for(database.stat().st_size + ROOM)) as web:
        web.answers()
        refusal = None
        for n in range(2000):
            answer = _report(parts.installation.url, n)
            if not answer.is_success:
                refusal = answer
                break
            said_yes.append(answer.json()["key"])

        assert refusal is not None
        assert refusal.headers["content-type"].startswith("application/json")
        assert refusal.json()["code"].startswith(("pullcord.", "storage."))
        assert "safe" in refusal.json()["text"]
        assert not web.ended, web.log()
        assert httpx.get(f"{parts.installation.url}/s/{cell(1)}").status_code == 200

    with sqlite3.connect(database) as connection:
        stored = {row[0] for row in connection.execute("SELECT id FROM occurrence")}
        lonely = connection.execute(
            "SELECT count(*) FROM occurrence WHERE anomaly_id NOT IN (SELECT id FROM anomaly)"
            " OR anomaly_id NOT IN (SELECT anomaly_id FROM event)"
        ).fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stored == {key.replace("-", "") for key in said_yes}
    assert lonely == (0,)

    with parts.process("web") as web:
        web.answers()
        assert _report(parts.installation.url, 3).is_success


def test_a_photo_that_finds_no_room_is_told_and_the_report_stays(parts):
    with parts.process("web", limit=_a_disk_with_room_for(_database(parts).stat().st_size + ROOM)) as web:
        web.answers()
        report = _report(parts.installation.url, 0).json()
        photos = f"{parts.installation.url}{report['url']}/photos"
        large, small = (_sends_photo(photos, photo) for photo in (snow(1600), jpeg()))

    assert (large.status_code >= 500, small.status_code) == (True, 201)
    assert "safe" in large.json()["text"]
    with sqlite3.connect(_database(parts)) as connection:
        assert connection.execute("SELECT count(*) FROM attachment").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM occurrence").fetchone() == (1,)
    assert all(file.stat().st_size for file in (parts.installation.folder / "files").rglob("*") if file.is_file())


def _database(parts) -> Path:
    return Path(parts.installation.database_url.removeprefix("sqlite:///"))


def _a_disk_with_room_for(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _sends_photo(url: str, photo: bytes) -> httpx.Response:
    files, headers = {"photo": ("a.jpg", photo, "image/jpeg")}, {"accept": "application/json"}
    return httpx.post(url, files=files, headers=headers, timeout=30)


def _report(url: str, n: int) -> httpx.Response:
    form = {"key": report_key(), "category": "machine", "message": "x" * 2000}
    headers = {"accept": "application/json"}
    return httpx.post(f"{url}/s/{cell(n % 40)}/reports", data=form, headers=headers, timeout=30)
