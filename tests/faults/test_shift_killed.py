"""kill -9 of web server and workers all through a night in which the clocks are set back: compared with the oracle.

The long version, of 24 hours with 200 people and 1 000 anomalies: `python -m bench dispatch dispatch_soak`.
"""

from datetime import timedelta

import pytest

from tests.processes import Installation
from tests.promises.soak import Soak
from tests.push.service import PushService

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_shift_in_which_everything_dies_once(kind, copies, tmp_path):
    databases = copies(kind)
    url = databases.fresh()
    with PushService(tls=False) as push:
        soak = Soak(
            Installation(url, tmp_path, [push.place]), push, people=40, anomalies=30, length=timedelta(hours=2), kills=6
        )
        with soak.running():
            soak.plays()
            told = soak.told()
    databases.throw_away(url)

    assert told.wrong == []
    assert told.kills >= 6
    assert told.strikes > 60
    assert told.rings > 100
