"""A Pullcord of one page, for what a whole one does not do on request: be gone, or let others be faster.

It serves the real service worker, push.js and static files, and writes down what the phone sends.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from app.kit.pwa import MANIFEST, Assets

PAGE = """<!doctype html><html lang="en"><title>{path}</title>
<section data-push="{key}" data-working="One moment" data-on="Rings here" data-off="Does not ring"
         data-blocked="Blocked" data-failed="Cannot be reached">
<p data-push-state></p>
<button data-push-turn-on hidden>On</button><button data-push-turn-off hidden>Off</button>
</section><script type="module" src="/static/js/push.js"></script>"""


class Site:
    """`acceptance`: status and JSON the phone gets when it accepts. `gone`: hang up on everybody."""

    def __init__(self, *, vapid_key: str = "") -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.acceptance: tuple[int, dict[str, str]] = (200, {"title": "You have it", "body": "Press 7"})
        self.gone = False
        self.assets = Assets()
        self.version: str | None = None
        self._key = vapid_key
        self._stop = asyncio.Event()

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the site did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def sent(self, ending: str) -> list[dict[str, Any]]:
        """What the phone posted to paths that end so."""
        return [body for path, body in self.posts if path.endswith(ending)]

    def wait_for(self, ending: str, *, count: int = 1, meanwhile: Callable[[], object]) -> dict[str, Any]:
        """Return what was posted there last; `meanwhile` lets the browser driver breathe."""
        deadline = time.monotonic() + 30
        while len(self.sent(ending)) < count:
            assert time.monotonic() < deadline, f"nothing came to …{ending}, only {self.posts}"
            meanwhile()
        return self.sent(ending)[-1]

    async def _run(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application(middlewares=[self._moods])
        app.router.add_get("/service-worker.js", self._worker)
        app.router.add_get("/static/{name:.+}", self._file)
        app.router.add_get("/offline", self._offline)
        app.router.add_get("/{path:.*}", self._page)
        app.router.add_post("/{path:.*}", self._post)
        app.router.add_delete("/{path:.*}", self._post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await self._stop.wait()
        await runner.cleanup()

    @web.middleware
    async def _moods(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.gone and request.transport is not None:
            request.transport.abort()
            return web.Response(status=503)  # nobody is left to read it
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _worker(self, _: web.Request) -> web.Response:
        text = self.assets.service_worker.decode()
        if self.version:
            text = text.replace(self.assets.version, self.version)
        return web.Response(text=text, content_type="text/javascript", headers={"Cache-Control": "no-cache"})

    async def _file(self, request: web.Request) -> web.Response:
        file = self.assets.files.get(request.match_info["name"])
        if file is None:
            return web.Response(status=404)
        return web.Response(body=file.body, content_type=file.media_type.partition(";")[0])

    async def _offline(self, _: web.Request) -> web.Response:
        return web.Response(text=(MANIFEST / "offline.html").read_text("utf-8"), content_type="text/html")

    async def _page(self, request: web.Request) -> web.Response:
        text = PAGE.format(path=f"{request.path} {self.version or ''}".strip(), key=self._key)
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _post(self, request: web.Request) -> web.Response:
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else dict(await request.post())
        told_by = request.headers.get("Sec-Fetch-Site", "")
        assert told_by == "same-origin", f"the real one would refuse this: {told_by!r}"
        self.posts.append((f"{request.method} {request.path}", body))
        if request.path == "/addresses":
            return web.json_response({"state": "live", "id": "address-1"}, status=201)
        if request.path.endswith(("/acceptance", "/presence")):
            status, said = self.acceptance
            return web.Response(status=status, text=json.dumps(said), content_type="application/json")
        return web.Response(status=204)
