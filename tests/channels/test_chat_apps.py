"""Accept in a chat: the card, whose thumb it was, and what it says afterwards. The same for every chat app."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest

from app.channels.apps import APPS, BadApp, check_app
from app.channels.base import Undeliverable
from app.channels.dingtalk_stream import DingTalkStream
from app.channels.feishu_long import FeishuLong
from app.channels.line import LOST, REFUSED, Click, Reply
from app.channels.pbframe import Frame, Unreadable
from app.channels.wecom_smart import WeComSmart
from app.dispatch.models import Delivery, Outlet
from app.kit.guard import Limit
from app.kit.ids import new_id
from app.kit.secret import SECRET_FILE, keep, seal
from app.people import chat_routes
from app.people.models import Person
from tests.channels.chat_apps import APP, GROUP, SECRET, DingTalkApp
from tests.channels.chat_frames import FeishuApp, WeComApp, their_frame
from tests.channels.letters import message
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused
from workers.chat import Listener

KINDS = {
    "dingtalk_stream": (DingTalkApp, DingTalkStream),
    "feishu_long": (FeishuApp, FeishuLong),
    "wecom_smart": (WeComApp, WeComSmart),
}
CODE = re.compile(r"\b[2-9A-Z]{6}\b")


@pytest.fixture(params=KINDS)
async def chat(request):
    """A chat app, and our channel that talks to it."""
    stand_in, channel = KINDS[request.param]
    async with stand_in() as app:
        app.channel = channel(app.url)
        yield app
        await app.channel.close()


@pytest.fixture
async def group(plant, chat, monkeypatch):
    """A group of that chat app is told of every call, and clicks are listened to."""
    monkeypatch.setattr(chat_routes, "tries", Limit(10))  # of this test alone: its clock stands still
    before = plant.channels
    channels = {**before, chat.channel.kind: chat.channel}
    plant.channels, plant.deliverer.channels = channels, channels

    def add(session):
        made = Outlet(
            site_id=id_of("site", "Suzhou"),
            channel=chat.channel.kind,
            name="Line 3",
            target=seal(keep(plant.settings.data_dir / SECRET_FILE), target()),
            from_rung=False,
            created_at=plant.now,
        )
        session.add(made)

    await plant.changes(add)
    every = dict.fromkeys(APPS, chat.channel)
    secret = keep(plant.settings.data_dir / SECRET_FILE)
    listener = Listener(plant.db, every, plant.settings, secret, clock=plant.clock)
    await listener.step()
    await chat.is_listened_to()
    await a_card(chat)
    yield chat
    await listener.close()
    await plant.calls_through(before)


def target(**more):
    return {"app": APP, "secret": SECRET, "group": GROUP, **more}


async def card_of(plant, report):
    """The card in the group that is about this report."""
    await plant.settles()
    mine = [d for d in await plant.all(Delivery) if d.outlet_id and d.anomaly_id == report.anomaly]
    return card_named(max((d for d in mine if d.purpose == "call"), key=lambda d: d.rung))


def card_named(delivery):
    """What the chat app calls the card of a delivery."""
    return delivery.receipt["card"] if delivery.receipt else delivery.id.hex


async def is_known(plant, chat, name, user):
    """Somebody presses Accept for the first time, and types the code they are shown."""
    report = await plant.worker_reports("Oven 1")
    said = await chat.clicks(user, await card_of(plant, report))
    done(await plant.posts("/me/chat", {"code": CODE.findall(said)[-1]}, by=name))


async def test_who_presses_accept_has_it_and_the_card_says_so(plant, group):
    await is_known(plant, group, "Li Wei", "u-liwei")
    report = await plant.worker_reports("Press 7")
    card = await card_of(plant, report)
    assert group.shown(card)[1] == ["I take it", "Open"]

    assert await group.clicks("u-liwei", card) == "You have it. Go to the station."

    assert (await plant.card(report.anomaly)).owner == "Li Wei"
    title, buttons = group.shown(card)
    assert title.startswith("✓ Li Wei has it")
    assert buttons == ["Open"]
    [accepted] = [event for event in await plant.timeline(report.anomaly) if event.kind == "accept"]
    assert accepted.details["via"] == group.channel.kind


async def test_the_second_click_learns_who_was_faster(plant, group):
    await is_known(plant, group, "Li Wei", "u-liwei")
    await is_known(plant, group, "Sun Hao", "u-sunhao")
    report = await plant.worker_reports("Press 7")
    card = await card_of(plant, report)
    await group.clicks("u-liwei", card)

    assert "Li Wei already has it" in await group.clicks("u-sunhao", card)
    assert await group.clicks("u-liwei", card) == "It is yours already. Go to the station."
    assert (await plant.card(report.anomaly)).owner == "Li Wei"


async def test_an_acceptance_in_the_app_changes_the_card_too(plant, group):
    report = await plant.worker_reports("Press 7")
    card = await card_of(plant, report)

    done(await plant.accepts("Li Wei", report.anomaly))

    assert group.shown(card)[0].startswith("✓ Li Wei has it" if group.changes else "! Line 3")


async def test_a_stranger_takes_nothing_and_is_told_how_to_become_known(plant, group):
    report = await plant.worker_reports("Press 7")
    card = await card_of(plant, report)

    said = await group.clicks("u-stranger", card)

    assert "/me/chat" in said
    assert (await plant.card(report.anomaly)).owner == ""
    assert group.shown(card)[1] == ["I take it", "Open"]


@on_any_database
async def test_a_code_is_of_one_person_for_a_quarter_of_an_hour(plant, group):
    card = await card_of(plant, await plant.worker_reports("Press 7"))
    first = CODE.findall(await group.clicks("u-liwei", card))[-1]
    second = CODE.findall(await group.clicks("u-liwei", card))[-1]

    assert refused(await plant.posts("/me/chat", {"code": first}, by="Li Wei")) == "people.bad_chat_code"
    await plant.stands_still(minutes=16)
    assert refused(await plant.posts("/me/chat", {"code": second}, by="Li Wei")) == "people.bad_chat_code"
    third = CODE.findall(await group.clicks("u-liwei", card))[-1]
    done(await plant.posts("/me/chat", {"code": f" {third[:3].lower()}-{third[3:]} "}, by="Li Wei"))
    assert refused(await plant.posts("/me/chat", {"code": third}, by="Sun Hao")) == "people.bad_chat_code"


async def test_who_may_not_take_it_in_the_app_may_not_in_the_chat(plant, group):
    await is_known(plant, group, "He Fang", "u-hefang")
    report = await plant.worker_reports("Press 7")

    said = await group.clicks("u-hefang", await card_of(plant, report))

    assert "Your role cannot do this" in said
    assert (await plant.card(report.anomaly)).owner == ""


async def test_a_person_who_is_known_and_likes_it_is_called_in_a_chat_of_their_own(plant, group):
    await is_known(plant, group, "Li Wei", "u-liwei")

    def likes_it(session):
        session.get_one(Person, plant.id_of("Li Wei")).ways = [group.channel.kind, "webpush"]

    await plant.changes(likes_it)
    report = await plant.worker_reports("Press 7")
    await plant.settles()

    mine = [d for d in await plant.all(Delivery) if d.person_id == plant.id_of("Li Wei")]
    [card] = [card_named(d) for d in mine if d.channel == group.channel.kind and d.anomaly_id == report.anomaly]
    assert await group.clicks("u-liwei", card) == "You have it. Go to the station."


@asynccontextmanager
async def listening(chat, answer, **more):
    task = asyncio.create_task(chat.channel.listen(target(**more), answer))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def nobody(click: Click) -> Reply:
    return Reply("heard")


async def a_card(chat):
    """Send a card as soon as that works, and return what it is called."""
    sent = message(delivery_id=new_id())
    async with asyncio.timeout(10):
        while True:
            try:
                return (await chat.channel.send(sent, target()) or {}).get("card", sent.delivery_id.hex)
            except Undeliverable:
                await asyncio.sleep(0)


async def test_wrong_secrets_are_a_sentence(chat):
    with pytest.raises(Undeliverable) as refusal:
        await chat.channel.listen(target(secret="wrong"), nobody)

    assert refusal.value.reason == REFUSED


async def test_a_lost_connection_is_told_and_opened_again(chat):
    async with listening(chat, nobody) as task:
        await chat.is_listened_to()
        await a_card(chat)
        await chat.hangs_up()
        with pytest.raises(Undeliverable) as lost:
            await task
    assert (lost.value.reason, bool(lost.value.retry_after)) == (LOST, True)

    async with listening(chat, nobody):
        await chat.is_listened_to()


async def test_an_answer_that_takes_long_comes_in_time_all_the_same(chat, monkeypatch):
    monkeypatch.setattr("app.channels.line.PATIENCE", 0.05)
    told = asyncio.Event()

    async def slow(click: Click) -> Reply:
        await told.wait()
        return Reply("late")

    async with listening(chat, slow):
        await chat.is_listened_to()
        card = await a_card(chat)
        assert "It takes a moment" in await chat.clicks("u-1", card)
        told.set()


async def test_one_click_waits_for_no_other_and_nonsense_harms_nobody(chat):
    told = asyncio.Event()

    async def first_is_slow(click: Click) -> Reply:
        if click.user == "u-slow":
            await told.wait()
        return Reply(f"heard {click.user}")

    async with listening(chat, first_is_slow):
        await chat.is_listened_to()
        card = await a_card(chat)
        await chat.socket.send_str("no json")
        await chat.socket.send_json({"nothing": "known"})
        slow = asyncio.create_task(chat.clicks("u-slow", card))
        await asyncio.sleep(0)
        assert await chat.clicks("u-quick", card) == "heard u-quick"
        told.set()
        assert await slow == "heard u-slow"


async def test_dingtalk_is_answered_as_its_own_library_answers():
    from dingtalk_stream import AckMessage, CallbackHandler, CallbackMessage

    class Handler(CallbackHandler):
        async def process(self, callback):
            return AckMessage.STATUS_OK, {"said": callback.data["outTrackId"]}

    frame = {"specVersion": "1.0", "type": "CALLBACK", "headers": {"messageId": "m1", "topic": "t"}}
    theirs = (
        await Handler().raw_process(CallbackMessage.from_dict({**frame, "data": '{"outTrackId": "x"}'}))
    ).to_dict()

    async with DingTalkApp() as app:
        channel = DingTalkStream(app.url)
        app.channel = channel
        async with listening(app, nobody):
            await app.is_listened_to()
            assert await app.ping() == {"opaque": "abc"}
            await app.says_goodbye()
        await channel.close()
    assert set(theirs) == {"code", "headers", "message", "data"}
    assert set(theirs["headers"]) == {"messageId", "contentType"}
    assert json.loads(theirs["data"]) == {"response": {"said": "x"}}


def test_feishus_frames_are_those_of_its_own_library():
    ours = Frame(
        seq=2**63, log=300, service=33554678, method=1, headers={"type": "event", "名": "值"}, payload=b"\x00{}"
    )
    theirs = their_frame()()
    theirs.ParseFromString(ours.written())

    assert (theirs.SeqID, theirs.LogID, theirs.service, theirs.method) == (2**63, 300, 33554678, 1)
    assert {header.key: header.value for header in theirs.headers} == ours.headers
    assert theirs.payload == ours.payload
    theirs.payload_encoding, theirs.LogIDNew = "gzip", "log"
    read = Frame.read(theirs.SerializeToString())
    assert read.answered(ours.payload) == read
    assert their_frame().FromString(read.written()) == theirs


@pytest.mark.parametrize("raw", [b"\xff", b"\x08", b"\x42\x05abc", b"\x0d1234", b"\x08" + b"\xff" * 11])
def test_what_is_no_frame_is_refused(raw):
    with pytest.raises(Unreadable):
        Frame.read(raw)


@pytest.mark.parametrize("wrong", [{"app": ""}, {"secret": " "}, {"group": ""}, {"group": "车间"}, {"api": "http://x"}])
def test_an_app_without_what_it_needs_is_refused_before_it_is_stored(wrong):
    with pytest.raises(BadApp):
        check_app("feishu_long", {"app": "a", "secret": "b", "group": "c"} | wrong)


@on_any_database
async def test_an_administrator_adds_one_and_its_secret_is_shown_to_nobody(plant):
    page = await plant.sees("/channels/new?kind=dingtalk_stream", by="Gao Yan")
    assert "openConversationId" in page.text
    form = {"kind": "dingtalk_stream", "name": "Line 3", "app": APP, "secret": "very-secret", "group": GROUP}
    done(await plant.posts("/channels", form, by="Gao Yan"))

    [made] = await plant.all(Outlet)
    assert "very-secret" not in made.model_dump_json()
    assert "very-secret" not in (await plant.sees(f"/channels/{made.id}", by="Gao Yan")).text
