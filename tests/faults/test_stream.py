"""A live page over real HTTP: it goes on where it was, also when the web server was killed in between."""

import json
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from app.anomaly.models import Occurrence
from tests.faults.test_killed import _report

pytestmark = pytest.mark.slow


def test_a_page_goes_on_after_the_server_was_killed(parts):
    stream = f"{parts.installation.url}/stream"
    with parts.process("web") as web:
        web.answers()
        with httpx.stream("GET", stream, timeout=20) as page:
            frames = _frames(page)
            assert next(frames)["event"] == "beat"
            _report(parts.installation.url, 0)
            last = next(frame for frame in frames if frame["event"] == "anomaly")
            web.kill()
    with parts.process("web") as web:
        web.answers()
        missed = _report(parts.installation.url, 1)

        with httpx.stream("GET", stream, headers={"last-event-id": last["id"]}, timeout=20) as page:
            told = next(frame for frame in _frames(page) if frame["event"] == "anomaly")

    assert int(told["id"]) > int(last["id"])
    assert json.loads(told["data"])["id"] == str(
        parts.ask(lambda session: session.get_one(Occurrence, UUID(missed)).anomaly_id)
    )


def test_many_pages_hold_up_neither_the_server_nor_its_end(parts):
    with parts.process("web") as web:
        web.answers()
        with httpx.Client(limits=httpx.Limits(max_connections=60), timeout=20) as client:
            ask = client.build_request("GET", f"{web.installation.url}/stream")
            pages = [client.send(ask, stream=True) for _ in range(40)]
            assert [next(_frames(page))["event"] for page in pages] == ["beat"] * 40
            _report(parts.installation.url, 0)

            assert web.stop() == 0

            for page in pages:
                page.close()


def _frames(page: httpx.Response) -> Iterator[dict[str, str]]:
    """Read server-sent events as a browser does."""
    frame: dict[str, str] = {}
    for line in page.iter_lines():
        if not line:
            if "event" in frame:
                yield frame
            frame = {}
        name, _, value = line.partition(": ")
        frame[name] = value
