"""Asks an OPC UA server something while a person waits: who it is, what it holds, how a value is now.

Longer than most files because the OPC UA library may be imported in few modules only. Every question connects, asks in
as few requests as the server takes, says goodbye, and is over within a time limit.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import structlog
from asyncua import Client, ua

from app.capture.sources import opcua_security
from app.capture.sources.opcua import TOO_MUCH, node_id
from app.capture.sources.opcua_security import enter, leave, prepared
from app.kit.clock import utcnow
from app.machines import faults
from app.machines.asking import Child, Discovery, Health, Level, Seen
from app.machines.certificates import Keys
from app.machines.faults import Fault, LinkError
from app.machines.plan import LinkPlan
from app.machines.words import plain

ASK_S = 12.0
"""A person waits this long, and then reads why there is no answer."""

PATIENCE_S = 5.0
SESSION_TIMEOUT = 10_000  # ms
PAGE = 100  # children shown at once
MOST = 20_000  # children walked through to come to a page
REFERENCES = 1000  # in one answer of a server
SHORT = 60  # characters of a value

O = ua.ObjectIds  # noqa: E741  (as the standard abbreviates it)
NAMESPACES = ua.NodeId(ua.Int32(O.Server_NamespaceArray))
STATUS = ua.NodeId(ua.Int32(O.Server_ServerStatus))
OBJECTS = ua.NodeId(ua.Int32(O.ObjectsFolder))
HIERARCHY = ua.NodeId(ua.Int32(O.HierarchicalReferences))
PROPERTY = ua.NodeId(ua.Int32(O.HasProperty))
NUMBERS = (int, float)
SINGLE = (*NUMBERS, str, datetime, type(None))

log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")


def _answered(ask: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T | Fault]]:
    """Within the time limit; what goes wrong is an answer too."""

    @functools.wraps(ask)
    async def answer(*args: P.args, **kwargs: P.kwargs) -> T | Fault:
        try:
            async with asyncio.timeout(ASK_S):
                return await ask(*args, **kwargs)
        except Exception as error:
            fault = faults.explain(error)
            unknown = error if fault is faults.UNEXPECTED else None
            log.info("source.asked_in_vain", fault=fault.code, error=repr(error), exc_info=unknown)
            return fault

    return answer


@_answered
async def meet(url: str) -> Discovery:
    """Return who answers at this address."""
    met = await opcua_security.meet(url, patience_s=PATIENCE_S)
    return Discovery(met.name, met.uri, met.offers, tuple(await _others(url, met.uri)))


@_answered
async def test(plan: LinkPlan, keys: Keys) -> Health:
    """Log in and return how the server is."""
    time = asyncio.get_running_loop().time
    began = time()
    async with _connected(plan, keys) as client:
        took = round((time() - began) * 1000)
        [answer] = await client.uaclient.session.read_attributes([STATUS], ua.AttributeIds.Value)
        status = _good(answer)
        if not isinstance(status, ua.ServerStatusDataType):
            raise LinkError(faults.UNEXPECTED.code, "no ServerStatus")
        build = status.BuildInfo
        parts = (build.ManufacturerName, build.ProductName, build.SoftwareVersion) if build else ()
        now = status.CurrentTime
        return Health(
            " ".join(part for part in parts if part)[:SHORT],
            status.State.name if status.State is not None else "",
            status.State == ua.ServerState.Running,
            _aware(status.StartTime),
            (utcnow() - aware).total_seconds() if (aware := _aware(now)) is not None else None,
            took,
        )


@_answered
async def browse(plan: LinkPlan, keys: Keys, node: str, skip: int) -> Level:
    """Return what lies below a node, with the values as they are now."""
    async with _connected(plan, keys) as client:
        uris = await _namespaces(client)
        start = _resolved(node, uris) if node else OBJECTS
        found, more = await _children(client, start, skip)
        values = [reference for reference in found if reference.NodeClass == ua.NodeClass.Variable]
        answers = dict(zip(map(id, values), await _read(client, [_local(r, uris) for r in values]), strict=True))
        [name] = await _read(client, [start], ua.AttributeIds.DisplayName)
        children = tuple(_child(reference, answers.get(id(reference)), uris) for reference in found)
        return Level(node, _text(_good(name)) or node, children, skip, more)


@_answered
async def look(plan: LinkPlan, keys: Keys, nodes: Sequence[str]) -> tuple[Seen, ...]:
    """Return these values as they are now, with unit and range where the server tells them."""
    async with _connected(plan, keys) as client:
        uris = await _namespaces(client)
        ids = [_resolved(node, uris) for node in nodes]
        names = await _read(client, ids, ua.AttributeIds.DisplayName)
        answers = await _read(client, ids)
        ranges, units = await _properties(client, ids, "EURange"), await _properties(client, ids, "EngineeringUnits")
        return tuple(map(_seen, nodes, names, answers, ranges, units))


@asynccontextmanager
async def _connected(plan: LinkPlan, keys: Keys) -> AsyncIterator[Client]:
    client = prepared(plan.url, keys, patience_s=min(plan.settings.patience_s, PATIENCE_S))
    client.session_timeout = SESSION_TIMEOUT
    try:
        await enter(client, plan.url, plan.security, keys)
        yield client
    finally:
        await leave(client)


async def _others(url: str, uri: str) -> Iterable[str]:
    """Other servers that this one knows. It need not, and many do not answer."""
    client = Client(url, timeout=PATIENCE_S)
    try:
        known = await client.connect_and_find_servers()
    except Exception:
        return ()
    finally:
        client.disconnect_socket()
    return sorted({u for one in known if one.ApplicationUri != uri for u in one.DiscoveryUrls or () if u})[:20]


async def _children(client: Client, node: ua.NodeId, skip: int) -> tuple[list[ua.ReferenceDescription], bool]:
    """One page of what lies below a node. Nobody goes further than the page, nor leaves the question open."""
    session = client.uaclient.session
    wish = ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=HIERARCHY,
        IncludeSubtypes=True,
        NodeClassMask=ua.UInt32(ua.NodeClass.Object | ua.NodeClass.Variable),
        ResultMask=ua.UInt32(ua.BrowseResultMask.All),
    )
    asked = ua.BrowseParameters(NodesToBrowse=[wish], RequestedMaxReferencesPerNode=ua.UInt32(REFERENCES))
    [answer] = await session.browse(asked)
    answer.StatusCode.check()
    found: list[ua.ReferenceDescription] = []
    known: set[ua.NodeId] = set()
    while True:
        for reference in answer.References or ():
            if reference.NodeId not in known:
                known.add(reference.NodeId)
                found.append(reference)
        enough = len(found) > min(skip + PAGE, MOST)
        if not answer.ContinuationPoint:
            break
        points = [answer.ContinuationPoint]
        release = ua.BrowseNextParameters(ReleaseContinuationPoints=enough, ContinuationPoints=points)
        [answer] = await session.browse_next(release)
        if enough:
            break
        answer.StatusCode.check()
    return found[skip : skip + PAGE], len(found) > skip + PAGE


async def _read(
    client: Client, nodes: Sequence[ua.NodeId], what: ua.AttributeIds = ua.AttributeIds.Value
) -> list[ua.DataValue]:
    """Read these, in as many requests as the server wants. One that cannot be decoded does not hide the others."""
    if not nodes:
        return []
    try:
        return await client.uaclient.session.read_attributes(list(nodes), what)
    except Exception as error:
        lost = isinstance(error, OSError | ua.UaStatusCodeError) and not isinstance(error, TOO_MUCH)
        if lost:
            raise
        if len(nodes) == 1:
            return [ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadDecodingError)))]
    middle = len(nodes) // 2
    return [*await _read(client, nodes[:middle], what), *await _read(client, nodes[middle:], what)]


async def _properties(client: Client, nodes: Sequence[ua.NodeId], name: str) -> list[Any]:
    """The value of this property of each node; None where it has none."""
    step = ua.RelativePathElement(ReferenceTypeId=PROPERTY, TargetName=ua.QualifiedName(name, 0))
    step.IsInverse, step.IncludeSubtypes = False, True  # type: ignore[assignment]
    paths = [ua.BrowsePath(StartingNode=node, RelativePath=ua.RelativePath(Elements=[step])) for node in nodes]
    try:
        results = await client.uaclient.session.translate_browsepaths_to_nodeids(paths)
    except ua.UaStatusCodeError:
        return [None] * len(nodes)  # not every server can
    found = {i: r.Targets[0].TargetId for i, r in enumerate(results) if r.StatusCode.is_good() and r.Targets}
    values = dict(zip(found, map(_good, await _read(client, list(found.values()))), strict=True))
    return [values.get(index) for index in range(len(nodes))]


async def _namespaces(client: Client) -> list[str]:
    [answer] = await client.uaclient.session.read_attributes([NAMESPACES], ua.AttributeIds.Value)
    return list(_good(answer) or [])


def _resolved(text: str, uris: Sequence[str]) -> ua.NodeId:
    found = node_id(text, {uri: number for number, uri in enumerate(uris)})
    if found is None:
        raise LinkError(faults.NO_SUCH_NODE.code, text)
    return found


def _local(reference: ua.ReferenceDescription, uris: Sequence[str]) -> ua.NodeId:
    """The node a reference leads to, as it can be read."""
    return _resolved(_portable(reference.NodeId, uris), uris)


def _portable(node: ua.NodeId, uris: Sequence[str]) -> str:
    """The id with its namespace by name: numbers move when a program is loaded into a controller."""
    plain_node = ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)
    text: str = plain_node.to_string()
    number = node.NamespaceIndex
    if not number or number >= len(uris):
        return text
    return f"nsu={uris[number]};{text.partition(';')[2]}"


def _child(reference: ua.ReferenceDescription, answer: ua.DataValue | None, uris: Sequence[str]) -> Child:
    name = _text(reference.DisplayName) or (reference.BrowseName.Name if reference.BrowseName else "") or "?"
    node = _portable(reference.NodeId, uris)
    if answer is None:
        return Child(node, name[:SHORT], False, True)
    good, status = _quality(answer)
    value = answer.Value.Value if answer.Value is not None else None
    # Of a structure, each part is a node below it.
    parts = status == "BadDecodingError" or not isinstance(value, SINGLE)
    return Child(node, name[:SHORT], not parts, parts, _short(answer), good, status)


def _seen(node: str, name: ua.DataValue, answer: ua.DataValue, reach: Any, unit: Any) -> Seen:
    good, status = _quality(answer)
    value = answer.Value.Value if answer.Value is not None else None
    low = high = None
    if isinstance(reach, ua.Range) and reach.Low is not None and reach.High is not None and reach.Low < reach.High:
        low, high = float(reach.Low), float(reach.High)
    return Seen(
        node,
        (_text(_good(name)) or node.rpartition("=")[2])[:SHORT],
        _short(answer),
        good,
        status,
        _aware(answer.SourceTimestamp or answer.ServerTimestamp),
        isinstance(value, NUMBERS) and not isinstance(value, bool),
        _text(unit.DisplayName)[:20] if isinstance(unit, ua.EUInformation) else "",
        low,
        high,
    )


def _quality(answer: ua.DataValue) -> tuple[bool, str]:
    code = answer.StatusCode
    return (True, "") if code is None or code.is_good() else (False, code.name)


def _short(answer: ua.DataValue) -> str:
    text = plain(answer.Value.Value if answer.Value is not None else None)
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"


def _good(answer: ua.DataValue) -> Any:
    good = answer.StatusCode is None or answer.StatusCode.is_good()
    return answer.Value.Value if good and answer.Value is not None else None


def _text(words: Any) -> str:
    return str(words.Text) if isinstance(words, ua.LocalizedText) and words.Text else ""


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
