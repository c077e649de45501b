"""Put right, checked by somebody else, or called off."""

from itertools import pairwise

import pytest

from app.resolve.models import Resolution
from tests.journeys.harness import done, on_any_database, refused


async def test_from_the_call_to_the_end_each_step_has_its_time_and_its_name(plant):
    report = await plant.worker_reports("Press 7", by="Ma Jun")
    await plant.waits(minutes=1)
    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.waits(minutes=2)
    done(await plant.arrives("Li Wei", report.anomaly))
    await plant.waits(minutes=3)
    done(await plant.does("Li Wei", "containment", report.anomaly, note="Sorted out 20 parts"))
    await plant.waits(minutes=30)
    done(await plant.resolves("Li Wei", report.anomaly, fix="Changed the bearing"))
    await plant.waits(minutes=5)
    done(await plant.verifies("Wang Lei", report.anomaly))

    row = await plant.row(report.anomaly)
    steps = (row.received_at, row.accepted_at, row.arrived_at, row.contained_at, row.resolved_at, row.verified_at)
    assert [(after - before).total_seconds() / 60 for before, after in pairwise(steps)] == [
        1, 2, 3, 30, 5,
    ]  # fmt: skip
    assert [(event.kind, event.by) for event in await plant.timeline(report.anomaly) if event.by] == [
        ("accept", "Li Wei"),
        ("arrive", "Li Wei"),
        ("contain", "Li Wei"),
        ("resolve", "Li Wei"),
        ("verify", "Wang Lei"),
    ]
    (told,) = await plant.all(Resolution)
    assert (told.cause_class, told.fix, told.permanent, told.verdict) == (
        "machine", "Changed the bearing", True, "verified",
    )  # fmt: skip


