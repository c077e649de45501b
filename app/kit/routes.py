"""HTTP for the house itself: health, figures for operators, static files, what makes it installable."""

import gzip
from functools import lru_cache
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.prometheus import PrometheusController
from sqlalchemy import text
from sqlmodel import Session

from app.kit.errors import NotFound
from app.kit.http import Db, page
from app.kit.pwa import MANIFEST, Assets

FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
FRESH = {"cache-control": "no-cache"}
AnyRequest = Request[Any, Any, Any]
AssetsOf = NamedDependency[Assets]


class Metrics(PrometheusController):
    path = "/metrics"
    openmetrics_format = True


@get("/livez", include_in_schema=True)
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=True)
async def readyz(db: Db) -> dict[str, str]:
    """The process answers and its database does."""
    await db.read(_look)
    return {"status": "ok", "database": db.dialect}


@get("/static/{name:path}", include_in_schema=False)
async def static(request: AnyRequest, name: FromPath[str], assets: AssetsOf) -> Response[bytes]:
    found = assets.files.get(name.lstrip("/"))
    if found is None:
        raise NotFound()
    headers = dict(FOR_EVER if request.query_params.get("v") == found.version else FRESH)
    body = found.body
    if len(body) > 400 and "gzip" in request.headers.get("accept-encoding", "") and _packs(found.media_type):
        body, headers["content-encoding"] = _packed(body), "gzip"
    headers["vary"] = "Accept-Encoding"
    return Response(body, media_type=found.media_type, headers=headers)


@get("/service-worker.js", include_in_schema=False)
async def service_worker(assets: AssetsOf) -> Response[bytes]:
    return Response(assets.service_worker, media_type="text/javascript", headers=FRESH)


@get("/app.webmanifest", include_in_schema=False)
async def manifest(assets: AssetsOf) -> Response[bytes]:
    return Response(assets.manifest, media_type="application/manifest+json", headers=FRESH)


@get("/offline", include_in_schema=False)
async def offline() -> Response[bytes]:
    return Response((MANIFEST / "offline.html").read_bytes(), media_type="text/html", headers=FRESH)


@get("/openapi", include_in_schema=False)
async def openapi_page(request: AnyRequest) -> Response[bytes]:
    schema = request.app.openapi_schema
    operations = [
        {"method": method.upper(), "path": path, "summary": operation.summary or ""}
        for path, item in sorted((schema.paths or {}).items())
        for method in ("get", "post", "put", "delete")
        if (operation := getattr(item, method, None)) is not None
    ]
    return page(request, "shared/openapi.html", operations=operations)


def _look(session: Session) -> None:
    session.execute(text("SELECT 1"))


def _packs(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type in (
        "image/svg+xml",
        "application/wasm",
        "application/json",
    )


@lru_cache(64)
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 9, mtime=0)


handlers = [Metrics, livez, readyz, static, service_worker, manifest, offline, openapi_page]
