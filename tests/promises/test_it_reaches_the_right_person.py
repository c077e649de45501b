"""Promise 6: it reaches the right person for this minute of this shift."""

from datetime import date, timedelta

from app.rosters.models import Absence, CheckIn
from tests import factories
from tests.factories import add, id_of

MONDAY = date(2026, 11, 23)  # and it is ten in the morning


async def test_until_the_last_minute_of_the_shift_and_from_the_first_one_of_the_next(plant):
    def roster(session):
        factories.duty(session, "Li Wei", "early", MONDAY)
        factories.duty(session, "Sun Hao", "late", MONDAY)

    await plant.changes(roster)
    await plant.waits(hours=3, minutes=59, seconds=59)
    await plant.worker_reports("Press 7")
    assert plant.ringing() == {"Li Wei", "Wang Lei"}
    await plant.does("Wang Lei", "cancellation", (await plant.worker_reports("Press 8")).anomaly, reason="false")
    plant.all_quiet()

    await plant.waits(seconds=1)
    await plant.worker_reports("Oven 1")

    assert plant.ringing() == {"Sun Hao", "Liu Yang"}


async def test_the_rung_asks_who_works_when_it_strikes_not_when_it_was_reported(plant):
    def roster(session):
        for name, shift in (("Chen Jing", "early"), ("Liu Yang", "early"), ("Wang Lei", "late")):
            factories.duty(session, name, shift, MONDAY)

    await plant.changes(roster)
    await plant.waits(hours=3, minutes=56)
    await plant.worker_reports("Press 7")
    assert plant.ringing() == {"Li Wei", "Sun Hao"}
    plant.all_quiet()

    await plant.waits(minutes=5)

    assert plant.ringing() == {"Wang Lei"}


async def test_the_night_shift_is_called_before_and_after_midnight(plant):
    def roster(session):
        factories.duty(session, "Li Wei", "early", MONDAY)
        factories.duty(session, "Sun Hao", "night", MONDAY)

    await plant.changes(roster)
    await plant.waits(hours=13, minutes=30)  # half past eleven in the evening
    await plant.worker_reports("Press 7")
    assert plant.ringing() == {"Sun Hao", "Wang Lei"}

    await plant.waits(hours=4)  # half past three, the next day
    plant.all_quiet()
    await plant.worker_reports("Oven 1")

    assert plant.ringing() == {"Sun Hao", "Liu Yang"}


async def test_who_is_away_is_left_in_peace(plant):
    def on_leave(session):
        add(session, Absence(person_id=id_of("person", "Li Wei"), first_day=MONDAY, last_day=MONDAY))

    await plant.changes(on_leave)
    await plant.worker_reports("Press 7")

    assert plant.ringing() == {"Sun Hao", "Wang Lei"}


async def test_a_red_phone_is_left_out_while_a_green_one_covers(plant):
    await plant.changes(lambda session: _silent(session, "Li Wei"))
    await plant.worker_reports("Press 7")

    assert plant.ringing() == {"Sun Hao", "Wang Lei"}


async def test_a_red_phone_is_tried_all_the_same_when_nobody_else_is_left(plant):
    def all_are_silent(session):
        for name in ("Li Wei", "Sun Hao", "Wang Lei"):
            _silent(session, name)

    await plant.changes(all_are_silent)
    await plant.worker_reports("Press 7")

    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}


async def test_nobody_on_duty_passes_on_to_the_next_rung_at_once_and_says_so(plant):
    def nobody_of_maintenance_works(session):
        for name in ("Li Wei", "Sun Hao", "Wang Lei"):
            factories.duty(session, name, "night", MONDAY)

    await plant.changes(nobody_of_maintenance_works)

    report = await plant.worker_reports("Press 7")

    assert plant.ringing() == {"Liu Yang", "Chen Jing"}
    assert await plant.events(report.anomaly) == ["reported", "nobody", "called"]
    told = await plant.sees(f"/anomalies/{report.anomaly}/timeline", by="Wang Lei")
    assert "Nobody on duty for this step" in told.text


async def test_another_line_and_another_kind_of_trouble_ring_others(plant):
    await plant.worker_reports("Oven 1")
    assert plant.ringing() == {"Li Wei", "Sun Hao", "Liu Yang"}
    plant.all_quiet()

    await plant.worker_reports("Press 7", "quality")

    assert "He Fang" in plant.ringing()
    assert "Sun Hao" not in plant.ringing()


def _silent(session, name: str) -> None:
    """The bell of the early shift has rung in vain."""
    factories.duty(session, name, "early", MONDAY)
    began = factories.MONDAY - timedelta(hours=4)
    who = {"person_id": id_of("person", name), "shift_id": id_of("shift", "early"), "day": MONDAY}
    add(session, CheckIn(**who, rung_at=began, silent_at=began + timedelta(minutes=5)))
