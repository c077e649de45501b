"""What the machine showed before and after its alarm is on the anomaly's page, and stays there."""

import math
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, delete, select

from app.evidence import actions as evidence
from app.evidence.models import EvidenceTag, Part, Snapshot, SnapshotTag
from app.machines import history
from app.machines.history_models import Stretch
from app.machines.models import Tag
from app.machines.packing import pack_samples
from app.machines.rules import GOOD, Sample
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused

HOT, OIL, FAN = "Press 7 overheating", "Press 7 sensor 1", "Press 8 fan"


async def showed(plant, tag: str, shape, *, minutes: int = 65, until: datetime | None = None) -> None:
    """Let a tag have shown this until now, one value each five seconds; `shape` is told the minutes still to go."""
    end = until or plant.now
    samples = [
        Sample(shape((minutes * 60 - n) / 60), GOOD, end - timedelta(seconds=minutes * 60 - n))
        for n in range(0, minutes * 60 + 1, 5)
    ]
    await plant.changes(lambda session: history.write(session, [pack_samples(id_of("tag", tag), samples)], now=end))


def calm(level: float):
    return lambda left: round(level + math.sin(left * 7) * level / 200, 3)


async def collects(plant) -> None:
    """What the worker does every two seconds."""
    while await plant.db.write(evidence.collect_next, normal_minutes=10, now=plant.now):
        pass
    for snapshot in await plant.db.read(evidence.running, now=plant.now):
        rows = await plant.db.read(evidence.frozen, snapshot)
        await plant.db.write(evidence.freeze, snapshot, rows, now=plant.now)


async def page(plant, anomaly: UUID, *, by: str = "Chen Jing") -> str:
    return (await plant.sees(f"/anomalies/{anomaly}/evidence", by=by, **{"hx-request": "true"})).text


async def test_an_alarm_shows_what_its_machine_did_and_who_changed_first(plant):
    await showed(plant, HOT, lambda left: calm(60.0)(left) + max(0.0, 2 - left) * 20)
    await showed(plant, OIL, lambda left: 6.3 if left > 3 else 4.1)
    await showed(plant, "Press 7 sensor 2", calm(40.0))
    anomaly = await plant.machine_reports("Press 7", "overheating")
    assert "is being collected" in await page(plant, anomaly)

    await collects(plant)

    shown = await page(plant, anomaly)
    assert "Alarm at 10:00" in shown
    assert "Still being recorded, until 10:15." in shown
    assert "Limit 80" in shown
    assert "sensor 1 fell from 6.3 to 4.1 at 09:57" in shown
    assert "in the hour before it had never moved" in shown
    assert "sensor 2 " not in shown.split("Changed most before it")[1].split("more signal")[0]
    assert shown.count("chart__line") == 3
    assert 'hx-get="/anomalies/' in (await plant.sees(f"/anomalies/{anomaly}", by="Chen Jing")).text


async def test_it_completes_itself_and_survives_that_the_history_is_thinned(plant):
    await showed(plant, HOT, calm(60.0))
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await collects(plant)
    assert await plant.db.read(evidence.running, now=plant.now) == []
    await plant.stands_still(minutes=15)
    await showed(plant, HOT, calm(90.0), minutes=15)
    await plant.stands_still(minutes=6)

    await collects(plant)
    before = await page(plant, anomaly)
    await plant.changes(lambda session: session.execute(delete(Stretch)))

    (snapshot,) = await plant.all(Snapshot)
    assert snapshot.frozen_at == plant.now
    after = await page(plant, anomaly)
    assert after == before
    assert "Still being recorded" not in after
    assert "90" in after
    (kept,) = [row for row in await plant.all(SnapshotTag) if row.part == Part.ALARM]
    assert kept.names == {"en": "overheating", "zh": "overheating"}


async def test_reports_shifts_batches_and_changeovers_are_marked(plant):
    def chosen(session: Session) -> None:
        for what, part in (("sensor 3", Part.BATCH), ("sensor 4", Part.PRODUCT)):
            session.add(
                EvidenceTag(station_id=id_of("station", "Press 7"), tag_id=id_of("tag", f"Press 7 {what}"), part=part)
            )

    await plant.changes(chosen)
    plant.clock.time = plant.now.replace(hour=6, minute=5)  # five past two in the afternoon there
    await showed(plant, HOT, calm(60.0))
    await showed(plant, "Press 7 sensor 3", lambda left: "B-4711" if left > 8 else "B-4712")
    await showed(plant, "Press 7 sensor 4", lambda left: "P-100" if left > 7 else "P-200")
    await plant.worker_reports("Press 7")
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await collects(plant)

    shown = await page(plant, anomaly)

    for words in ("Batch B-4712", "Changeover to P-200", "Shift: late", "Somebody reported it"):
        assert words in shown
    order = [shown.index(words) for words in ("Batch B-4712", "Changeover to P-200", "Shift: late", "Somebody")]
    assert order == sorted(order)
    assert shown.count("chart__mark") == 4 * 1


