"""A figure: what was measured, in which unit, what it must reach; printed with its spread, kept for results.json."""

import math
import statistics
import time
from collections.abc import Sequence

Figure = dict[str, object]


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


def pace() -> float:
    """Milliseconds of CPU for a fixed piece of work. More than usual: others share this machine's caches and cores."""
    began = time.process_time()
    total = 0
    for number in range(500_000):
        total += number & 7
    return (time.process_time() - began) * 1000
