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
from asyncua import Client, ua

from app.capture.sources.hello import address, speaks_opc_ua
from app.kit.clock import utcnow
from app.machines import faults
from app.machines.faults import Fault, LinkError
from app.machines.models import LinkState
from app.machines.plan import LinkPlan
from app.machines.rules import BAD, GOOD, Sample

PUBLISH_REQUESTS = 4  # outstanding at once: with one, servers that cap a message fall seconds behind
ITEM_QUEUE = 10  # changes of one tag the server keeps between two messages, so that a short pulse is seen
LIFETIMES = 12  # a subscription lives this many keep-alives without us
SESSION_TIMEOUT = 60_000  # ms: what a crash of ours leaves on the server is soon gone
MOST_WAITING = 50_000  # samples not yet taken away, before we stop asking for more
CHUNK = 1000  # nodes in one request, where the server names no limit of its own
CONNECT_S = 20.0
SET_UP_S = 60.0
GOODBYE_S = 2.0
FIRST_REST_S = 1.0
SETTLED_S = 60.0  # a connection that lived this long was a good one: the next rest is short again
CLOCK_SURE_S = 2.0  # what we see of another clock is not better than this: a smaller difference is none
CLOCK_OFF_S = 60.0

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

    async def link_is(self, state: LinkState, fault: str) -> None: ...


class Link:
    """Keeps one source connected for ever. `kick` ends a rest; `reread` has all values read again now."""

    def __init__(self, plan: LinkPlan, sink: Sink) -> None:
        self.plan = plan
        self.kick = asyncio.Event()
        self.reread = asyncio.Event()
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
        return faults.LOST


class _Arrival(NamedTuple):
    """A value on its way in, by the place of its tag. `asked`: we read it, it was not sent by the subscription."""

    place: int
    value: ua.DataValue
    asked: bool = False


