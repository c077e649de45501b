"""Promise 2: it does not forget when somebody accepted. Each step that follows has a clock of its own."""

from tests.journeys.harness import done


async def test_who_accepted_and_does_not_come_is_called_again_with_the_lead(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()

    await plant.waits(minutes=9, seconds=59)
    assert plant.rings() == {}
    await plant.waits(seconds=1)

    assert plant.ringing() == {"Li Wei", "Wang Lei"}
    assert plant.phone_of("Li Wei")[0].startswith("! Nobody on site yet · Press 7: Machine")


async def test_who_is_there_and_cannot_fix_it_gets_help(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.arrives("Li Wei", report.anomaly))
    plant.all_quiet()

    await plant.waits(hours=1, minutes=59)
    assert plant.rings() == {}
    await plant.waits(minutes=1)

    assert plant.ringing() == {"Li Wei", "Wang Lei", "Chen Jing"}
    assert plant.phone_of("Chen Jing")[0].startswith("! Still not fixed · Press 7: Machine")


async def test_what_is_fixed_is_not_over_before_somebody_else_has_looked(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    plant.all_quiet()

    await plant.waits(days=2)

    assert {"Wang Lei", "Liu Yang", "Zhao Min"} <= plant.ringing()
    assert "Li Wei" not in plant.ringing()


async def test_given_back_it_rings_everybody_from_the_first_rung(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()

    done(await plant.does("Li Wei", "release", report.anomaly, reason="Wrong tools"))

    assert plant.rings() == {"Li Wei": 1, "Sun Hao": 1, "Wang Lei": 1}


async def test_offered_to_somebody_it_stays_with_the_giver_until_they_take_it(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.hands_over("Li Wei", report.anomaly, to="Sun Hao"))
    plant.all_quiet()

    await plant.waits(minutes=10)

    assert (await plant.card(report.anomaly)).owner == "Li Wei"
    assert plant.ringing() == {"Li Wei", "Wang Lei"}


async def test_a_hold_ends_by_itself_and_rings_its_owner(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.does("Li Wei", "hold", report.anomaly, reason="parts", minutes=90))
    plant.all_quiet()

    await plant.waits(minutes=89)
    assert plant.rings() == {}
    await plant.waits(minutes=1)

    assert plant.rings() == {"Li Wei": 1}


async def test_nobody_reacts_for_days_and_still_it_is_not_forgotten(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.waits(days=2)
    plant.all_quiet()

    await plant.waits(days=1)

    assert plant.rings("Li Wei") == {"Li Wei": 1}  # rarer and rarer: a reminder, not a siren
