"""A hold stops the clock for a reason, and only as long as it lasts."""

from tests.journeys.harness import done


async def test_after_a_hold_the_clock_goes_on_where_it_was_stopped(plant):
    report = await plant.worker_reports("Press 7")
    await held_after(plant, report, minutes=110)
    await plant.waits(minutes=30)
    done(await plant.does("Li Wei", "hold/end", report.anomaly))
    plant.all_quiet()

    await plant.waits(minutes=9)
    assert plant.rings() == {}
    await plant.waits(minutes=1)

    assert plant.ringing() == {"Li Wei", "Wang Lei", "Chen Jing"}


async def test_a_step_forward_ends_the_hold(plant):
    report = await plant.worker_reports("Press 7")
    await held_after(plant, report, minutes=1)

    done(await plant.does("Li Wei", "containment", report.anomaly, note="Sorted out"))

    card = await plant.card(report.anomaly)
    assert (card.status, card.held, card.hold_reason) == ("contained", False, "")


async def test_who_takes_over_decides_anew_whether_it_waits(plant):
    report = await plant.worker_reports("Press 7")
    await held_after(plant, report, minutes=1)
    done(await plant.hands_over("Li Wei", report.anomaly, to="Sun Hao"))

    done(await plant.does("Sun Hao", "hand-over/acceptance", report.anomaly))

    card = await plant.card(report.anomaly)
    assert (card.owner, card.held, card.clock) == ("Sun Hao", False, "resolved")


async def test_a_hold_rings_once_at_its_end_however_often_it_is_regraded(plant):
    report = await plant.worker_reports("Press 7")
    await held_after(plant, report, minutes=1)
    plant.all_quiet()

    for severity in (1, 3, 1):
        done(await plant.does("Wang Lei", "severity", report.anomaly, severity=severity))
    assert plant.rings() == {}
    await plant.waits(minutes=60)

    assert plant.rings() == {"Li Wei": 1}


async def held_after(plant, report, *, minutes):
    """Li Wei is there, works for some minutes, and holds it for an hour."""
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.arrives("Li Wei", report.anomaly))
    await plant.waits(minutes=minutes)
    done(await plant.does("Li Wei", "hold", report.anomaly, reason="Waiting for a bearing", minutes="60"))