async def test_when_it_is_fixed_the_lead_of_the_line_is_asked_to_check(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()

    done(await plant.resolves("Li Wei", report.anomaly))

    assert plant.ringing() == {"Wang Lei"}
    assert plant.phone_of("Wang Lei")[0].startswith("✓ Please check: Press 7: Machine")


async def test_who_fixed_it_cannot_verify_it(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Wang Lei", report.anomaly)

    assert refused(await plant.verifies("Wang Lei", report.anomaly)) == "resolve.others_must_verify"
    confirmation = await plant.posts(f"{report.receipt}/confirmation", {"works": "yes"}, by="Wang Lei")
    assert refused(confirmation) == "resolve.others_must_verify"

    assert (await plant.card(report.anomaly)).status == "resolved"


async def test_an_operator_cannot_verify_what_others_fixed(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)

    assert refused(await plant.verifies("Ma Jun", report.anomaly)) == "pullcord.not_allowed"


async def test_sent_back_it_is_the_resolvers_again_and_the_phone_says_so(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    plant.all_quiet()

    done(await plant.does("Wang Lei", "send-back", report.anomaly, reason="Still rattles"))

    card = await plant.card(report.anomaly)
    assert (card.status, card.owner) == ("accepted", "Li Wei")
    assert plant.phone_of("Li Wei")[0].startswith("Not fixed yet · Press 7: Machine")
    (told,) = await plant.all(Resolution)
    assert (told.verdict, told.verdict_reason) == ("sent_back", "Still rattles")

    done(await plant.resolves("Li Wei", report.anomaly))
    done(await plant.verifies("Wang Lei", report.anomaly))


async def test_an_anonymous_reporter_confirms_on_the_receipt(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)

    done(await plant.posts(f"{report.receipt}/confirmation", {"works": "yes"}))

    assert (await plant.card(report.anomaly)).status == "watching"


async def test_an_anonymous_reporter_sends_back_on_the_receipt(plant):
    report = await plant.worker_reports("Press 7")
    await plant.is_fixed_by("Li Wei", report.anomaly)
    plant.all_quiet()

    done(await plant.posts(f"{report.receipt}/confirmation", {"works": "no", "reason": "Stopped again"}))

    assert (await plant.card(report.anomaly)).status == "accepted"
    assert plant.ringing() == {"Li Wei"}


async def test_a_confirmation_before_it_is_fixed_is_refused(plant):
    report = await plant.worker_reports("Press 7")

    answer = await plant.posts(f"{report.receipt}/confirmation", {"works": "yes"})

    assert refused(answer) == "anomaly.not_allowed_now"


async def test_on_hold_nothing_rings_and_at_its_end_the_owner_looks_again(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.arrives("Li Wei", report.anomaly))
    plant.all_quiet()

    done(await plant.does("Li Wei", "hold", report.anomaly, reason="Waiting for a bearing", minutes="600"))
    await plant.waits(hours=9, minutes=59)

    card = await plant.card(report.anomaly)
    assert (card.held, card.hold_reason) == (True, "Waiting for a bearing")
    assert plant.rings() == {}

    await plant.waits(minutes=1)

    assert plant.phone_of("Li Wei")[0].startswith("Look again: Press 7: Machine")

    done(await plant.does("Li Wei", "hold/end", report.anomaly))
    plant.all_quiet()
    await plant.waits(hours=2)

    assert (await plant.card(report.anomaly)).held is False
    assert plant.ringing() == {"Li Wei", "Wang Lei", "Chen Jing"}


async def test_a_hold_needs_a_reason(plant):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))

    assert refused(await plant.does("Li Wei", "hold", report.anomaly, reason=" ", minutes="10")) == "pullcord.bad_input"
    assert (await plant.card(report.anomaly)).held is False


@on_any_database
@pytest.mark.parametrize("reason", ["false", "duplicate", "practice", "recalled"])
async def test_it_is_called_off_with_a_reason_and_rings_no_more(plant, reason):
    report = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", report.anomaly))
    plant.all_quiet()

    done(await plant.does("Wang Lei", "cancellation", report.anomaly, reason=reason))
    await plant.waits(days=2)

    card = await plant.card(report.anomaly)
    assert (card.status, card.end_reason) == ("cancelled", reason)
    assert plant.rings() == {"Li Wei": 1}
    assert plant.phone_of("Li Wei")[0].startswith("Called off · Press 7: Machine")


async def test_without_a_reason_nothing_is_called_off(plant):
    report = await plant.worker_reports("Press 7")

    assert refused(await plant.does("Wang Lei", "cancellation", report.anomaly, reason="tired")) == "pullcord.bad_input"
    assert (await plant.card(report.anomaly)).status == "reported"


async def test_a_reporter_recalls_while_nobody_is_on_the_way(plant):
    report = await plant.worker_reports("Press 7")
    plant.all_quiet()

    done(await plant.posts(f"{report.receipt}/recall", {}))
    await plant.waits(hours=1)

    card = await plant.card(report.anomaly)
    assert (card.status, card.end_reason) == ("cancelled", "recalled")
    assert plant.rings() == {}


async def test_what_somebody_has_accepted_or_confirmed_cannot_be_recalled(plant):
    accepted = await plant.worker_reports("Press 7")
    done(await plant.accepts("Li Wei", accepted.anomaly))
    shared = await plant.worker_reports("Oven 1")
    await plant.says_me_too("Oven 1", shared.anomaly)

    answers = [await plant.posts(f"{report.receipt}/recall", {}) for report in (accepted, shared)]

    assert [refused(answer) for answer in answers] == ["anomaly.not_allowed_now"] * 2


async def test_a_lead_makes_it_urgent_and_it_rings_again(plant):
    report = await plant.worker_reports("Press 7", "method")
    plant.all_quiet()

    done(await plant.does("Wang Lei", "severity", report.anomaly, severity="1"))

    assert plant.ringing() == {"Chen Jing", "Wang Lei"}
    assert plant.phone_of("Chen Jing")[0].startswith("‼ Line 3 · Press 7: Process")


async def test_what_a_lead_has_decided_an_answer_does_not_undo(plant):
    report = await plant.worker_reports("Press 7", "method")
    done(await plant.does("Wang Lei", "severity", report.anomaly, severity="1"))

    await plant.posts(f"{report.receipt}/details", {"line_stopped": "no", "danger": "no"})

    assert (await plant.card(report.anomaly)).severity == 1


@on_any_database
@pytest.mark.parametrize("severity", ["0", "5", "-1", "two", "", "9" * 30])
async def test_there_are_four_severities(plant, severity):
    report = await plant.worker_reports("Press 7")

    answer = await plant.does("Wang Lei", "severity", report.anomaly, severity=severity)

    assert refused(answer) == "pullcord.bad_input"
    assert (await plant.card(report.anomaly)).severity == 2
