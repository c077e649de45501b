"""The demonstration plant's machines: an OPC UA server with believable values, which can be told to misbehave.

Whoever writes a value from outside has the machine show it for a minute; then it recovers by itself. `misbehave` does
just that.
"""

import asyncio
import math
import random
from collections.abc import Sequence

import structlog
from asyncua import Client, Server, ua
from asyncua.common.node import Node
from asyncua.server.event_generator import EventGenerator

from app.capture.sources.opcua import node_id
from app.kit.clock import utcnow
from app.machines.demo import DEMO_ALARM, DEMO_TAGS, NAMESPACE, DemoAlarm, DemoTag

BEAT_S = 1.0
RECOVERS_AFTER_S = 60.0
PAPER_LASTS_S = 1800.0  # then the printer calls by itself
FIRST_PAPER_S = 300.0
SWING_S = 90.0  # one slow wave of a value around what is normal

log = structlog.get_logger()


async def serve(
    host: str,
    port: int,
    *,
    plan: Sequence[DemoTag] = DEMO_TAGS,
    ready: asyncio.Event | None = None,
    beat: float = BEAT_S,
    recovers_after: float = RECOVERS_AFTER_S,
) -> None:
    """Be these machines until cancelled. `ready` is set when clients may connect.

    Raises:
        OSError: the port is taken.
    """
    server = Server()
    server.iserver.bind_condition_methods = True
    await server.init()
    server.set_endpoint(f"opc.tcp://{host}:{port}")
    server.set_server_name("Pullcord demonstration plant")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    number = await server.register_namespace(NAMESPACE)
    machines: list[_Machine | _OwnAlarm] = [await _Machine.build(server, tag, number, recovers_after) for tag in plan]
    machines.append(await _OwnAlarm.build(server, DEMO_ALARM, number, recovers_after))
    async with server:
        if ready is not None:
            ready.set()
        log.info("simulator.ready", url=f"opc.tcp://{host}:{port}", tags=len(plan))
        while True:
            for machine in machines:
                await machine.live()
            await asyncio.sleep(beat)


async def misbehave(url: str, tag: str, value: float | bool) -> None:
    """Have one signal (its node id) show `value` for a minute.

    Raises:
        LookupError: this server has no such signal.
        OSError: nothing answers there.
    """
    async with Client(url, timeout=4) as client:
        namespaces = {uri: number for number, uri in enumerate(await client.get_namespace_array())}
        node = node_id(tag, namespaces)
        if node is None:
            raise LookupError(tag)
        try:
            kind = await client.get_node(node).read_data_type_as_variant_type()
            await client.get_node(node).write_value(ua.DataValue(ua.Variant(value, kind)))
        except ua.uaerrors.BadNodeIdUnknown as error:
            raise LookupError(tag) from error


class _Machine:
    """One signal of the plant."""

    def __init__(self, tag: DemoTag, node: Node, recovers_after: float) -> None:
        self.tag = tag
        self._node = node
        self._recovers_after = recovers_after
        self._shown = self._about = tag.normal
        self._bent_at: float | None = None
        self._phase = random.uniform(0, 2 * math.pi)
        self._time = asyncio.get_running_loop().time

    @classmethod
    async def build(cls, server: Server, tag: DemoTag, namespace: int, recovers_after: float) -> "_Machine":
        name = ua.QualifiedName(tag.path, namespace)
        node_of_tag = ua.NodeId(ua.String(tag.path), ua.Int16(namespace))
        node = await server.nodes.objects.add_variable(node_of_tag, name, tag.normal)
        await node.set_writable()
        return cls(tag, node, recovers_after)

    async def live(self) -> None:
        """Show the next value, unless somebody from outside decides what we show."""
        now = self._time()
        if (shown := await self._node.read_value()) != self._shown:
            self._about, self._bent_at = shown, now
        elif self._bent_at is not None and now - self._bent_at >= self._recovers_after:
            self._about, self._bent_at = self.tag.normal, None
        self._shown = self._around(self._about, now)
        stamped = ua.DataValue(ua.Variant(self._shown), SourceTimestamp=utcnow())  # type: ignore[arg-type]
        await self._node.write_value(stamped)

    def _around(self, level: float | bool, now: float) -> float | bool:
        if isinstance(level, bool):
            return level
        wave = math.sin(self._phase + now * 2 * math.pi / SWING_S)
        return round(level + self.tag.swing * (0.7 * wave + random.uniform(-0.3, 0.3)), 2)


class _OwnAlarm:
    """An alarm the machine itself has (OPC UA Part 9). A while after somebody has acknowledged it, it is put right."""

    def __init__(self, alarm: DemoAlarm, signal: Node, events: EventGenerator, recovers_after: float) -> None:
        self._alarm = alarm
        self._signal = signal
        self._events = events
        self._recovers_after = recovers_after
        self._active = False
        self._acked_at: float | None = None
        self._time = asyncio.get_running_loop().time
        self._due = self._time() + FIRST_PAPER_S

    @classmethod
    async def build(cls, server: Server, alarm: DemoAlarm, namespace: int, recovers_after: float) -> "_OwnAlarm":
        at, name = ua.NodeId(ua.String(alarm.path), ua.Int16(namespace)), ua.QualifiedName(alarm.path, namespace)
        signal = await server.nodes.objects.add_variable(at, name, False)
        await signal.set_writable()
        condition = f"{alarm.path}.Alarm"
        of = ua.NodeId(ua.String(condition), ua.Int16(namespace))
        await server.nodes.objects.add_object(of, ua.QualifiedName(condition, namespace))
        events = await server.get_event_generator(ua.ObjectIds.AlarmConditionType)
        events.event.NodeId, events.event.ConditionName = of, alarm.path.partition(".")[2]
        events.event.SourceName, events.event.Severity = alarm.place, alarm.severity
        made = cls(alarm, signal, events, recovers_after)
        acknowledge = ua.NodeId(ua.Int32(ua.ObjectIds.AcknowledgeableConditionType_Acknowledge))
        server.iserver.isession.add_method_callback(acknowledge, made.acknowledge)
        return made

    async def live(self) -> None:
        """Follow the signal, which runs low by itself now and then."""
        now = self._time()
        if self._acked_at is not None and now - self._acked_at >= self._recovers_after:
            await self._signal.write_value(False)
        elif not self._active and now >= self._due:
            await self._signal.write_value(True)
        if (low := await self._signal.read_value()) != self._active:
            self._active, self._acked_at, self._due = low, None, now + PAPER_LASTS_S
            await self._tell(acked=not low)

    async def acknowledge(self, _: ua.NodeId, event_id: ua.Variant, comment: ua.Variant) -> ua.StatusCode:
        """Somebody has seen it."""
        if not self._active or event_id.Value != self._events.event.EventId.Value:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadEventIdUnknown))
        if self._acked_at is not None:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadConditionBranchAlreadyAcked))
        self._acked_at = self._time()
        self._events.event.Comment = comment.Value
        await self._tell(acked=True)
        return ua.StatusCode()

    async def _tell(self, *, acked: bool) -> None:
        event = self._events.event
        event.Retain = self._active
        for state, value in (("Enabled", True), ("Active", self._active), ("Acked", acked)):
            setattr(event, f"{state}State/Id", value)
        await self._events.trigger(message=self._alarm.message)
