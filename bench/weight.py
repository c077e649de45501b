"""What a phone loads when its browser opens a station page for the first time: the page and all it links to, gzip."""

import re
from urllib.parse import urljoin

from app.kit.clock import utcnow
from bench import plant
from bench.figures import Figure, figure
from bench.house import House, fetch, ground, house

LINKED = re.compile(
    r'<(?:link[^>]+rel="(?:stylesheet|icon|manifest)"[^>]+href|script[^>]+src|use[^>]+href|img[^>]+src)="([^"#]+)'
)
IMPORTED = re.compile(r"""(?:^|[\s;])import\s[^"';]*["'](\.{1,2}/[^"']+|/[^"']+)["']""")
REGISTERED = re.compile(r"""serviceWorker\.register\(["']([^"']+)["']""")


def measure() -> list[Figure]:
    """Return kilobytes in all and of script, and print what they are made of."""
    with ground("sqlite") as where:
        made = plant.build(where.url, now=utcnow())
        with house("web", where) as web:
            sizes = _load(web, f"/s/{made.codes[7]}")
    for path, size in sizes.items():
        print(f"  {size:>7} bytes  {path}")
    script = sum(size for path, size in sizes.items() if path.partition("?")[0].endswith(".js"))
    return [
        figure(
            "road.station_page_kb", [sum(sizes.values()) / 1000], "kB", 50, digits=1, beside=f"{len(sizes)} answers"
        ),
        figure("road.station_script_kb", [script / 1000], "kB", 30, digits=1),
    ]


def _load(web: House, page: str) -> dict[str, int]:
    """Return the bytes of each answer, headers and body as they come over the wire."""
    sizes: dict[str, int] = {}
    waiting = [page]
    while waiting:
        path = waiting.pop(0)
        if path in sizes:
            continue
        status, headers, wire = fetch(web.port, path, Accept_Encoding="gzip", Accept_Language="zh-CN")
        assert status == 200, (status, path)
        sizes[path] = len(wire) + sum(len(name) + len(value) + 4 for name, value in headers.items()) + 19
        plain = fetch(web.port, path, Accept_Encoding="identity", Accept_Language="zh-CN")[2]
        waiting += [urljoin(path, found) for found in _named_in(headers.get("content-type", ""), plain)]
    return sizes


def _named_in(kind: str, body: bytes) -> list[str]:
    if kind.startswith("text/html"):
        return LINKED.findall(body.decode())
    if kind.startswith("text/javascript"):
        text = body.decode()
        return IMPORTED.findall(text) + REGISTERED.findall(text)
    return []
