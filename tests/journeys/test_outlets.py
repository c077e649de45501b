"""Groups, programs and other places that are rung: within their limits, and never at the cost of anybody's phone."""

from pydantic import SecretStr

from app.anomaly.models import Anomaly
from app.channels import robot
from app.channels.registry import build_channels
from app.dispatch import outlets
from app.dispatch.models import Delivery, Outlet
from app.dispatch.outlets import Scope
from app.kit.secret import SECRET_FILE, keep, unseal
from app.people.addresses import keep_address
from app.people.models import Person
from tests.channels import provider
from tests.channels.provider import Provider
from tests.channels.test_ntfy import server as ntfy_server
from tests.channels.test_telephone import ALIYUN_SMS, KEY, SECRET, aliyun_rules
from tests.factories import STATIONS, id_of
from tests.journeys.harness import done, refused

CATEGORIES = ("machine", "quality", "material", "method", "environment", "measurement", "information", "safety")
ROBOT = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6"


async def test_a_group_sees_a_call_from_the_first_rung_on(plant):
    async with Provider(provider.wecom) as service:
        await adds_group(plant, service)

        report = await plant.worker_reports("Press 7")

        [asked] = service.asked
        assert "! Line 3 · Press 7: Machine" in asked.json["markdown"]["content"]
        assert str(report.anomaly) in asked.json["markdown"]["content"]


async def test_a_flood_is_a_few_messages_and_misses_nothing(plant):
    """20 a minute, then ten minutes of silence: 24 calls within a second are one message, and one that lists the rest."""
    async with Provider(provider.wecom) as service:
        await adds_group(plant, service)
        plant.loops_run = False
        for station in STATIONS:
            for category in CATEGORIES:
                await plant.worker_reports(station, category)
        await plant.dispatches()
        plant.loops_run = True
        await plant.settles()
        await plant.waits(minutes=1)

        assert len(service.asked) <= 20
        told = "".join(asked.body.decode() for asked in service.asked)
        assert "24 anomalies wait" in told
        assert "and 4 more" in told
        assert {d.state for d in await to_outlets(plant)} == {"sent"}


async def test_several_workers_keep_the_pause_of_one_robot(plant):
    async with Provider(provider.wecom) as service:
        await adds_group(plant, service)
        for minute in range(3):
            for category in CATEGORIES:
                await plant.worker_reports(list(STATIONS)[minute], category)
                await plant.waits(seconds=1)

        assert len(service.asked) <= 8  # within 24 seconds, one in four


async def test_a_robot_that_is_silenced_is_left_alone_for_ten_minutes_and_phones_ring_meanwhile(plant):
    async with Provider(provider.wecom) as service:
        await adds_group(plant, service)
        service.answers.append((200, {"errcode": 45009, "errmsg": "api freq out of limit"}, {}))

        await plant.worker_reports("Press 7")
        await plant.waits(minutes=4)
        await plant.worker_reports("Press 8", "quality")
        await plant.waits(minutes=4)

        assert len(service.asked) == 1
        assert plant.rings("Wang Lei")["Wang Lei"] >= 2
        await plant.waits(minutes=3)
        assert len(service.asked) == 2
        assert "Press 7" in service.asked[1].body.decode()
        assert "Press 8" in service.asked[1].body.decode()


async def test_a_refused_token_is_shown_in_words_and_what_waits_goes_out_when_it_is_right(plant):
    async with Provider(provider.wecom) as service:
        outlet = await adds_group(plant, service, key="revoked")
        await plant.worker_reports("Press 7")

        assert "invalid webhook url" in (await plant.sees("/channels", by="Gao Yan")).text
        assert robot.TOKEN.split(".")[0] in (await plant.sees("/channels", by="Gao Yan")).text.replace("&#39;", "'")
        assert plant.rings("Wang Lei") == {"Wang Lei": 1}

        await plant.changes(lambda session: corrects(session, plant, outlet, service))
        await plant.waits(minutes=10)

        assert "Press 7" in service.asked[-1].body.decode()
        assert "invalid webhook url" not in (await plant.sees("/channels", by="Gao Yan")).text


async def test_what_somebody_took_meanwhile_does_not_reach_the_group(plant):
    async with Provider(provider.wecom) as service:
        await adds_group(plant, service)
        first = await plant.worker_reports("Press 7")
        second = await plant.worker_reports("Press 8", "quality")
        done(await plant.accepts("Wang Lei", second.anomaly))
        await plant.waits(seconds=10)

        assert len(service.asked) == 1
        assert str(first.anomaly) in service.asked[0].body.decode()


