"""A figure: what was measured, in which unit, what it must reach; printed with its spread, kept for results.json."""

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Figure = dict[str, object]
T = TypeVar("T")


def figure(
    name: str,
    rounds: Sequence[float],
    unit: str,
    bound: float | None = None,
    *,
    least: bool = False,
    digits: int = 3,
    beside: str = "",
) -> Figure:
    """Return the median of `rounds` and print it. `bound` is the most it may be, or with `least` the least.

    A figure without a bound is there to be compared with; `beside` is printed after it and not kept.
    """
    value = round(statistics.median(rounds), digits)
    holds = bound is None or (value >= bound if least else value <= bound)
    limit = "" if bound is None else f"{'>=' if least else '<='} {bound:g} {'holds' if holds else 'MISSED'}"
    spread = f"{min(rounds):.{digits}f} … {max(rounds):.{digits}f}" if len(rounds) > 1 else ""
    print(f"{name:<38} {value:>10} {unit:<12} {spread:<20} {limit:<18} {beside}".rstrip(), flush=True)
    return {"name": name, "value": value, "unit": unit, "bound": bound, "holds": holds}


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all are not above."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def calmest(work: Callable[[], T], *, rounds: int) -> list[T]:
    """Do it three times as often as asked for, and return the results of the rounds in which the machine was calmest.

    That is told by the pace before and after each round alone, whatever came out of it: on a machine that is shared
    with others, the same work costs up to twice as much while they are busy.
    """
    done: list[tuple[float, int, T]] = []
    before = pace()
    for number in range(3 * rounds):
        result, after = work(), pace()
        done.append((before + after, number, result))
        before = after
    return [result for _, _, result in sorted(done, key=lambda one: one[:2])[:rounds]]


def pace() -> float:
    """Milliseconds of CPU for a fixed piece of work that needs core and caches. More than usual: others are busy here."""
    began = time.process_time()
    sorted(_SHUFFLED)
    return (time.process_time() - began) * 1000


_SHUFFLED = random.Random(1).sample(range(1_000_000), 100_000)
