"""Which push services we talk to. Every line here is somebody's idea of getting past the list."""

import pytest

from app.channels.hosts import BadPushSetting, PushHosts
from app.channels.subscription import endpoint_url

KNOWN = PushHosts()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://jmt17.google.com/fcm/send/abc",
        "https://web.push.apple.com/QIsz",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d",
        "https://FCM.googleapis.com:443/fcm/send/abc",
    ],
)
def test_the_push_services_of_real_browsers_are_known(endpoint):
    url = endpoint_url(endpoint)
    assert url is not None
    assert KNOWN.allows(url)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com./x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://evil-fcm.googleapis.com/x",
        "https://push.apple.com/x",
        "https://evilpush.apple.com/x",
        "https://.push.apple.com/x",
        "https://a..push.apple.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://evil.example@fcm.googleapis.com/x",
        "https://user:pass@fcm.googleapis.com/x",
        "https://evil.example\\@fcm.googleapis.com/x",
        "https://fcm.googleapis.com\\.evil.example/x",
        "https://evil.example#@fcm.googleapis.com/",
        "https://evil.example?@fcm.googleapis.com/",
        "https://fcm.googleapis.com%2eevil.example/x",
        "https://fcm.googleapis.com\t.evil.example/x",
        "https://fcm.googleapis.com\r\nHost: evil.example/x",
        "https://\uff46cm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.7/x",
        "https://localhost/x",
        "https://localhost:9100/x",
        "http://127.0.0.1:9100/x",
        "https://1.2.3.4.push.apple.com.5/x",
        "ftp://fcm.googleapis.com/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//fcm.googleapis.com/x",
        "fcm.googleapis.com",
        "https://",
        "",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com:abc/x",
        "https://fcm.googleapis.com/" + "x" * 2000,
    ],
)
def test_nothing_else_is(endpoint):
    url = endpoint_url(endpoint)
    assert url is None or not KNOWN.allows(url)


@pytest.mark.parametrize(
    ("entry", "endpoint", "allowed"),
    [
        ("push.plant.example", "https://push.plant.example/a", True),
        ("push.plant.example", "http://push.plant.example/a", False),
        ("push.plant.example", "https://push.plant.example:8443/a", False),
        ("push.plant.example:8443", "https://push.plant.example:8443/a", True),
        ("push.plant.example:8443", "http://push.plant.example:8443/a", False),
        ("*.plant.example", "https://a.b.plant.example/a", True),
        ("*.plant.example", "https://plant.example/a", False),
        ("10.20.30.40", "https://10.20.30.40/a", True),
        ("10.20.30.40", "https://10.20.30.41/a", False),
        ("127.0.0.1:9100", "http://127.0.0.1:9100/a", True),
        ("127.0.0.1:9100", "https://127.0.0.1:9100/a", True),
        ("127.0.0.1:9100", "http://127.0.0.1:9101/a", False),
        ("127.0.0.1:9100", "http://localhost:9100/a", False),
        ("10.20.30.40:9100", "http://10.20.30.40:9100/a", False),
        ("[::1]:9100", "http://[::1]:9100/a", True),
    ],
)
def test_an_installation_may_add_its_own(entry, endpoint, allowed):
    url = endpoint_url(endpoint)
    assert url is not None
    assert PushHosts([entry]).allows(url) is allowed


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*",
        "*.com",
        "*.10.0.0.1",
        "https://push.example",
        "push.example/x",
        "a@b.c",
        "a b.c",
        "x:0",
        "x:y",
    ],
)
def test_a_careless_entry_is_refused_at_the_start(entry):
    with pytest.raises(BadPushSetting, match="push_hosts"):
        PushHosts([entry])
