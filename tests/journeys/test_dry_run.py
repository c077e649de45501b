"""What a change would have done, by the log; and what it then does is what was said."""

from dataclasses import replace
from datetime import timedelta

from app.flows import queries as flows
from app.flows.document import Audience, Ladder, Rung
from app.flows.ladders import LINE_LEAD, MANAGERS, OWNER, UNSEEN
from app.foresight import queries as foresight
from app.foresight.dryrun import calls, dry_run
from app.ladders.actions import publish_ladder, with_ladder
from app.people.models import Person
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database

MINUTE = 60
CHANGED = Ladder(
    rungs=(
        Rung(clock="accepted", after=0, call=(Audience(team="quality"),)),
        Rung(clock="accepted", after=2 * MINUTE, call=(LINE_LEAD,)),
        Rung(clock="accepted", after=4 * MINUTE, call=(Audience(team="owner"),)),
        Rung(clock="displayed", after=MINUTE, call=(UNSEEN,)),
        Rung(clock="on_site", after=3 * MINUTE, call=(OWNER, MANAGERS)),
        Rung(clock="resolved", after=5 * MINUTE, call=(MANAGERS,)),
        Rung(clock="verified", after=0, call=(LINE_LEAD,)),
    )
)


async def the_same_story(plant, station: str):
    """Reported, taken after six minutes by Li Wei, on hold for a while, fixed late, sent back, fixed, checked."""
    report = await plant.worker_reports(station)
    await plant.waits(minutes=6)
    done(await plant.accepts("Li Wei", report.anomaly))
    await plant.waits(minutes=7)
    done(await plant.arrives("Li Wei", report.anomaly))
    await plant.waits(minutes=2)
    done(await plant.does("Li Wei", "hold", report.anomaly, reason="parts", minutes=50))
    await plant.waits(minutes=20)
    done(await plant.does("Li Wei", "hold/end", report.anomaly))
    await plant.waits(minutes=9)
    done(await plant.resolves("Li Wei", report.anomaly))
    await plant.waits(minutes=1)
    done(await plant.does("Wang Lei", "severity", report.anomaly, severity=3))
    done(await plant.does("Wang Lei", "severity", report.anomaly, severity=2))
    done(await plant.does("Wang Lei", "send-back", report.anomaly, reason="no"))
    await plant.waits(minutes=4)
    done(await plant.does("Li Wei", "release", report.anomaly, reason="shift ends"))
    await plant.waits(minutes=3)
    done(await plant.accepts("Li Wei", report.anomaly))
    done(await plant.resolves("Li Wei", report.anomaly))
    await plant.waits(minutes=1)
    done(await plant.verifies("Wang Lei", report.anomaly))
    return report.anomaly


def plan_now(session, now):
    return foresight.plan(session, id_of("site", "Suzhou"), since=now - timedelta(days=1), until=now)


def with_change(plan):
    machine = with_ladder(plan.flows["machine"], 2, CHANGED)
    return replace(plan, flows={**plan.flows, "machine": machine})


async def said(plant, station: str, *, changed: bool) -> list[tuple]:
    """Who would be called by the log of a station's story, counted from its beginning."""

    def ask(session):
        plan = plan_now(session, plant.now)
        (story,) = [
            one
            for one in foresight.past(session, plan, id_of("site", "Suzhou"), since=plant.now - timedelta(days=1), until=plant.now)
            if one.case.station_id == id_of("station", station)
        ]  # fmt: skip
        found = calls(story, with_change(plan) if changed else plan, until=plant.now)
        begin = story.events[0].at
        names = {person.id: person.name for person in plan.roster.staff}
        return sorted((ring.at - begin, ring.clock, ring.place, names[ring.person_id]) for ring in found)

    return await plant.db.read(ask)


async def happened(plant, anomaly) -> list[tuple]:
    events = await plant.timeline(anomaly)
    return sorted(
        (event.at - events[0].at, event.details["clock"], event.details["rung"], name)
        for event in events
        if event.kind in ("called", "nobody", "unseen") and event.details["clock"] != "hold"
        for name in event.details["called"]
    )


async def test_the_dry_run_says_what_a_replay_under_the_applied_change_does(plant):
    before = await the_same_story(plant, "Press 7")
    foretold = await said(plant, "Press 7", changed=True)
    assert await said(plant, "Press 7", changed=False) == await happened(plant, before)

    def change(session):
        base = flows.versions(session, "machine")[0].number
        boss = session.get_one(Person, id_of("person", "Zhao Min"))
        publish_ladder(session, ["machine"], 2, CHANGED, base=base, by=boss, now=plant.now)

    await plant.changes(change)
    await plant.waits(minutes=1)
    after = await the_same_story(plant, "Press 8")

    assert await happened(plant, after) == foretold
    assert foretold != await happened(plant, before)


@on_any_database
async def test_a_change_is_told_in_calls_and_minutes(plant):
    await the_same_story(plant, "Press 7")

    def ask(session):
        plan = plan_now(session, plant.now)
        past = foresight.past(
            session, plan, id_of("site", "Suzhou"), since=plant.now - timedelta(days=1), until=plant.now
        )
        return dry_run(past, plan, with_change(plan), until=plant.now), dry_run(past, plan, plan, until=plant.now)

    changed, same = await plant.db.read(ask)

    assert same.same
    assert changed.anomalies == 1
    assert changed.later == [timedelta(minutes=4)], "Li Wei, who came, would have been called at the third step"
    assert changed.fewer + changed.more > 0
