"""Who reported stays private, also when the same person calls it off or confirms that it works."""

from sqlmodel import select

from app.anomaly.models import Event, Occurrence
from app.resolve.models import Resolution
from tests.factories import id_of
from tests.journeys.harness import done, refused
from tests.pictures import jpeg


async def test_who_calls_it_off_themselves_is_not_named(plant):
    report = await plant.worker_reports("Press 7", by="Ma Jun")

    done(await plant.posts(f"{report.receipt}/recall", {}, by="Ma Jun"))

    assert await plant.db.read(named, "Ma Jun") == []
    assert "Ma Jun" not in (await plant.sees(f"/anomalies/{report.anomaly}/timeline", by="Zhao Min")).text


async def test_who_confirms_as_the_reporter_is_not_named(plant):
    report = await plant.worker_reports("Press 7", by="Ma Jun")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    done(await plant.posts(f"{report.receipt}/confirmation", {"works": "no"}, by="Ma Jun"))
    done(await plant.resolves("Li Wei", report.anomaly))
    done(await plant.posts(f"{report.receipt}/confirmation", {"works": "yes"}, by="Ma Jun"))

    assert (await plant.card(report.anomaly)).status == "watching"
    assert await plant.db.read(named, "Ma Jun") == []
    assert {told.verdict_by_id for told in await plant.all(Resolution)} == {None}


async def test_what_a_machine_sent_has_no_receipt_and_nobody_confirms_for_it(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    (signal,) = await plant.all(Occurrence)
    await plant.is_fixed_by("Li Wei", anomaly)
    await plant.machine_is_normal("Press 7", "overheating")

    assert (await plant.sees(f"/r/{signal.id}")).status_code == 404
    assert refused(await plant.posts(f"/r/{signal.id}/confirmation", {"works": "yes"})) == "pullcord.not_found"
    assert refused(await plant.posts(f"/r/{signal.id}/recall", {})) == "pullcord.not_found"
    assert refused(await plant.posts(f"/r/{signal.id}/details", {"text": "x"})) == "capture.no_such_report"
    assert (await plant.card(anomaly)).status == "resolved"


async def test_a_photo_for_no_report_is_not_even_unpacked(plant):
    report = await plant.worker_reports("Press 7")
    before = files(plant)

    answer = await plant.http.post(f"/r/{id_of('report', 'nobody')}/photos", files={"photo": ("a.jpg", jpeg(7))})
    for shade in range(8, 12):
        done(await plant.sends_photo(report, jpeg(shade)))
    full = files(plant)
    fifth = await plant.sends_photo(report, jpeg(12))

    assert (answer.status_code, fifth.status_code) == (404, 409)
    assert len(before) < len(full)
    assert files(plant) == full


def named(session, name):
    return session.exec(select(Event.kind).where((Event.by == name) | (Event.by_id == id_of("person", name)))).all()


def files(plant):
    return sorted(str(file) for file in (plant.settings.data_dir / "files").rglob("*") if file.is_file())
