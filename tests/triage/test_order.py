"""The order of the queue is one thought, said in Python and in SQL: they must not differ."""

from datetime import timedelta
from random import Random

from sqlmodel import select

from app.anomaly.models import Anomaly
from app.triage.order import by_urgency, urgency
from tests import factories
from tests.anomaly.made import anomaly
from tests.factories import MONDAY


def test_the_worst_first_then_what_escalates_next_and_what_waits_for_no_clock_last(session):
    factories.plant(session)
    chance = Random(7)
    for _ in range(40):
        soon = MONDAY + timedelta(minutes=chance.randrange(60))
        anomaly(session, severity=chance.randint(1, 4), next_clock_at=chance.choice([None, soon, soon]))

    in_sql = session.exec(select(Anomaly).order_by(*by_urgency())).all()

    assert [urgency(a)[:2] for a in in_sql] == sorted(urgency(a)[:2] for a in in_sql)
