"""Ten thousand tags that change five thousand times a second: all of them arrive, soon, and cost little.

The worker is the real one with its database and a rule on each tag, in a process of its own; a bare iterator of asyncua
listens to the same machine in turn with it. Both are looked at from outside: CPU and memory are what the kernel says.
"""

import os
import time
from dataclasses import dataclass

from sqlmodel import Session

from app.kit.clock import utcnow
from app.machines.models import AlarmRule, Source, Tag
from app.machines.rules import Kind
from bench import plant
from bench.figures import Figure, figure, quantile
from bench.house import cpu_of, ground, memory_of
from bench.machines_listener import Listener
from bench.machines_server import Machine, node
from bench.plant import Plant

TAGS, RATE = 10_000, 5000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SWEEPS = 4  # of all tags in one round: eight seconds
PATIENCE = 30.0


@dataclass(slots=True)
class _Round:
    lost: int
    cpu_us: float
    core: float
    latencies: list[float]
    memory: float


def measure() -> list[Figure]:
    """Return the figures, and print them with their spread."""
    with ground("sqlite") as where, Machine(TAGS) as machine:
        made = plant.build(where.url, now=utcnow())
        plant.run(where.url, lambda session: _wire(session, made, machine.url))
        rounds: dict[str, list[_Round]] = {"worker": [], "bare": []}
        value = 1
        for number in range(max(ROUNDS // 2, 1)):
            for kind in ("worker", "bare") if number % 2 else ("bare", "worker"):
                rounds[kind].append(_round(kind, machine, where.url, value))
                value += SWEEPS + 1
    ours, bare = rounds["worker"], rounds["bare"]
    late = [quantile(one.latencies, 0.99) for one in ours]
    speed = [b.cpu_us / o.cpu_us for b, o in zip(bare, ours, strict=True)]
    beside = f"of {len(ours) * SWEEPS * TAGS}; bare: {sum(one.lost for one in bare)}"
    cost = f"bare: {min(one.cpu_us for one in bare):.1f} … {max(one.cpu_us for one in bare):.1f}"
    return [
        figure("machines.lost", [sum(one.lost for one in ours)], "changes", 0, digits=0, beside=beside),
        figure("machines.changes_p99", late, "s", 2),
        figure("machines.changes_core", [one.core for one in ours], "cores", 0.333),
        figure("machines.changes_memory_mb", [one.memory for one in ours], "MB", 200, digits=0),
        figure("machines.change_cpu_us", [one.cpu_us for one in ours], "µs CPU", 25, digits=1, beside=cost),
        figure("machines.speed_against_bare", speed, "times", 0.8, least=True, digits=2),
    ]


def _round(kind: str, machine: Machine, url: str, first: int) -> _Round:
    """Listen anew, warm up with one sweep of all tags, then count and time the next ones."""
    counted = [float(first + n) for n in range(1, SWEEPS + 1)]
    with Listener(kind, machine.url, TAGS, url) as listener:
        _sweep(machine, listener, [float(first)])
        listener.latencies()
        before, began = cpu_of(listener.pid), time.perf_counter()
        missing = _sweep(machine, listener, counted)
        cpu, seconds = cpu_of(listener.pid) - before, time.perf_counter() - began
        arrived = SWEEPS * TAGS - missing
        return _Round(missing, cpu * 1e6 / arrived, cpu / seconds, listener.latencies(), memory_of(listener.pid))


def _sweep(machine: Machine, listener: Listener, values: list[float]) -> int:
    """Have these values written, wait until all have arrived, and return how many never did."""
    machine.write([[value] for value in values], tags=range(TAGS), rate=RATE)
    machine.answer()
    wanted, deadline = len(values) * TAGS, time.perf_counter() + PATIENCE
    while (found := listener.counted(values)) < wanted and time.perf_counter() < deadline:
        time.sleep(0.2)
    return wanted - found


def _wire(session: Session, made: Plant, url: str) -> None:
    """One rule on each tag: a limit that is never left, as almost all limits at almost all times."""
    source = Source(name="bench", url=url)
    session.add(source)
    session.flush()
    tags = [
        Tag(source_id=source.id, station_id=made.stations[n % len(made.stations)], node=node(n), names={"en": f"T {n}"})
        for n in range(TAGS)
    ]
    session.add_all(tags)
    session.flush()
    session.add_all(AlarmRule(tag_id=tag.id, kind=Kind.HIGH, setpoint=1e6, severity=2) for tag in tags)
