"""The disk is full: whoever reports reads a sentence, nothing is stored by half, and afterwards everything goes on."""

import resource
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.factories import report_key
from tests.faults.conftest import cell
from tests.pictures import jpeg
from tests.processes import Process

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("parts", ["sqlite"], indirect=True)]
ROOM = 120_000  # bytes that fit into any one file beside what it has: our stand-in for the end of a disk


def test_reports_end_with_a_sentence_and_what_was_answered_is_there(parts):
    database = Path(parts.installation.database_url.removeprefix("sqlite:///"))
    most = database.stat().st_size + ROOM
    said_yes: list[str] = []
    with parts.process("web", limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) as web:
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
    database = Path(parts.installation.database_url.removeprefix("sqlite:///"))
    with parts.process("web") as web:
        web.answers()
        report = _report(parts.installation.url, 0).json()

    files = parts.installation.folder / "files"
    files.chmod(0o500)
    if _may_write(files):
        pytest.skip("whoever runs this test may write everywhere")
    with Process(parts.installation, "web") as web:
        web.answers()
        photo = {"photo": ("a.jpg", jpeg(), "image/jpeg")}
        answer = httpx.post(
            f"{parts.installation.url}{report['url']}/photos", files=photo, headers={"accept": "application/json"}
        )
    files.chmod(0o700)

    assert answer.status_code in (500, 503, 507)
    assert "safe" in answer.json()["text"]
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM attachment").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM occurrence").fetchone() == (1,)


def _may_write(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    (folder / "probe").unlink()
    return True


def _report(url: str, n: int) -> httpx.Response:
    form = {"key": report_key(), "category": "machine", "message": "x" * 2000}
    headers = {"accept": "application/json"}
    return httpx.post(f"{url}/s/{cell(n % 40)}/reports", data=form, headers=headers, timeout=30)
