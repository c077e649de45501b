"""One connection to an OPC UA server, supervised by us: what is read there becomes samples.

Longer than most files because the OPC UA library may be imported here only. The library's own reconnection is not
used: it comes back "connected" without having read what changed in the gap. Here every loss ends the session and its
client; the next one is made from nothing, subscribes, and reads every value. Nothing is dropped on our side: when
samples are not taken away fast enough, we stop asking the server for more.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote
from uuid import UUID

import structlog
from asyncua import ua

from app.capture.sources.opcua_conditions import Conditions
from app.capture.sources.opcua_publish import Answer, Change, Unreadable, of_value, publish
from app.capture.sources.opcua_security import check_still_valid, enter, leave, prepared
from app.kit.clock import utcnow
from app.machines import faults
from app.machines.certificates import Keys
from app.machines.conditions import Repeated, Told
from app.machines.faults import Fault, LinkError
from app.machines.models import LinkState
from app.machines.plan import LinkPlan
from app.machines.rules import BAD, GOOD, Sample

PUBLISH_REQUESTS = 4  # outstanding at once: with one, servers that cap a message fall seconds behind
ITEM_QUEUE = 10  # changes of one tag the server keeps between two messages, so that a short pulse is seen
LIFETIMES = 12  # a subscription lives this many keep-alives without us
SESSION_TIMEOUT = 30_000  # ms: what a crash of ours leaves on the server is soon gone; small ones have two sessions
MOST_WAITING = 50_000  # samples not yet taken away, before we stop asking for more
CHUNK = 1000  # nodes in one request, where the server names no limit of its own
SET_UP_S = 60.0
FIRST_REST_S = 1.0
SETTLED_S = 60.0  # a connection that lived this long was a good one: the next rest is short again
CLOCK_SURE_S = 2.0  # what we see of another clock is not better than this: a smaller difference is none
CLOCK_OFF_S = 60.0
READ_SHARE = 10  # reading again because something was lost takes at most a tenth of the time
OVERFLOW = 0x480  # in a status code: "about the value", and "others were thrown away beside it"

NAMESPACES = ua.NodeId(ua.Int32(ua.ObjectIds.Server_NamespaceArray))
START_TIME = ua.NodeId(ua.Int32(ua.ObjectIds.Server_ServerStatus_StartTime))
CURRENT_TIME = ua.NodeId(ua.Int32(ua.ObjectIds.Server_ServerStatus_CurrentTime))
MAX_READ = ua.NodeId(ua.Int32(ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead))
MAX_ITEMS = ua.NodeId(ua.Int32(ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall))

NO_VALUE_BEHIND = frozenset(
    {
        "UncertainInitialValue",
        "UncertainLastUsableValue",
        "UncertainNoCommunicationLastUsableValue",
        "UncertainSubstituteValue",
    }
)
"""Uncertain in a way that means nobody measures any more. Other uncertain values are judged: better than none."""

TOO_MUCH = (
    ua.uaerrors.BadTooManyOperations,
    ua.uaerrors.BadEncodingLimitsExceeded,
    ua.uaerrors.BadRequestTooLarge,
    ua.uaerrors.BadResponseTooLarge,
)
"""Some servers name no limit and have one: ask for half as much."""

NODE_GONE = frozenset({"BadNodeIdUnknown", "BadNodeIdInvalid"})

log = structlog.get_logger()
logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # what goes wrong is told once, by us, in plain words


class Sink(Protocol):
    """Where a link hands over what it reads and how it stands. `take` may wait: that slows the link down."""

    async def take(self, samples: Sequence[tuple[UUID, Sample]]) -> None: ...

    async def hear(self, news: Sequence[Told | Repeated]) -> None: ...

    async def link_is(self, state: LinkState, fault: str) -> None: ...


class Link:
    """Keeps one source connected for ever. `kick` ends a rest; `reread` has all values read again now.

    `overflows` counts how often something was lost on the way: a full queue of the server, or a message. `bad` holds
    the places of the tags that show no good value, `clock_offset_s` how far the server's clock is behind ours.
    """

    def __init__(self, plan: LinkPlan, sink: Sink, keys: Keys | None = None) -> None:
        self.plan, self.keys = plan, keys
        self.overflows = 0
        self.bad: set[int] = set()
        self.clock_offset_s: float | None = None
        self.kick = asyncio.Event()
        self.reread = asyncio.Event()
        self.refresh = asyncio.Event()
        self.conditions: Conditions | None = None
        self._sink = sink

    async def run(self) -> None:
        """Connect, listen, and begin anew after every loss. Never returns; ends only by being cancelled."""
        settings, time = self.plan.settings, asyncio.get_running_loop().time
        rest = FIRST_REST_S
        while True:
            await self._sink.link_is(LinkState.CONNECTING, "")
            session, began = _Session(self, self._sink), time()
            fault = await self._until_lost(session)
            if session.connected and time() - began > SETTLED_S:
                rest = FIRST_REST_S
            state = LinkState.NEEDS_PERSON if fault.needs_person else LinkState.RETRYING
            await self._sink.link_is(state, fault.code)
            # Full jitter, so that twenty links do not knock together when the network is back.
            wait = settings.person_rest_s if fault.needs_person else random.uniform(0, rest)
            rest = min(rest * 2, settings.longest_rest_s)
            if await _rung(self.kick, wait):
                rest = FIRST_REST_S

    async def _until_lost(self, session: "_Session") -> Fault:
        try:
            await session.run()
        except Exception as error:
            fault = faults.explain(error)
            unknown = error if fault is faults.UNEXPECTED else None
            log.info("source.lost", source=self.plan.name, fault=fault.code, error=repr(error), exc_info=unknown)
            return fault
        finally:
            self.conditions = None
        return faults.LOST


class _Arrival(NamedTuple):
    """A value on its way in; its handle is the place of its tag. `asked`: we read it, the server did not tell it."""

    change: Change
    asked: bool = False


class _Session:
    """One connection, from connect to loss."""

    def __init__(self, link: Link, sink: Sink) -> None:
        self.connected = False
        self._link = link
        self._plan = link.plan
        self._settings = link.plan.settings
        self._reread = link.reread
        self._bad = link.bad = set()
        self._sink = sink
        self._offset = timedelta()
        self._chunk_read = self._chunk_items = CHUNK
        self._nodes: dict[int, ua.NodeId] = {}
        self._unwatched: set[int] = set()
        self._unheard = set(range(len(link.plan.items)))
        self._stamps: list[datetime | None] = [None] * len(link.plan.items)
        self._subscription = 0
        self._keep_alive_s = self._settings.keep_alive_s
        self._sequence = self._publishing = 0
        self._inbox: list[_Arrival] = []
        self._arrived, self._room, self._in_turn = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()

    async def run(self) -> None:
        """Live until the connection is lost.

        Raises:
            Exception: whatever ended it; `faults.explain` knows what it means.
        """
        plan, keys = self._plan, self._link.keys
        client = prepared(plan.url, keys, patience_s=self._settings.patience_s)
        client.session_timeout = SESSION_TIMEOUT
        self._session = client.uaclient.session
        try:
            await enter(client, plan.url, plan.security, keys)
            await self._live()
        finally:
            await leave(client)

    async def _live(self) -> None:
        async with asyncio.timeout(SET_UP_S + len(self._plan.items) / 100):
            await self._ask_the_server()
            await self._subscribe()
            conditions = self._link.conditions = await self._listen() if self._settings.conditions else None
        async with asyncio.TaskGroup() as group:
            for _ in range(PUBLISH_REQUESTS):
                group.create_task(self._publish())
            group.create_task(self._hand_over())
            await self._watch_items(range(len(self._plan.items)))
            await self._read_all()
            self.connected = True
            await self._sink.link_is(LinkState.CONNECTED, "")
            if conditions is not None:
                every, rest = self._settings.reread_s, self._settings.keep_alive_s
                group.create_task(conditions.refresh_for_ever(every, rest))
            group.create_task(self._read_regularly())
            group.create_task(self._probe())
            group.create_task(self._notice_silence())

    async def _ask_the_server(self) -> None:
        await self._learn_namespaces()
        asked = (START_TIME, CURRENT_TIME, MAX_READ, MAX_ITEMS)
        answers = await self._session.read_attributes(list(asked), ua.AttributeIds.Value)
        self._started, server_time, most_read, most_items = (_value(answer) for answer in answers)
        if isinstance(server_time, datetime):
            offset = utcnow() - _aware(server_time)
            seconds = self._link.clock_offset_s = offset.total_seconds()
            if abs(seconds) > CLOCK_SURE_S:
                self._offset = offset
            if abs(seconds) > CLOCK_OFF_S:
                log.warning("source.clock_off", source=self._plan.name, seconds=seconds)
        self._chunk_read = min(most_read or CHUNK, CHUNK)
        self._chunk_items = min(most_items or CHUNK, CHUNK)

    async def _learn_namespaces(self) -> None:
        uris = _value((await self._session.read_attributes([NAMESPACES], ua.AttributeIds.Value))[0]) or []
        self._namespaces = numbers = {uri: number for number, uri in enumerate(uris)}
        self._nodes = {}
        for index, item in enumerate(self._plan.items):
            if (node := node_id(item.node, numbers)) is not None:
                self._nodes[index] = node

    async def _subscribe(self) -> None:
        interval = self._settings.publishing_ms
        keep_alive = max(1, round(self._settings.keep_alive_s * 1000 / interval))
        wish = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval,
            RequestedMaxKeepAliveCount=keep_alive,
            RequestedLifetimeCount=keep_alive * LIFETIMES,
            MaxNotificationsPerPublish=5000,
            PublishingEnabled=True,
        )
        made = await self._session.create_subscription(wish, callback=lambda _: None)
        self._subscription = made.SubscriptionId
        self._keep_alive_s = made.RevisedMaxKeepAliveCount * made.RevisedPublishingInterval / 1000

    async def _listen(self) -> Conditions:
        """Have the server tell its own alarms, too."""
        conditions = Conditions(
            self._session,
            self._subscription,
            source=self._plan.name,
            first=len(self._plan.items),
            namespaces=list(self._namespaces),
            find=lambda text: node_id(text, self._namespaces),
            offset=self._offset,
            wanted=self._link.refresh,
        )
        await conditions.listen(self._settings.notifiers)
        return conditions

    async def _watch_items(self, indexes: Iterable[int]) -> None:
        """Have the server tell changes of these tags. Those it does not know stay in `_unwatched`."""
        self._unwatched.update(indexes)
        todo = [index for index in sorted(self._unwatched) if index in self._nodes]
        while todo:
            chunk = todo[: self._chunk_items]
            wish = ua.CreateMonitoredItemsParameters(
                SubscriptionId=self._subscription,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToCreate=[self._wish(index) for index in chunk],
            )
            try:
                results = await self._session.create_monitored_items(wish)
            except TOO_MUCH:
                if len(chunk) == 1:
                    raise
                self._chunk_items = len(chunk) // 2
                continue
            todo = todo[len(chunk) :]
            made = {index for index, result in zip(chunk, results, strict=True) if result.StatusCode.is_good()}
            self._unwatched -= made
        if self._unwatched:
            names = [self._plan.items[index].node for index in sorted(self._unwatched)[:10]]
            log.info("source.unknown_tags", source=self._plan.name, count=len(self._unwatched), first=names)

    def _wish(self, index: int) -> ua.MonitoredItemCreateRequest:
        how = ua.MonitoringParameters(
            ClientHandle=index,
            SamplingInterval=float(max(0, self._plan.items[index].sampling_ms)),
            QueueSize=ITEM_QUEUE,
            DiscardOldest=True,
        )
        what = ua.ReadValueId(NodeId=self._nodes[index], AttributeId=ua.AttributeIds.Value)
        return ua.MonitoredItemCreateRequest(what, ua.MonitoringMode.Reporting, how)

    async def _publish(self) -> None:
        """Keep one Publish request with the server; take in what it answers, in the order it was sent."""
        acknowledge: list[ua.SubscriptionAcknowledgement] = []
        self._publishing += 1
        while True:
            try:
                answer = await publish(self._session, acknowledge)
            except ua.uaerrors.BadTooManyPublishRequests:
                if self._publishing > 1:
                    self._publishing -= 1
                    return  # the others go on
                await asyncio.sleep(self._settings.publishing_ms / 1000)
                continue
            except ua.uaerrors.BadTimeout:
                acknowledge = []
                continue
            except Unreadable as error:
                log.warning("source.unreadable_message", source=self._plan.name, error=repr(error.__cause__))
                acknowledge = []
                self._reread.set()
                self._link.refresh.set()
                continue
            self._heard = self._loop.time()
            acknowledge = []
            if answer.says_something:
                acknowledge = [ua.SubscriptionAcknowledgement(answer.subscription, answer.sequence)]
                if self._sequence and answer.sequence not in (self._sequence + 1, 1):
                    self._lost_some()
                self._sequence = answer.sequence
                async with self._in_turn:
                    await self._bring_in(answer)

    async def _bring_in(self, answer: Answer) -> None:
        ours = len(self._plan.items)
        if answer.changes:
            await self._put([_Arrival(change) for change in answer.changes if change.handle < ours])
        for notification in answer.others:
            if isinstance(notification, ua.EventNotificationList) and self._link.conditions is not None:
                if news := self._link.conditions.take(notification.Events, now=utcnow()):
                    await self._sink.hear(news)
            elif isinstance(notification, ua.StatusChangeNotification) and not notification.Status.is_good():
                notification.Status.check()

    def _lost_some(self) -> None:
        """Changes are gone that nobody can bring back: count it, and read how things stand now."""
        self._link.overflows += 1
        self._reread.set()
        self._link.refresh.set()

    async def _put(self, arrivals: list[_Arrival]) -> None:
        while len(self._inbox) > MOST_WAITING:
            self._room.clear()
            await self._room.wait()
        self._inbox.extend(arrivals)
        self._arrived.set()

    async def _hand_over(self) -> None:
        """Everything that has arrived goes on in one batch."""
        ids = [item.tag_id for item in self._plan.items]
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            arrivals, self._inbox = self._inbox, []
            self._room.set()
            now = utcnow()
            samples = [(ids[a.change.handle], s) for a in arrivals if (s := self._sample(a, now)) is not None]
            await self._sink.take(samples)
            self._heard = max(self._heard, self._loop.time() - self._keep_alive_s)  # we were slow, not the server

    def _sample(self, arrival: _Arrival, now: datetime) -> Sample | None:
        (index, value, code, stamp), asked = arrival
        last = self._stamps[index]
        if asked and stamp is not None and last is not None and stamp < last:
            return None  # the subscription has told something newer meanwhile
        self._stamps[index] = stamp
        if after_gap := index in self._unheard:
            self._unheard.discard(index)
        at = now if stamp is None else min(stamp + self._offset, now)
        if code == 0:
            if self._bad:
                self._bad.discard(index)
            return Sample(value, GOOD, at, "Good", after_gap)
        if code & OVERFLOW == OVERFLOW:
            self._lost_some()
        status = _status(code)
        if status in NODE_GONE:
            self._unwatched.add(index)
        usable = code < 0x80000000 and status not in NO_VALUE_BEHIND
        (self._bad.discard if usable else self._bad.add)(index)
        return Sample(value, GOOD if usable else BAD, at, status, after_gap)

    async def _read_regularly(self) -> None:
        """Read all values now and then: servers forget, queues overflow, messages are lost, tags come back."""
        told = self._link.overflows
        while True:
            await _rung(self._reread, self._settings.reread_s * random.uniform(0.8, 1.2))
            began = self._loop.time()
            if lost := self._link.overflows - told:
                log.warning("source.changes_lost", source=self._plan.name, times=lost)
                told += lost
            if self._unwatched:
                await self._learn_namespaces()
                await self._watch_items(())
            await self._read_all()
            await asyncio.sleep(min((self._loop.time() - began) * READ_SHARE, self._settings.reread_s))

    async def _read_all(self) -> None:
        gone = ua.StatusCodes.BadNodeIdUnknown
        missing = [i for i in range(len(self._plan.items)) if i not in self._nodes]
        await self._put([_Arrival(Change(index, None, gone, None), True) for index in missing])
        todo = list(self._nodes)
        for start in range(0, len(todo), self._chunk_read):
            chunk = todo[start : start + self._chunk_read]
            pairs = zip(chunk, await self._read(chunk), strict=True)
            await self._put([_Arrival(of_value(index, answer), True) for index, answer in pairs])

    async def _read(self, indexes: Sequence[int]) -> list[ua.DataValue]:
        """Read these tags. One whose value cannot be decoded must not hide the others."""
        nodes = [self._nodes[index] for index in indexes]
        try:
            return await self._session.read_attributes(nodes, ua.AttributeIds.Value)
        except Exception as error:
            lost = isinstance(error, OSError | ua.UaStatusCodeError)  # OSError: also a TimeoutError
            if lost and (len(indexes) == 1 or not isinstance(error, TOO_MUCH)):
                raise
            if len(indexes) == 1:
                return [ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadDecodingError)))]
        middle = len(indexes) // 2
        return [*await self._read(indexes[:middle]), *await self._read(indexes[middle:])]

    async def _probe(self) -> None:
        """Ask now and then whether it is still there, and still the same."""
        missed = 0
        while True:
            await asyncio.sleep(self._settings.probe_s)
            check_still_valid(self._plan.security)
            try:
                answers = await self._session.read_attributes([START_TIME], ua.AttributeIds.Value)
            except TimeoutError:
                missed += 1
                if missed == 2:
                    raise
                continue
            missed = 0
            if _value(answers[0]) != self._started:
                raise LinkError(faults.RESTARTED.code)

    async def _notice_silence(self) -> None:
        """A subscription without changes still sends keep-alives. When even those stay away, it is dead."""
        patience = 2 * self._keep_alive_s + 3
        while True:
            left = self._heard + patience - self._loop.time()
            if left <= 0:
                raise LinkError(faults.FELL_SILENT.code)
            await asyncio.sleep(left)


def node_id(text: str, namespaces: dict[str, int]) -> ua.NodeId | None:
    """Return the node of `nsu=urn:maker:oven;s=Zone1.Temp` (or `ns=2;…`) on a server with these namespaces.

    None: the server has no such namespace, or this is no node id.
    """
    if text.startswith("nsu="):
        uri, _, rest = text[4:].partition(";")
        number = namespaces.get(uri, namespaces.get(unquote(uri)))
        if number is None:
            return None
        text = f"ns={number};{rest}"
    try:
        return ua.NodeId.from_string(text)
    except (ua.UaError, ValueError):
        return None


async def _rung(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so long. True: it came."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    came = event.is_set()
    event.clear()
    return came


def _value(answer: ua.DataValue) -> Any:
    good = answer.StatusCode is None or answer.StatusCode.is_good()
    return answer.Value.Value if good and answer.Value is not None else None


def _status(code: int) -> str:
    name = ua.StatusCode(ua.UInt32(code & 0xFFFF0000)).name
    return name if name != "Good" or code < 0x40000000 else f"0x{code:08X}"  # a maker's own code has no name


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
