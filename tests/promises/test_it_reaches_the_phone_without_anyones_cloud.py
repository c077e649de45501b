"""Promise 5: it reaches the phone without anyone's cloud. A plant without internet rings all the same."""

import socket

import pytest

from app.dispatch.models import Delivery
from tests.faults.test_slow_push import rings_through
from tests.journeys.harness import done, on_any_database
from tests.push.service import PushService


@on_any_database
async def test_a_push_service_inside_the_plant_is_enough(plant, monkeypatch):
    """Phones ring through the one the administrator has named; no name of the outside world is ever looked up."""
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def watched(host, *more, **options):
        asked.append(str(host))
        return look_up(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", watched)

    await plant.worker_reports("Press 7")
    done(await plant.accepts_in_tray("Li Wei"))

    assert set(asked) <= {"127.0.0.1", "localhost"}


@on_any_database
async def test_who_has_the_page_open_sees_it_without_any_push_service(plant):
    with PushService(tls=False) as gone:
        await rings_through(gone, plant, "Li Wei")

    report = await plant.worker_reports("Press 7")

    rows = [row for row in await plant.all(Delivery) if row.person_id == plant.id_of("Li Wei")]
    assert {row.channel: str(row.state) for row in rows}["stream"] == "sent"
    queue = await plant.sees("/queue", by="Li Wei")
    assert f"/anomalies/{report.anomaly}" in queue.text


@on_any_database
async def test_a_phone_in_a_dead_spot_rings_when_it_is_back(plant):
    plant.phones["Li Wei"].goes_offline()
    await plant.worker_reports("Press 7")
    assert plant.rings("Li Wei") == {"Li Wei": 0}

    plant.phones["Li Wei"].comes_back()

    assert plant.rings("Li Wei") == {"Li Wei": 1}


@on_any_database
@pytest.mark.parametrize("path", ["/queue", "/me"])
async def test_no_page_loads_anything_from_elsewhere(plant, path):
    page = await plant.sees(path, by="Li Wei")

    assert page.status_code == 200
    assert 'src="http' not in page.text
    assert 'href="http' not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