class _Session:
    """One connection, from connect to loss."""

    def __init__(self, link: Link, sink: Sink) -> None:
        self.connected = False
        self._plan = link.plan
        self._settings = link.plan.settings
        self._reread = link.reread
        self._sink = sink
        self._offset = timedelta()
        self._chunk_read = self._chunk_items = CHUNK
        self._nodes: dict[int, ua.NodeId] = {}
        self._unwatched: set[int] = set()
        self._unheard = set(range(len(link.plan.items)))
        self._stamps: list[datetime | None] = [None] * len(link.plan.items)
        self._subscription = 0
        self._keep_alive_s = self._settings.keep_alive_s
        self._sequence = 0
        self._inbox: list[_Arrival] = []
        self._arrived, self._room, self._in_turn = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()

    async def run(self) -> None:
        """Live until the connection is lost.

        Raises:
            Exception: whatever ended it; `faults.explain` knows what it means.
        """
        host, port = address(self._plan.url)
        client = Client(self._plan.url, timeout=self._settings.patience_s, watchdog_intervall=1e6)
        client.name, client.application_uri = "Pullcord", "urn:pullcord:opcua-client"
        client.session_timeout = SESSION_TIMEOUT
        self._session = session = client.uaclient.session
        # The library's publish loop swallows what it cannot read and retries on a dead line; ours tell.
        session.ensure_publish_loop = lambda: None  # type: ignore[method-assign]
        try:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await client.connect()
            except ConnectionError as error:
                if not isinstance(error, ConnectionRefusedError) and not await speaks_opc_ua(host, port):
                    raise LinkError(faults.NOT_OPC_UA.code) from error
                raise
            await self._live()
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(GOODBYE_S):
                    await client.disconnect()
            client.disconnect_socket()

    async def _live(self) -> None:
        async with asyncio.timeout(SET_UP_S + len(self._plan.items) / 100):
            await self._ask_the_server()
            await self._subscribe()
        async with asyncio.TaskGroup() as group:
            for _ in range(PUBLISH_REQUESTS):
                group.create_task(self._publish())
            group.create_task(self._hand_over())
            await self._watch_items(range(len(self._plan.items)))
            await self._read_all()
            self.connected = True
            await self._sink.link_is(LinkState.CONNECTED, "")
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
            seconds = offset.total_seconds()
            if abs(seconds) > CLOCK_SURE_S:
                self._offset = offset
            if abs(seconds) > CLOCK_OFF_S:
                log.warning("source.clock_off", source=self._plan.name, seconds=seconds)
        self._chunk_read = min(most_read or CHUNK, CHUNK)
        self._chunk_items = min(most_items or CHUNK, CHUNK)

    async def _learn_namespaces(self) -> None:
        uris = _value((await self._session.read_attributes([NAMESPACES], ua.AttributeIds.Value))[0]) or []
        numbers = {uri: number for number, uri in enumerate(uris)}
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
        while True:
            try:
                answer = (await self._session.publish(acknowledge)).Parameters
            except ua.uaerrors.BadTooManyPublishRequests:
                return  # the others go on
            except ua.uaerrors.BadTimeout:
                acknowledge = []
                continue
            except ua.uaerrors.UaStructParsingError:
                log.warning("source.unreadable_message", source=self._plan.name)
                acknowledge = []
                self._reread.set()
                continue
            self._heard = self._loop.time()
            message = answer.NotificationMessage
            acknowledge = []
            if message.NotificationData:
                acknowledge = [ua.SubscriptionAcknowledgement(answer.SubscriptionId, message.SequenceNumber)]
                if self._sequence and message.SequenceNumber not in (self._sequence + 1, 1):
                    log.warning("source.message_missed", source=self._plan.name, after=self._sequence)
                    self._reread.set()
                self._sequence = message.SequenceNumber
                async with self._in_turn:
                    await self._bring_in(message.NotificationData)

    async def _bring_in(self, notifications: Iterable[Any]) -> None:
        for notification in notifications:
            if isinstance(notification, ua.DataChangeNotification):
                arrivals = [_Arrival(item.ClientHandle, item.Value) for item in notification.MonitoredItems]
                await self._put(arrivals)
            elif isinstance(notification, ua.StatusChangeNotification) and not notification.Status.is_good():
                notification.Status.check()

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
            samples = [(ids[a.place], s) for a in arrivals if (s := self._sample(a, now)) is not None]
            await self._sink.take(samples)
            self._heard = max(self._heard, self._loop.time() - self._keep_alive_s)  # we were slow, not the server

    def _sample(self, arrival: _Arrival, now: datetime) -> Sample | None:
        index, answer, asked = arrival
        stamp = answer.SourceTimestamp or answer.ServerTimestamp
        last = self._stamps[index]
        if asked and stamp is not None and last is not None and stamp < last:
            return None  # the subscription has told something newer meanwhile
        self._stamps[index] = stamp
        if after_gap := index in self._unheard:
            self._unheard.discard(index)
        at = now if stamp is None else min(_aware(stamp) + self._offset, now)
        code = answer.StatusCode.value if answer.StatusCode is not None else 0
        value = answer.Value.Value if answer.Value is not None else None
        if code == 0:
            return Sample(value, GOOD, at, "Good", after_gap)
        status = _status(code)
        if status in NODE_GONE:
            self._unwatched.add(index)
        usable = code < 0x80000000 and status not in NO_VALUE_BEHIND
        return Sample(value, GOOD if usable else BAD, at, status, after_gap)

    async def _read_regularly(self) -> None:
        """Read all values now and then: servers forget, queues overflow, messages are lost, tags come back."""
        while True:
            await _rung(self._reread, self._settings.reread_s * random.uniform(0.8, 1.2))
            if self._unwatched:
                await self._learn_namespaces()
                await self._watch_items(())
            await self._read_all()

    async def _read_all(self) -> None:
        gone = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadNodeIdUnknown)))
        missing = [i for i in range(len(self._plan.items)) if i not in self._nodes]
        await self._put([_Arrival(index, gone, True) for index in missing])
        todo = list(self._nodes)
        for start in range(0, len(todo), self._chunk_read):
            chunk = todo[start : start + self._chunk_read]
            pairs = zip(chunk, await self._read(chunk), strict=True)
            await self._put([_Arrival(index, answer, True) for index, answer in pairs])

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
        while True:
            await asyncio.sleep(self._keep_alive_s / 2)
            if self._loop.time() - self._heard > 2 * self._keep_alive_s + 3:
                raise LinkError(faults.FELL_SILENT.code)


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
