"""PostgreSQL, several processes: what one has read, another may change before it writes. Nothing is lost by that."""

from collections.abc import Callable
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlmodel import Session

from app.anomaly.models import Occurrence
from app.capture import intake
from app.kit.db import connect
from app.people.models import Person
from app.resolve import actions as resolve
from app.triage import actions as triage
from tests.databases import CommittingSession
from tests.journeys.harness import done

on_postgresql = pytest.mark.parametrize("plant", ["postgresql"], indirect=True)


@on_postgresql
async def test_called_off_in_the_moment_somebody_else_reports_it_so_it_is_a_new_call(plant):
    first = await plant.worker_reports("Press 7")
    lead = plant.id_of("Wang Lei")

    def call_off(session: Session) -> None:
        resolve.cancel(session, first.anomaly, "false", by=session.get_one(Person, lead), now=plant.now)

    plant.all_quiet()
    with before_it_is_written(plant, call_off):
        second = await plant.worker_reports("Press 7")

    assert second.anomaly != first.anomaly
    assert (await plant.card(second.anomaly)).status == "reported"
    assert "Li Wei" in plant.ringing()


@on_postgresql
async def test_joined_in_the_moment_it_is_reported_again_so_it_counts_there(plant):
    first = await plant.worker_reports("Press 7", "machine")
    other = await plant.worker_reports("Press 7", "quality")
    number, lead = (await plant.card(other.anomaly)).number, plant.id_of("Wang Lei")

    def join(session: Session) -> None:
        triage.merge(session, first.anomaly, number, by=session.get_one(Person, lead), now=plant.now)

    with before_it_is_written(plant, join):
        again = await plant.worker_reports("Press 7", "machine")

    assert again.anomaly == other.anomaly
    assert (await plant.card(other.anomaly)).occurrences == len(await plant.all(Occurrence)) == 3


@on_postgresql
async def test_verified_in_the_moment_it_comes_back_so_it_rings(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    lead = plant.id_of("Wang Lei")

    def verify(session: Session) -> None:
        resolve.verify(session, report.anomaly, by=session.get_one(Person, lead), now=plant.now)

    with before_it_is_written(plant, verify):
        await plant.worker_reports("Press 7")

    assert (await plant.card(report.anomaly)).status == "reported"


@on_postgresql
async def test_a_thumb_waits_for_the_other_and_then_reads_who_has_it(plant):
    report = await plant.worker_reports("Press 7")
    lead = plant.id_of("Wang Lei")

    def accept(session: Session) -> None:
        resolve.accept(session, report.anomaly, by=session.get_one(Person, lead), now=plant.now)

    with before_it_is_read(plant, accept):
        answer = await plant.accepts("Li Wei", report.anomaly)

    assert answer.json()["code"] == "anomaly.owned_by_other"
    assert "Wang Lei" in answer.json()["text"]


@on_postgresql
async def test_regraded_in_the_moment_it_is_accepted_both_count(plant):
    report = await plant.worker_reports("Press 7")
    lead = plant.id_of("Wang Lei")

    def regrade(session: Session) -> None:
        triage.regrade(session, report.anomaly, 1, by=session.get_one(Person, lead), now=plant.now)

    with before_it_is_read(plant, regrade):
        done(await plant.accepts("Li Wei", report.anomaly))

    card = await plant.card(report.anomaly)
    assert (card.severity, card.owner) == (1, "Li Wei")


@contextmanager
def before_it_is_written(plant, f: Callable[[Session], None]):
    """Let another process do and commit `f` after the door has looked around, before it writes."""
    with elsewhere(plant, f) as interfere, pytest.MonkeyPatch.context() as patched:
        write = intake.insert_together

        def later(*given):
            interfere()
            write(*given)

        patched.setattr(intake, "insert_together", later)
        yield


@contextmanager
def before_it_is_read(plant, f: Callable[[Session], None]):
    """Let another process do and commit `f` just before a thumb's own look at the anomaly."""
    with elsewhere(plant, f) as interfere:

        def later(_connection, _cursor, text, *_):
            if text.startswith("SELECT anomaly.id"):
                interfere()

        event.listen(plant.db.engine, "before_cursor_execute", later)
        try:
            yield
        finally:
            event.remove(plant.db.engine, "before_cursor_execute", later)


@contextmanager
def elsewhere(plant, f: Callable[[Session], None]):
    engine, waiting = connect(plant.url, writer=True), [f]

    def interfere():
        if waiting:
            with CommittingSession(engine) as session:
                waiting.pop()(session)
                session.commit()

    yield interfere
    engine.dispose()
    assert not waiting, "the moment never came"