async def test_a_paused_or_removed_group_is_silent(plant):
    async with Provider(provider.wecom) as service:
        outlet = await adds_group(plant, service)
        done(await plant.posts(f"/channels/{outlet}/pause", {}, by="Gao Yan"))
        await plant.worker_reports("Press 7")
        assert service.asked == []

        done(await plant.posts(f"/channels/{outlet}/pause/end", {}, by="Gao Yan"))
        await plant.worker_reports("Press 8", "quality")
        assert len(service.asked) == 1

        await plant.waits(minutes=1)
        before = len(service.asked)
        done(await plant.posts(f"/channels/{outlet}/removal", {}, by="Gao Yan"))
        await plant.worker_reports("Oven 1", "quality")
        assert len(service.asked) == before
        assert [o.target for o in await plant.all(Outlet)] == [""]


async def test_a_group_hears_only_of_its_own_line_and_of_what_is_bad_enough(plant):
    async with Provider(provider.wecom) as service:
        await adds_group(plant, service, scope=Scope(id_of("line", "Line 3"), None, 2, False))

        await plant.worker_reports("Oven 1")
        await plant.worker_reports("Press 7", "material")
        assert service.asked == []

        await plant.worker_reports("Press 8")
        assert len(service.asked) == 1


async def test_a_test_goes_out_at_once(plant):
    async with Provider(provider.wecom) as service:
        outlet = await adds_group(plant, service)
        await plant.worker_reports("Press 7")

        done(await plant.posts(f"/channels/{outlet}/test", {}, by="Gao Yan"))

        assert "Test from Pullcord" in service.asked[-1].body.decode()
        assert "works" in (await plant.sees("/channels", by="Gao Yan")).text


async def test_an_administrator_adds_a_robot_and_its_secret_never_comes_out_again(plant):
    form = {"kind": "wecom", "name": "Line 3 group", "url": ROBOT, "severity": "2", "begins": "first"}

    done(await plant.posts("/channels", form, by="Gao Yan"))

    [outlet] = await plant.all(Outlet)
    assert (outlet.name, outlet.severity, outlet.from_rung) == ("Line 3 group", 2, False)
    assert "693a91f6" not in outlet.target
    secret = keep(plant.settings.data_dir / SECRET_FILE)
    assert unseal(secret, outlet.target) == {"url": ROBOT, "secret": ""}
    pages = [(await plant.sees(f"/channels{path}", by="Gao Yan")).text for path in ("", f"/{outlet.id}")]
    assert all("Line 3 group" in page and "693a91f6" not in page for page in pages)

    done(await plant.posts(f"/channels/{outlet.id}", form | {"name": "Renamed", "url": ""}, by="Gao Yan"))
    [changed] = await plant.all(Outlet)
    assert (changed.name, changed.target) == ("Renamed", outlet.target)


async def test_what_cannot_work_is_refused_in_a_sentence_and_nothing_is_stored(plant):
    good = {"kind": "wecom", "name": "Group", "url": ROBOT}
    wrong = {
        "channels.bad_robot": {"url": "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=1"},
        "channels.bad_webhook": {"kind": "webhook", "url": "https://10.1.2.3/hook", "secret": "whsec_" + "A" * 44},
        "channels.bad_secret": {"kind": "webhook", "url": "https://hooks.example/x", "secret": "short"},
        "channels.bad_light": {"kind": "mqtt", "url": "http://broker", "topic": "a"},
        "dispatch.bad_outlet": {"kind": "carrier pigeon"},
    }
    for code, changes in wrong.items():
        assert refused(await plant.posts("/channels", good | changes, by="Gao Yan")) == code
    for changes in ({"name": " "}, {"severity": "7"}, {"line": "x"}, {"name": "n" * 81}):
        assert refused(await plant.posts("/channels", good | changes, by="Gao Yan")) == "dispatch.bad_outlet"

    assert await plant.all(Outlet) == []


async def test_nobody_but_an_administrator_sees_or_changes_channels(plant):
    for name in ("Wang Lei", "Zhao Min"):
        assert (await plant.sees("/channels", by=name)).status_code == 403
        assert refused(await plant.posts("/channels", {"kind": "wecom", "name": "x", "url": ROBOT}, by=name))
    assert (await plant.sees("/channels/new?kind=webhook", by="Gao Yan")).status_code == 200


async def test_a_refused_signature_alarms_the_administrator(plant):
    assert "refuse our signature" not in (await plant.sees("/channels", by="Gao Yan")).text
    plant.push.faults.append((403, {}))

    await plant.worker_reports("Press 7")

    assert "refuse our signature" in (await plant.sees("/channels", by="Gao Yan")).text


async def test_when_a_push_fails_the_next_channel_is_tried_at_once(plant):
    async with Provider(aliyun_rules) as carrier:
        await gives_number(plant, carrier, "Wang Lei")
        plant.push.faults.extend([(503, {})] * 3)

        await plant.worker_reports("Press 7")

        [asked] = carrier.asked
        assert asked.query["PhoneNumbers"] == "13812345678"
        assert "Press 7" in asked.query["TemplateParam"]
        await plant.waits(minutes=1)
        assert len(carrier.asked) == 1


