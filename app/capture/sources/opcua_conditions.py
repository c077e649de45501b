"""The alarms a server itself has (OPC UA Part 9), over one connection: listened to, repeated on demand, answered.

After every connect the server is asked to repeat what it still keeps. No filter is asked of the server: some makers'
trip over one, and the few events that are no alarms cost less than an alarm that was filtered away.

Longer than most files because the OPC UA library may be imported here only.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from asyncua import ua

from app.machines.condition_models import LONGEST_NODE, Act
from app.machines.conditions import Errand, Repeated, Told

ITEM_QUEUE = 10_000  # events the server keeps between two messages: with less, a flood is lost in silence
REFRESHES = 10  # all conditions are repeated so many times less often than all values are read
PAUSE_S = 2.0  # while another client has the conditions repeated
SHELVED = frozenset({2932, 2933})  # for a time, or once
REFRESH_BEGINS, REFRESH_ENDS, REFRESH_WANTED, OVERFLOWED = 2787, 2788, 2789, 3035

O = ua.ObjectIds  # noqa: E741
SERVER = ua.NodeId(ua.Int32(O.Server))
CONDITION_TYPE = ua.NodeId(ua.Int32(O.ConditionType))
CONDITION_REFRESH = ua.NodeId(ua.Int32(O.ConditionType_ConditionRefresh))
METHODS = {
    Act.ACKNOWLEDGE: ua.NodeId(ua.Int32(O.AcknowledgeableConditionType_Acknowledge)),
    Act.CONFIRM: ua.NodeId(ua.Int32(O.AcknowledgeableConditionType_Confirm)),
}
FIELDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "event_id": (O.BaseEventType, ("EventId",)),
    "event_type": (O.BaseEventType, ("EventType",)),
    "source": (O.BaseEventType, ("SourceNode",)),
    "source_name": (O.BaseEventType, ("SourceName",)),
    "time": (O.BaseEventType, ("Time",)),
    "message": (O.BaseEventType, ("Message",)),
    "severity": (O.BaseEventType, ("Severity",)),
    "name": (O.ConditionType, ("ConditionName",)),
    "branch": (O.ConditionType, ("BranchId",)),
    "retain": (O.ConditionType, ("Retain",)),
    "enabled": (O.ConditionType, ("EnabledState", "Id")),
    "quality": (O.ConditionType, ("Quality",)),
    "comment": (O.ConditionType, ("Comment",)),
    "user": (O.ConditionType, ("ClientUserId",)),
    "acked": (O.AcknowledgeableConditionType, ("AckedState", "Id")),
    "confirmed": (O.AcknowledgeableConditionType, ("ConfirmedState", "Id")),
    "active": (O.AlarmConditionType, ("ActiveState", "Id")),
    "shelving": (O.AlarmConditionType, ("ShelvingState", "CurrentState", "Id")),
    "suppressed": (O.AlarmConditionType, ("SuppressedState", "Id")),
    "out_of_service": (O.AlarmConditionType, ("OutOfServiceState", "Id")),
    "suppressed_or_shelved": (O.AlarmConditionType, ("SuppressedOrShelved",)),
    "asks": (O.DialogConditionType, ("DialogState", "Id")),
    "condition": (O.ConditionType, ()),
}

log = structlog.get_logger()


class Conditions:
    """`take` what the event items send; `refresh_for_ever` beside it; `send` a person's answer.

    `first` is the client handle of the first of our items; `wanted` asks for a refresh.
    """

    def __init__(
        self,
        session: Any,
        subscription: int,
        *,
        source: str,
        first: int,
        namespaces: Sequence[str],
        find: Callable[[str], ua.NodeId | None],
        offset: timedelta,
        wanted: asyncio.Event,
    ) -> None:
        self._session = session
        self._subscription = subscription
        self._source = source
        self._first = first
        self._namespaces = namespaces
        self._find = find
        self._offset = offset
        self._wanted = wanted
        self._items: set[int] = set()
        self._ended: set[int] = set()
        self._repeated: set[tuple[str, str]] | None = None

    async def listen(self, notifiers: Iterable[str]) -> None:
        """Have the server tell its events, and those of `notifiers`. What it does not know is logged."""
        nodes = [(SERVER, "i=2253"), *((self._find(text), text) for text in notifiers)]
        known = [(node, text) for node, text in nodes if node is not None]
        wish = ua.CreateMonitoredItemsParameters(
            SubscriptionId=self._subscription,
            TimestampsToReturn=ua.TimestampsToReturn.Both,
            ItemsToCreate=[self._wish(self._first + place, node) for place, (node, _) in enumerate(known)],
        )
        made = await self._session.create_monitored_items(wish)
        good = [result.StatusCode.is_good() for result in made]
        self._items = {self._first + place for place, is_good in enumerate(good) if is_good}
        deaf = [text for (_, text), is_good in zip(known, good, strict=True) if not is_good]
        if deaf := deaf + [text for node, text in nodes if node is None]:
            log.warning("source.no_events", source=self._source, notifiers=deaf)

    async def refresh_for_ever(self, every: float, rest: float) -> None:
        """Have everything repeated now, whenever it is wanted, and now and then; at most once in `rest` seconds."""
        self._wanted.set()
        while self._items:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), every * REFRESHES)
            self._wanted.clear()
            status = await self._call(
                CONDITION_TYPE, CONDITION_REFRESH, ua.Variant(self._subscription, ua.VariantType.UInt32)
            )
            if status == "BadRefreshInProgress":
                self._wanted.set()
                await asyncio.sleep(PAUSE_S)
            elif status != "Good":
                log.warning("source.no_refresh", source=self._source, status=status)
            await asyncio.sleep(rest)

    async def send(self, errand: Errand) -> str:
        """Take a person's answer to the machine; return the name of the status it answers with.

        Raises:
            OSError, TimeoutError, UaError: there was no answer.
        """
        node = self._find(errand.node)
        if node is None:
            return "BadNodeIdUnknown"
        event = ua.Variant(bytes.fromhex(errand.event_id), ua.VariantType.ByteString)
        comment = ua.Variant(ua.LocalizedText(errand.comment), ua.VariantType.LocalizedText)
        return await self._call(node, METHODS[errand.act], event, comment)

    def take(self, events: Iterable[Any], *, now: datetime) -> list[Told | Repeated]:
        """Return what these events say of conditions, in their order."""
        news: list[Told | Repeated] = []
        for event in events:
            said = _fields(event.EventFields)
            kind = said["event_type"]
            kind = kind.Identifier if isinstance(kind, ua.NodeId) and kind.NamespaceIndex == 0 else None
            if kind == REFRESH_BEGINS:
                if self._repeated is None:
                    self._repeated, self._ended = set(), set()
            elif kind == REFRESH_ENDS:
                self._ended.add(event.ClientHandle)
                if self._repeated is not None and self._ended >= self._items:
                    news.append(Repeated(frozenset(self._repeated)))
                    self._repeated = None
            elif kind in (REFRESH_WANTED, OVERFLOWED):
                self._repeated = None  # what it repeats may be among what it threw away
                self._wanted.set()
            elif (told := self._told(said, now)) is not None:
                news.append(told)
                if self._repeated is not None:
                    self._repeated.add((told.node, told.branch))
        return news

    def _told(self, said: dict[str, Any], now: datetime) -> Told | None:
        if said["name"] is None and said["condition"] is None and said["retain"] is None:
            return None  # an event that is no condition
        node = self._text(said["condition"])
        if not node:  # some old servers do not say which condition it is; its place and name do
            node = f"{self._text(said['source'])}#{_plain(said['name'], 200)}"
        branch = self._text(said["branch"])
        if len(node) > LONGEST_NODE or len(branch) > LONGEST_NODE:
            log.warning("source.condition_too_long", source=self._source, node=node[:80])
            return None
        time = said["time"]
        at = now
        if isinstance(time, datetime) and time.year > 1970:
            aware = time if time.tzinfo else time.replace(tzinfo=UTC)
            at = min(aware + self._offset, now)
        severity = said["severity"]
        event_id = said["event_id"]
        quality = said["quality"]
        return Told(
            node=node,
            at=at,
            branch=branch,
            event_id=event_id.hex() if isinstance(event_id, bytes) else "",
            source=self._text(said["source"]),
            source_name=_plain(said["source_name"], 200),
            name=_plain(said["name"], 200),
            message=_plain(said["message"], 300),
            language=_language(said["message"]),
            severity=severity if isinstance(severity, int) else 1,
            active=_flag(said["active"]),
            asks=_flag(said["asks"]),
            acked=_flag(said["acked"]),
            confirmed=_flag(said["confirmed"]),
            retain=_flag(said["retain"]),
            enabled=_flag(said["enabled"]),
            hidden=_hidden(said),
            quality=quality.name if isinstance(quality, ua.StatusCode) and not quality.is_good() else "",
            comment=_plain(said["comment"], 300),
            user=_plain(said["user"], 80),
        )

    def _text(self, node: object) -> str:
        """A node with its namespace by name; empty: there is none."""
        if not isinstance(node, ua.NodeId) or node.is_null():
            return ""
        number, text = int(node.NamespaceIndex), str(node.to_string())
        if not 0 < number < len(self._namespaces):
            return text
        uri = self._namespaces[number].replace("%", "%25").replace(";", "%3B")
        return f"nsu={uri};{text.partition(';')[2]}"

    def _wish(self, handle: int, node: ua.NodeId) -> ua.MonitoredItemCreateRequest:
        how = ua.MonitoringParameters(
            ClientHandle=handle, SamplingInterval=0.0, QueueSize=ITEM_QUEUE, DiscardOldest=True, Filter=event_filter()
        )
        what = ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.EventNotifier)
        return ua.MonitoredItemCreateRequest(what, ua.MonitoringMode.Reporting, how)

    async def _call(self, of: ua.NodeId, method: ua.NodeId, *arguments: ua.Variant) -> str:
        request = ua.CallMethodRequest(ObjectId=of, MethodId=method, InputArguments=list(arguments))
        results = await self._session.call([request])
        name: str = results[0].StatusCode.name
        return name


def event_filter() -> ua.EventFilter:
    """Ask for what FIELDS names, of all events."""
    clauses = []
    for kind, path in FIELDS.values():
        clauses.append(
            ua.SimpleAttributeOperand(
                TypeDefinitionId=ua.NodeId(ua.Int32(kind)),
                BrowsePath=[ua.QualifiedName(name, 0) for name in path],
                AttributeId=ua.AttributeIds.Value if path else ua.AttributeIds.NodeId,
            )
        )
    return ua.EventFilter(SelectClauses=clauses)


def _fields(values: Sequence[ua.Variant]) -> dict[str, Any]:
    """The fields by name. What the server cannot deliver arrives as a status: it is missing."""
    said: dict[str, Any] = dict.fromkeys(FIELDS)
    for name, variant in zip(FIELDS, values, strict=False):
        value = variant.Value if isinstance(variant, ua.Variant) else None
        if name == "quality" or not isinstance(value, ua.StatusCode):
            said[name] = value
    return said


def _hidden(said: dict[str, Any]) -> str:
    shelving = said["shelving"]
    if isinstance(shelving, ua.NodeId) and shelving.NamespaceIndex == 0 and shelving.Identifier in SHELVED:
        return "shelved"
    if said["out_of_service"] is True:
        return "out_of_service"
    return "suppressed" if said["suppressed"] is True or said["suppressed_or_shelved"] is True else ""


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _plain(value: object, most: int) -> str:
    """Text that every database stores, on one line: whatever a machine sent."""
    text = value.Text if isinstance(value, ua.LocalizedText) else value
    if not isinstance(text, str):
        return ""
    return " ".join(text.encode("utf-8", "replace").decode().replace("\0", "").split())[:most]


def _language(value: object) -> str:
    locale = value.Locale if isinstance(value, ua.LocalizedText) else None
    return "zh" if isinstance(locale, str) and locale.lower().startswith("zh") else "en"
