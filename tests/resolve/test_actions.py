"""One thumb on one button: what is kept of it, and what is refused without a trace."""

from datetime import timedelta

import pytest
from sqlmodel import select

from app.anomaly.lifecycle import NotAllowedNow, Status
from app.anomaly.models import Clock, Event
from app.kit.errors import BadInput, NotAllowed, NotFound
from app.kit.ids import new_id
from app.people.models import Person
from app.resolve import actions
from tests import factories
from tests.anomaly.made import anomaly
from tests.factories import MONDAY, id_of

LATER = MONDAY + timedelta(minutes=5)


@pytest.fixture
def who(session):
    factories.plant(session)
    return lambda name: session.get_one(Person, id_of("person", name))


@pytest.fixture
def mine(session, who):
    """An anomaly that Li Wei has accepted."""
    return actions.accept(session, anomaly(session).id, by=who("Li Wei"), now=MONDAY)


@pytest.mark.parametrize(
    ("asked", "held"), [(10, timedelta(minutes=10)), (0, timedelta(minutes=1)), (10**6, timedelta(days=30))]
)
def test_a_hold_is_at_least_a_minute_and_at_most_a_month(session, who, mine, asked, held):
    actions.hold(session, mine.id, "Waiting for a bearing", minutes=asked, by=who("Li Wei"), now=LATER)

    assert (mine.held_since, mine.held_until) == (LATER, LATER + held)
    assert (mine.clock, mine.next_clock_at) == (Clock.HOLD, LATER + held)


def test_after_the_hold_the_clock_of_the_status_starts_anew(session, who, mine):
    actions.hold(session, mine.id, "Waiting", minutes=10, by=who("Li Wei"), now=MONDAY)

    actions.resume(session, mine.id, by=who("Li Wei"), now=LATER)

    assert (mine.held, mine.clock, mine.clock_from) == (False, Clock.ON_SITE, LATER)


def test_what_is_resolved_is_held_no_more(session, who, mine):
    actions.hold(session, mine.id, "Waiting", minutes=10, by=who("Li Wei"), now=MONDAY)

    actions.resolve(session, mine.id, cause_class=None, cause="", fix="", permanent=False, by=who("Li Wei"), now=LATER)

    assert (mine.held, mine.hold_reason, mine.clock) == (False, "", Clock.VERIFIED)


@pytest.mark.parametrize("to", ["Li Wei", "nobody", "left"])
def test_one_hands_over_to_somebody_else_who_is_here(session, who, mine, to):
    if to == "left":
        who("Sun Hao").left_at = MONDAY
    receiver = {"Li Wei": id_of("person", "Li Wei"), "left": id_of("person", "Sun Hao")}.get(to, new_id())

    with pytest.raises(BadInput):
        actions.offer(session, mine.id, receiver, by=who("Li Wei"), now=LATER)

    assert mine.offered_to_id is None


def test_who_gives_it_back_takes_the_open_offer_along(session, who, mine):
    actions.offer(session, mine.id, id_of("person", "Sun Hao"), by=who("Li Wei"), now=LATER)

    actions.release(session, mine.id, "", by=who("Li Wei"), now=LATER)

    assert (mine.owner_id, mine.offered_to_id) == (None, None)
    with pytest.raises(NotAllowedNow):
        actions.take_over(session, mine.id, by=who("Sun Hao"), now=LATER)


@pytest.mark.parametrize("button", [actions.arrive, actions.take_over, actions.resume])
def test_a_button_of_somebody_else_does_nothing(session, who, mine, button):
    session.commit()

    with pytest.raises((NotAllowed, NotAllowedNow)):
        button(session, mine.id, by=who("Ma Jun"), now=LATER)

    assert (mine.status, mine.owner_id) == (Status.ACCEPTED, id_of("person", "Li Wei"))
    assert [event.kind for event in session.exec(select(Event)).all()] == ["accept"]


def test_a_button_pressed_again_says_what_it_is_now(session, who, mine):
    actions.arrive(session, mine.id, by=who("Li Wei"), now=LATER)

    with pytest.raises(NotAllowedNow):
        actions.arrive(session, mine.id, by=who("Li Wei"), now=LATER)


def test_a_report_nobody_sent_cannot_be_recalled(session, who):
    with pytest.raises(NotFound):
        actions.recall(session, new_id(), now=MONDAY)