async def test_when_the_push_arrives_no_text_is_paid_for(plant):
    async with Provider(aliyun_rules) as carrier:
        await gives_number(plant, carrier, "Wang Lei")

        await plant.worker_reports("Press 7")

        assert carrier.asked == []


async def test_a_card_that_can_be_changed_says_who_took_it_and_makes_no_sound(plant):
    async with Provider(ntfy_server) as server:
        url = SecretStr(server.url)
        await plant.calls_through(build_channels(plant.settings.model_copy(update={"ntfy_url": url})))
        await plant.changes(lambda session: listens(session, plant, "Zhao Min", "zhao-min-7f3k9x"))
        report = await plant.worker_reports("Press 7")
        await plant.waits(minutes=15)
        before = len(server.asked)
        assert before > 0

        done(await plant.accepts("Wang Lei", report.anomaly))

        first, last = server.asked[0].json, server.asked[-1].json
        assert len(server.asked) == before + 1
        assert first["sequence_id"] == last["sequence_id"]
        assert (last["title"], last["priority"]) == ("✓ Wang Lei has it · Press 7: Machine", 1)


async def test_small_things_are_one_message_an_hour(plant):
    reports = []
    for station, category in (("Press 7", "machine"), ("Press 8", "machine"), ("Press 8", "quality")):
        plant.loops_run = False
        reports.append(await plant.worker_reports(station, category))
        await plant.changes(lambda session, r=reports[-1]: makes_small(session, r.anomaly))
        plant.loops_run = True
        await plant.settles()
        await plant.waits(minutes=10)
    assert [line.partition(" | ")[0] for line in plant.phone_of("Sun Hao")] == ["· Line 3 · Press 7: Machine"]

    await plant.waits(minutes=45)

    assert plant.rings("Sun Hao") == {"Sun Hao": 2}
    assert plant.phone_of("Sun Hao")[-1].startswith("· Line 3 · Press 8: Machine")


async def test_several_small_things_wait_for_the_same_message(plant):
    plant.loops_run = False
    for station in STATIONS:
        report = await plant.worker_reports(station)
        await plant.changes(lambda session, r=report: makes_small(session, r.anomaly))
    plant.loops_run = True
    await plant.settles()

    [shown] = plant.phone_of("Sun Hao")
    assert shown.startswith("3 anomalies wait")
    assert all(station in shown for station in STATIONS)


async def adds_group(plant, service: Provider, *, key: str = "a-key", scope: Scope | None = None):
    """A WeCom group that hears of everything from the first call on."""
    channels = build_channels(plant.settings.model_copy(update={"chat_hosts": [service.place]}))
    await plant.calls_through(channels)
    target = {"url": f"{service.url}/cgi-bin/webhook/send?key={key}", "secret": ""}
    secret = keep(plant.settings.data_dir / SECRET_FILE)

    def add(session):
        by = session.get_one(Person, id_of("person", "Gao Yan"))
        everything = scope or Scope(None, None, 4, False)
        return outlets.add(session, "wecom", "Group", target, everything, by=by, secret=secret, now=plant.now).id

    return await plant.changes(add)


def corrects(session, plant, outlet, service: Provider) -> None:
    by = session.get_one(Person, id_of("person", "Gao Yan"))
    secret = keep(plant.settings.data_dir / SECRET_FILE)
    target = {"url": f"{service.url}/cgi-bin/webhook/send?key=a-key", "secret": ""}
    outlets.change(session, outlet, "Group", target, Scope(None, None, 4, False), by=by, secret=secret)


async def gives_number(plant, carrier: Provider, name: str) -> None:
    url = SecretStr(
        ALIYUN_SMS.format(key=KEY, secret=SECRET.replace("/", "%2F").replace("+", "%2B"), place=carrier.place)
    )
    await plant.calls_through(build_channels(plant.settings.model_copy(update={"sms_url": url})))

    def give(session) -> None:
        person = session.get_one(Person, id_of("person", name))
        number = "+8613812345678"
        keep_address(session, person, "sms", {"number": number}, unique=number, label="", now=plant.now)

    await plant.changes(give)


def listens(session, plant, name: str, topic: str) -> None:
    """Reached by ntfy first, whatever else there is."""
    person = session.get_one(Person, id_of("person", name))
    person.ways = ["ntfy"]
    session.add(person)
    keep_address(session, person, "ntfy", {"topic": topic}, unique=topic, label="", now=plant.now)


def makes_small(session, anomaly_id) -> None:
    anomaly = session.get_one(Anomaly, anomaly_id)
    anomaly.severity = 4
    session.add(anomaly)


async def to_outlets(plant) -> list[Delivery]:
    return [d for d in await plant.all(Delivery) if d.outlet_id]