async def test_back_to_normal_minutes_of_normal_values_attach_themselves(plant):
    await showed(plant, HOT, calm(90.0))
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await collects(plant)
    await plant.stands_still(minutes=30)
    await plant.machine_is_normal("Press 7", "overheating")
    await collects(plant)
    assert "Back to normal at 10:30" in await page(plant, anomaly)
    await plant.stands_still(minutes=10)
    await showed(plant, HOT, calm(55.0), minutes=12)
    await plant.stands_still(minutes=6)
    await collects(plant)

    shown = await page(plant, anomaly)

    assert "10 minutes of normal values are attached." in shown
    assert shown.index("Back to normal at 10:30") < shown.index("Alarm at 10:00")


async def test_what_is_abnormal_again_was_not_normal(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await plant.machine_is_normal("Press 7", "overheating")
    await collects(plant)
    await plant.stands_still(minutes=3)
    await plant.machine_reports("Press 7", "overheating")

    await collects(plant)

    assert [row.moment for row in await plant.all(Snapshot)] == ["alarm"]
    assert "Back to normal" not in await page(plant, anomaly)


async def test_what_chatters_has_few_snapshots(plant):
    for _ in range(8):
        await plant.machine_reports("Press 7", "overheating")
        await plant.machine_is_normal("Press 7", "overheating")
        await collects(plant)
        await plant.stands_still(seconds=20)

    assert [row.moment for row in await plant.all(Snapshot)] == ["alarm", "normal"]


@on_any_database
async def test_a_person_alone_makes_no_snapshot(plant):
    report = await plant.worker_reports("Press 7")
    await collects(plant)

    assert await plant.all(Snapshot) == []
    assert "/evidence" not in (await plant.sees(f"/anomalies/{report.anomaly}", by="Wang Lei")).text


@on_any_database
async def test_without_a_history_it_says_so(plant):
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await collects(plant)

    assert "Of this time no values are kept." in await page(plant, anomaly)


@on_any_database
async def test_engineers_choose_what_is_kept(plant):
    def elsewhere(session: Session) -> None:
        names = {"en": "Exhaust fan", "zh": "排风机"}
        place = {"source_id": id_of("source", "PLC"), "station_id": id_of("station", "Press 8")}
        session.add(Tag(id=id_of("tag", FAN), node="nsu=urn:test:plc;s=fan", names=names, **place))

    await plant.changes(elsewhere)
    await showed(plant, HOT, calm(60.0))
    await showed(plant, FAN, calm(9.0))
    await showed(plant, OIL, calm(4.0))
    place = f"/stations/{id_of('station', 'Press 7')}/evidence"
    assert "all signals of the station are kept" in (await plant.sees(place, by="Chen Jing")).text

    done(await plant.posts(place, {str(id_of("tag", FAN)): "chosen"}, by="Chen Jing"))
    assert (
        refused(await plant.posts(place, {str(id_of("tag", FAN)): "chosen"}, by="Wang Lei")) == "pullcord.not_allowed"
    )
    assert refused(await plant.posts(place, {str(id_of("tag", "nobody's")): "chosen"}, by="Chen Jing")) == (
        "pullcord.bad_input"
    )
    assert refused(await plant.posts(place, {str(id_of("tag", FAN)): "all"}, by="Chen Jing")) == "pullcord.bad_input"
    assert (await plant.sees(place, by="Wang Lei")).status_code == 403

    anomaly = await plant.machine_reports("Press 7", "overheating")
    await collects(plant)
    shown = await page(plant, anomaly)
    assert "Exhaust fan" in shown
    assert "sensor 1" not in shown


@on_any_database
async def test_its_tags_are_stored_within_seconds_while_it_is_recorded(plant):
    await plant.machine_reports("Press 7", "overheating")
    await collects(plant)

    wanted = await plant.db.write(history.write, [], now=plant.now)
    assert {id_of("tag", HOT), id_of("tag", OIL)} <= wanted
    here = select(Tag.id).where(col(Tag.station_id) == id_of("station", "Press 7"))
    assert wanted <= set(await plant.db.read(lambda session: session.exec(here).all()))
    assert await plant.db.write(history.write, [], now=plant.now + timedelta(minutes=16)) == set()


@on_any_database
async def test_it_speaks_chinese_and_stands_on_a_page_of_its_own(plant):
    await plant.speaks("Chen Jing", "zh")
    await showed(plant, HOT, calm(60.0))
    anomaly = await plant.machine_reports("Press 7", "overheating")
    await collects(plant)

    shown = await plant.sees(f"/anomalies/{anomaly}/evidence", by="Chen Jing")

    assert shown.status_code == 200
    assert '<html lang="zh-CN"' in shown.text
    assert "chart__line" in shown.text
