"""The web server as a process, behind a reverse proxy or not."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.kit.ids import new_id
from tests import factories
from tests.databases import Copies
from tests.processes import Installation, Process

pytestmark = pytest.mark.slow
A_MINUTE = 2


@pytest.mark.parametrize(
    ("proxies", "another"),
    [pytest.param('["127.0.0.1"]', 303, id="ours"), pytest.param('["10.9.9.9"]', 429, id="somebody's")],
)
def test_limits_count_phones_and_not_the_proxy(
    proxies: str, another: int, copies: Callable[[str], Copies], tmp_path: Path
) -> None:
    kind = copies("sqlite")
    url = kind.fresh(factories.plant)
    more = {"PULLCORD_REPORTS_A_MINUTE": str(A_MINUTE), "PULLCORD_TRUSTED_PROXIES": proxies}
    installation = Installation(url, tmp_path, more=more)

    def call(phone: str) -> int:
        form = {"category": "machine", "key": str(new_id())}
        headers = {"x-forwarded-for": f"6.6.6.6, {phone}"}  # what the phone itself claims is believed by nobody
        return httpx.post(f"{installation.url}/s/7K3Q/reports", data=form, headers=headers).status_code

    with Process(installation, "web") as web:
        web.answers()
        assert [call("10.1.1.1") for _ in range(A_MINUTE + 1)] == [303] * A_MINUTE + [429]
        assert call("10.1.1.2") == another
    kind.throw_away(url)
