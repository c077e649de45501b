"""Somebody calls for help: who is called, and what the reporter sees."""

from tests.journeys.harness import done, refused


async def test_a_report_rings_the_right_people_and_nobody_else(plant):
    report = await plant.worker_reports("Press 7", "machine")

    assert plant.ringing() == {"Li Wei", "Sun Hao", "Wang Lei"}
    assert plant.phone_of("Wang Lei") == ["! Line 3 · Press 7: Machine | #1001 · just now"]

    await plant.accepts("Wang Lei", report.anomaly)
