"""A machine with alarms of its own, for tests: an OPC UA server in a process of its own, so that it can be killed.

Run as a program it is the machine; imported it is the remote control: `with Panel() as panel: panel.tells("Jam")`.
It does what it is told, right or wrong: what a condition says next is up to the test.
"""

import asyncio
import copy
import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

from tests.machines.oven import Oven, _write

URI = "urn:test:panel"


class Panel(Oven):
    """Conditions live in `URI`, under their own names. `refreshes` False: it cannot repeat them."""

    def __init__(self, *, refreshes: bool = True) -> None:
        super().__init__({"Temp": 20.0})
        self.refreshes = refreshes

    @staticmethod
    def condition(name: str) -> str:
        return f"nsu={URI};s={name}"

    def start(self, *, filler_namespaces: int = 0) -> None:
        command = [sys.executable, "-m", "tests.machines.panel", str(self.port), str(int(self.refreshes))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def tells(self, name: str, **fields: Any) -> str:
        """Send an event of this condition and return its EventId. By default: active, nobody has acknowledged."""
        told = {"active": True, "acked": False, "confirmed": None, "retain": True, "severity": 700, "branch": ""}
        return str(self._say(do="tell", name=name, **{"message": f"{name}!", **told, **fields}))

    def clears(self, name: str, **fields: Any) -> str:
        return self.tells(name, **{"active": False, "acked": True, "retain": False, **fields})

    def forgets(self, name: str) -> None:
        """It is over, and nobody is told."""
        self._say(do="forget", name=name)

    def floods(self, names: list[str], times: int) -> None:
        """Let all these rise and clear, so often."""
        self._say(do="flood", names=names, times=times)

    def answers(self, status: str) -> None:
        """Answer everything that is sent to it like this."""
        self._say(do="answer", status=status)

    def resets(self) -> None:
        """Be as new: no alarms, nothing heard, and no odd answers."""
        self._say(do="reset")

    def heard(self) -> list[tuple[str, str, str]]:
        """What it was told: act, condition, comment."""
        return [tuple(one) for one in self._say(do="heard")]


async def be(port: int, refreshes: bool) -> None:
    from asyncua import Server, ua

    server = Server()
    if refreshes:
        server.iserver.bind_condition_methods = 100
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    number = await server.register_namespace(URI)
    service = server.iserver.subscription_service
    generator = await server.get_event_generator(ua.ObjectIds.ExclusiveLimitAlarmType)
    newest: dict[Any, dict[str, Any]] = {}
    heard: list[tuple[str, str, str]] = []
    forced = ""
    known: set[str] = set()

    async def tell(name: str, **fields: Any) -> str:
        node = ua.NodeId(name, number)
        if name not in known:
            known.add(name)
            await server.nodes.objects.add_object(node, ua.QualifiedName(name, number))
        event = copy.deepcopy(generator.event)
        event_id = uuid.uuid4().bytes
        event.EventId = event_id
        event.data_types["EventId"] = ua.VariantType.ByteString
        event.Time = datetime.now(UTC)
        event.Message = ua.LocalizedText(fields["message"])
        event.Severity = fields["severity"]
        event.SourceName = fields.get("source_name", "Press")
        event.ConditionName = name
        event.NodeId = node
        event.Retain = fields["retain"]
        event.BranchId = ua.NodeId(fields["branch"], number) if fields["branch"] else ua.NodeId()
        event.SuppressedOrShelved = fields.get("shelved", False)
        event.ClientUserId = fields.get("user", "")
        for state in ("Active", "Acked", "Confirmed"):
            setattr(event, f"{state}State/Id", fields[state.lower()])
        setattr(event, "EnabledState/Id", True)
        newest[event_id] = {"name": name, **fields}
        if fields["branch"]:  # as with other makers, a refresh does not repeat it
            for subscription in list(service.subscriptions.values()):
                await subscription.monitored_item_srv.trigger_event(event)
        else:
            await service.trigger_event(event)
        return event_id.hex()

    def answered(act: str, state: str) -> Any:
        async def method(parent: Any, event_id: Any, comment: Any) -> Any:
            of = newest.get(event_id.Value)
            heard.append((act, parent.Identifier, comment.Value.Text))
            if forced:
                return ua.StatusCode(getattr(ua.StatusCodes, forced))
            if of is None or of["name"] != parent.Identifier:
                return ua.StatusCode(ua.StatusCodes.BadEventIdUnknown)
            if of[state]:
                return ua.StatusCode(getattr(ua.StatusCodes, f"BadConditionBranchAlready{state.capitalize()}"))
            rest = {key: value for key, value in of.items() if key != "name"}
            asyncio.get_running_loop().create_task(tell(of["name"], **{**rest, state: True, "user": "operator"}))
            return ua.StatusCode()

        return method

    isession = server.iserver.isession
    for act, state in (("Acknowledge", "acked"), ("Confirm", "confirmed")):
        method = ua.NodeId(getattr(ua.ObjectIds, f"AcknowledgeableConditionType_{act}"))
        isession.add_method_callback(method, answered(act.lower(), state))
    lines: asyncio.StreamReader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with server:
        _write(sys.stdout, True)
        while line := await lines.readline():
            said: Any = True
            match json.loads(line):
                case {"do": "tell", **order}:
                    said = await tell(**order)
                case {"do": "forget", "name": name}:
                    service._conditions.pop(ua.NodeId(name, number), None)
                case {"do": "flood", "names": names, "times": times}:
                    plain = {"confirmed": None, "severity": 700, "branch": "", "message": "flood"}
                    for _ in range(times):
                        for name in names:
                            await tell(name, active=True, acked=False, retain=True, **plain)
                            await tell(name, active=False, acked=True, retain=False, **plain)
                        await asyncio.sleep(0)
                case {"do": "answer", "status": status}:
                    forced = status
                case {"do": "reset"}:
                    service._conditions.clear()
                    heard.clear()
                    forced = ""
                case {"do": "heard"}:
                    said = heard
                case {"do": "sessions"}:
                    said = len(server.bserver.clients)
            _write(sys.stdout, said)


if __name__ == "__main__":
    asyncio.run(be(int(sys.argv[1]), bool(int(sys.argv[2]))))
