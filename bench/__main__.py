"""`python -m bench [AREA [PART …]]`: measure, print, and keep the figures in bench/results.json."""

import argparse
import importlib
import json
import os
import time
from pathlib import Path

from bench.figures import Figure, pace

RESULTS = Path(__file__).with_name("results.json")

AREAS = {
    "road": ("report", "repeats", "machine_door", "mixed", "edge_to_push", "queue_page", "push", "footprint", "weight"),
    "dispatch": ("dispatch_backlog", "dispatch_fanout", "dispatch_coverage", "dispatch_soak"),
    "machines": ("machines_changes", "machines_flood", "machines_replay"),
}
"""What belongs together, in the order of the list it answers; each part is a module with `measure()`."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("area", nargs="?", choices=[*AREAS], help="one issue's part; none: all")
    parser.add_argument("parts", nargs="*", help="only these of it")
    given = parser.parse_args()
    areas = [given.area] if given.area else [*AREAS]
    found: list[Figure] = []
    for part in (part for area in areas for part in AREAS[area]):
        if not given.parts or part in given.parts:
            found += _measured(part)
            _keep(found)
    if not given.parts:
        _keep(found, whole=tuple(areas))
    missed = [str(figure["name"]) for figure in found if not figure["holds"]]
    print(f"\n{len(found)} figures in {RESULTS.name}" + (f"; missed: {', '.join(missed)}" if missed else ""))


def _measured(part: str) -> list[Figure]:
    print(f"\n{part}: {_surroundings()}", flush=True)
    began = time.perf_counter()
    figures: list[Figure] = importlib.import_module(f"bench.{part}").measure()
    print(f"{part}: {time.perf_counter() - began:.0f} s, {_surroundings()}", flush=True)
    return figures


def _surroundings() -> str:
    """How busy the machine is with other things, and how fast it is just now: both move every figure."""
    load = " ".join(f"{minutes:.1f}" for minutes in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load}, pace {pace():.1f} ms"


def _keep(found: list[Figure], *, whole: tuple[str, ...] = ()) -> None:
    """Write what was measured now over what was before; of areas that were measured whole nothing older stays."""
    before: list[Figure] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = {figure["name"]: figure for figure in before if str(figure["name"]).partition(".")[0] not in whole}
    kept |= {figure["name"]: figure for figure in found}
    RESULTS.write_text(json.dumps(list(kept.values()), indent=1) + "\n")


if __name__ == "__main__":
    main()
