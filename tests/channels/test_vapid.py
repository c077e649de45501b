"""One key for the life of the installation, and a contact that push services accept."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from app.channels.hosts import BadPushSetting
from app.channels.vapid import RENEW, VALID, checked_contact, load_or_make_vapid
from app.kit.clock import utcnow
from tests.channels.letters import CONTACT
from tests.push.signature import check_signature, decode

ORIGIN = "https://push.example:8443"


def test_the_key_is_made_once_for_our_eyes_only_and_kept(tmp_path):
    path = tmp_path / "new" / "vapid.pem"

    made = load_or_make_vapid(path, contact=CONTACT)
    kept = load_or_make_vapid(path, contact=CONTACT)

    assert made.public_key == kept.public_key
    assert len(decode(made.public_key)) == 65
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_parts_that_start_together_end_with_one_key(tmp_path):
    together = threading.Barrier(8)

    def start(_: int) -> str:
        together.wait()
        return load_or_make_vapid(tmp_path / "vapid.pem", contact=CONTACT).public_key

    with ThreadPoolExecutor(8) as parts:
        keys = set(parts.map(start, range(8)))

    assert len(keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["vapid.pem"]


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_that_cannot_be_read_is_never_replaced(tmp_path, content):
    path = tmp_path / "vapid.pem"
    path.write_bytes(content)

    with pytest.raises(BadPushSetting, match="cannot be read"):
        load_or_make_vapid(path, contact=CONTACT)

    assert path.read_bytes() == content


def test_push_services_accept_the_signature(tmp_path):
    vapid = load_or_make_vapid(tmp_path / "vapid.pem", contact=CONTACT)

    check_signature(vapid.header(ORIGIN, now=utcnow()), key=vapid.public_key, origin=ORIGIN)


def test_one_signature_serves_six_hours_and_each_service_has_its_own(tmp_path):
    vapid = load_or_make_vapid(tmp_path / "vapid.pem", contact=CONTACT)
    start = datetime(2026, 11, 22, 6, tzinfo=UTC)

    first = vapid.header(ORIGIN, now=start)

    assert vapid.header(ORIGIN, now=start + RENEW - timedelta(seconds=1)) == first
    assert vapid.header(ORIGIN, now=start + RENEW) != first
    assert vapid.header("https://other.example", now=start) != first
    assert RENEW < VALID <= timedelta(hours=24)


@pytest.mark.parametrize("contact", ["mailto:andon@plant.example", "https://plant.example/andon", CONTACT])
def test_a_real_contact(contact):
    assert checked_contact(contact) == contact


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "andon@plant.example",
        "mailto:",
        "mailto:andon",
        "mailto:@plant.example",
        "mailto:root@localhost",
        "mailto:root@plant.localhost",
        "mailto:root@press7.local",
        "mailto:root@127.0.0.1",
        "https://localhost/x",
        "https://localhost:8000",
        "https://127.0.0.1",
        "https://[::1]/",
        "https://",
        "http://plant.example",
        "ftp://plant.example",
    ],
)
def test_a_contact_that_push_services_refuse_stops_the_start(tmp_path, contact):
    with pytest.raises(BadPushSetting, match="push_contact"):
        load_or_make_vapid(tmp_path / "vapid.pem", contact=contact)

    assert not list(tmp_path.iterdir())
