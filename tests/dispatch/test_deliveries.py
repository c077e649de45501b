"""What is claimed first, what is said together, what is dropped: read from the rows."""

from datetime import time, timedelta
from uuid import UUID

from app.channels.base import Undeliverable
from app.dispatch import deliveries
from app.dispatch.deliveries import NotTried, claim_next, sent_now
from app.dispatch.models import CALL, CHANGE, Delivery, DeliveryState
from app.dispatch.plans import plan_changes
from app.people.models import Person
from tests.anomaly.made import anomaly
from tests.factories import MONDAY, id_of, plant

SOON = timedelta(seconds=1)


def call(session, about, *, person: str = "Wang Lei", channel: str = "webpush", **changes) -> Delivery:
    row = {
        "once": f"{about.id.hex}:0:accepted:0:{person}:{channel}",
        "anomaly_id": about.id,
        "person_id": id_of("person", person),
        "channel": channel,
        "purpose": CALL,
        "why": {},
        "due_at": MONDAY,
        "planned_at": MONDAY,
        "round": about.round,
    }
    made = Delivery(**row | changes)
    session.add(made)
    session.flush()
    return made


def claimed(session, *, limit: int = 10, now=MONDAY) -> list[UUID]:
    return [claim.delivery_id for claim in claim_next(session, now=now, limit=limit)]


def test_what_is_most_urgent_goes_first_however_long_the_rest_waits(session):
    plant(session)
    slow, middle, urgent = (anomaly(session, severity=severity) for severity in (3, 2, 1))
    rows = [
        call(session, slow, due_at=MONDAY - 3 * SOON),
        call(session, middle, due_at=MONDAY - 2 * SOON),
        call(session, urgent, due_at=MONDAY - SOON),
    ]

    assert claimed(session, limit=1) == [rows[2].id]
    assert claimed(session) == [rows[1].id, rows[0].id]
    assert claimed(session) == []


def test_a_lease_that_ended_is_claimed_again(session):
    plant(session)
    row = call(session, anomaly(session))

    assert claimed(session) == [row.id]
    assert claimed(session, now=MONDAY + deliveries.LEASE - SOON) == []
    assert claimed(session, now=MONDAY + deliveries.LEASE) == [row.id]


def test_a_call_of_an_older_round_is_dropped(session):
    plant(session)
    row = call(session, anomaly(session), round=-1)

    assert claimed(session) == []
    session.refresh(row)
    assert row.state == DeliveryState.DROPPED


def test_who_was_not_even_asked_has_used_up_no_try(session):
    plant(session)
    row = call(session, anomaly(session))
    now = MONDAY
    for _ in range(2 * deliveries.TRIES):
        [claim] = claim_next(session, now=now, limit=1)
        sent_now(session, [(claim, NotTried("…", retry_after=60), now)])
        now += timedelta(seconds=60)

    session.refresh(row)
    assert (row.state, row.attempts) == (DeliveryState.PLANNED, 0)


def test_what_nobody_could_try_for_an_hour_is_over(session):
    plant(session)
    row = call(session, anomaly(session), planned_at=MONDAY - deliveries.TOO_OLD)

    [claim] = claim_next(session, now=MONDAY, limit=1)
    sent_now(session, [(claim, NotTried("…", retry_after=60), MONDAY)])

    session.refresh(row)
    assert row.state == DeliveryState.FAILED


def test_a_fault_is_tried_a_few_times_and_then_kept_in_words(session):
    plant(session)
    row = call(session, anomaly(session))
    now = MONDAY
    for _ in range(deliveries.TRIES):
        [claim] = claim_next(session, now=now, limit=1)
        sent_now(session, [(claim, Undeliverable("It broke.", retry_after=5), now)])
        now += timedelta(minutes=5)

    session.refresh(row)
    assert (row.state, row.error, row.attempts) == (DeliveryState.FAILED, "It broke.", deliveries.TRIES)
    assert claimed(session, now=now) == []


def test_a_card_that_can_be_changed_is_put_right_once(session):
    plant(session)
    about = anomaly(session)
    first, other = call(session, about), call(session, about, person="Sun Hao")
    claims = {claim.delivery_id: claim for claim in claim_next(session, now=MONDAY, limit=10)}
    sent_now(session, [(claims[first.id], {"card": "c-1"}, MONDAY), (claims[other.id], None, MONDAY)])
    session.expire_all()

    for _ in range(2):
        plan_changes(session, about.id, "accept", "Wang Lei", now=MONDAY)

    [claim] = claim_next(session, now=MONDAY, limit=10)
    row = session.get_one(Delivery, claim.delivery_id)
    assert (row.purpose, row.person_id, claim.receipt) == (CHANGE, first.person_id, {"card": "c-1"})
    assert (claim.facts.topic, claim.facts.by, claim.facts.can_accept) == ("taken", "Wang Lei", False)


def test_small_things_are_said_together_however_few_hands_are_free(session):
    plant(session)
    rows = [call(session, anomaly(session, severity=4)) for _ in range(3)]

    [claim] = claim_next(session, now=MONDAY, limit=1)

    assert set(claim.ids) == {row.id for row in rows}
    assert claimed(session) == []


def test_the_next_small_message_waits_until_the_quiet_hours_are_over(session):
    plant(session)
    lead = session.get_one(Person, id_of("person", "Wang Lei"))
    lead.quiet_from, lead.quiet_until = time(10, 30), time(12, 0)  # there; it is ten now
    call(session, anomaly(session, severity=4))
    [claim] = claim_next(session, now=MONDAY, limit=10)
    sent_now(session, [(claim, None, MONDAY)])
    row = call(session, anomaly(session, severity=4), once="the next one")

    assert claimed(session) == []
    session.refresh(row)
    assert row.due_at == MONDAY + timedelta(hours=2)
