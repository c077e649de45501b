"""Figures for operators, read at /metrics: how many requests, how long they took, what became of them.

Litestar's own middleware looks up four figures by name and labels for each request; here each is looked up once.
"""

import time
from functools import cache

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Gauge, Histogram

UNDER_WAY = Gauge("pullcord_requests_under_way", "Requests being answered now, open streams among them.")
REQUESTS = Histogram("pullcord_request_seconds", "Seconds until a request was answered.", ["method", "path", "status"])


def measured(app: ASGIApp) -> ASGIApp:
    """Count every request, by the pattern of its path: an address never names a person or an anomaly here."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        UNDER_WAY.inc()
        try:
            await app(scope, receive, noted)
        finally:
            UNDER_WAY.dec()
            _of(scope["method"], scope["path_template"], status).observe(time.perf_counter() - began)

    return answered


@cache
def _of(method: str, path: str, status: int) -> Histogram:
    return REQUESTS.labels(method, path, status)
