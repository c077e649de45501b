"""Nobody came: the next rung is called, once. What may happen meanwhile: tests/promises."""

SECOND = {"Wang Lei", "Liu Yang", "Chen Jing"}


async def test_nobody_accepts_so_one_rung_up_is_called_exactly_once(plant):
    await plant.worker_reports("Press 7")
    plant.all_quiet()

    await plant.waits(minutes=14, seconds=59)

    assert plant.rings() == dict.fromkeys(SECOND, 1)
    assert plant.phone_of("Chen Jing") == ["! Line 3 · Press 7: Machine | #1001 · waiting for 5 min"]

    await plant.waits(seconds=1)

    assert plant.rings() == dict.fromkeys([*SECOND, "Zhao Min"], 1)

    await plant.waits(minutes=14, seconds=59)

    assert plant.rings() == dict.fromkeys([*SECOND, "Zhao Min"], 1)


async def test_at_the_end_of_the_ladder_nobody_is_forgotten(plant):
    await plant.worker_reports("Press 7")
    await plant.waits(hours=2)
    plant.all_quiet()

    await plant.waits(minutes=15)

    assert plant.rings() == {"Zhao Min": 1}

    await plant.waits(days=3)

    assert 5 <= plant.rings()["Zhao Min"] <= 9  # rarer and rarer: a reminder, not a siren
