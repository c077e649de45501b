"""The composition root: the only file that knows every slice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from app.anomaly import routes as anomaly
from app.anomaly.stream import Broadcaster
from app.capture import routes as capture
from app.capture.sources.asker import OpcUaAsker
from app.channels.hosts import PushHosts
from app.channels.vapid import KEY_FILE, load_or_make_vapid
from app.dispatch import bell_routes as bells
from app.dispatch import board_routes as boards
from app.dispatch import light_routes as lights
from app.dispatch import outlet_routes as outlets
from app.dispatch import routes as dispatch
from app.dispatch.outlet_routes import provide_admin
from app.evidence import routes as evidence
from app.foresight import routes as foresight
from app.kit import routes as house
from app.kit.clock import utcnow
from app.kit.db import Database
from app.kit.errors import DomainError
from app.kit.guard import Limit, front_door
from app.kit.http import Pages, show_fault, show_http_error, show_refusal
from app.kit.meter import measured
from app.kit.pwa import Assets
from app.kit.secret import SECRET_FILE, keep
from app.kit.speaking import speaking
from app.kit.storage import Storage
from app.ladders import routes as ladders
from app.ladders import routing_routes as routing
from app.machines import condition_routes as conditions
from app.machines import routes as machines
from app.machines import rule_import_routes as rule_sheets
from app.machines import rule_routes as rules
from app.machines import shelf_routes as shelves
from app.machines.routes import provide_engineer
from app.measure import routes as measure
from app.people import chat_routes as chat
from app.people import doctor_routes as doctor
from app.people import me_routes as me
from app.people import routes as people
from app.people.routes import provide_lead, provide_me, provide_staff
from app.plant import queries as plant_queries
from app.plant import routes as plant
from app.resolve import routes as resolve
from app.rosters import duty_routes as duty
from app.rosters import own_routes as own_times
from app.rosters import routes as rosters
from app.rosters import shift_routes as shifts
from app.rosters import squad_routes as squads
from app.settings import Settings
from app.triage import board_routes as wall
from app.triage import handover_routes as handover
from app.triage import routes as triage


def create_app(settings: Settings, *, db: Database | None = None, clock: Callable[[], datetime] = utcnow) -> Litestar:
    """Put the app together. Give it a `db` to share one; otherwise it opens its own and closes it at the end."""
    assets = Assets()
    database = db or Database(settings.database)
    live = Broadcaster(database)
    vapid = load_or_make_vapid(settings.data_dir / KEY_FILE, contact=settings.push_contact)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        sites = await database.read(plant_queries.sites)
        app.state.timezone = sites[0].timezone if sites else "UTC"
        running = [asyncio.create_task(live.run())]
        if db is None:
            running.append(asyncio.create_task(database.pulse.listen()))
        yield
        live.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if db is None:
            database.close()

    provided = {
        "db": database,
        "config": settings,
        "files": Storage(settings.storage_url.get_secret_value() or settings.data_dir / "files"),
        "live": live,
        "reports": Limit(settings.reports_a_minute),
        "secret": keep(settings.data_dir / SECRET_FILE),
        "push_hosts": PushHosts(settings.push_hosts),
        "assets": assets,
        "asker": OpcUaAsker(settings.data_dir),
    }
    app = Litestar(
        route_handlers=[
            handler
            for slice_ in (
                house,
                capture,
                triage,
                wall,
                dispatch,
                bells,
                foresight,
                ladders,
                routing,
                boards,
                lights,
                outlets,
                machines,
                conditions,
                rules,
                rule_sheets,
                shelves,
                duty,
                rosters,
                own_times,
                squads,
                shifts,
                handover,
                resolve,
                anomaly,
                evidence,
                measure,
                people,
                me,
                chat,
                doctor,
                plant,
            )
            for handler in slice_.handlers
        ],
        dependencies={
            **{name: _given(value) for name, value in provided.items()},
            "now": Provide(clock, sync_to_thread=False),
            "me": Provide(provide_me),
            "staff": Provide(provide_staff),
            "lead": Provide(provide_lead),
            "admin": Provide(provide_admin),
            "engineer": Provide(provide_engineer),
        },
        middleware=[measured],
        exception_handlers={
            DomainError: show_refusal,
            HTTPException: show_http_error,
            Exception: show_fault,
        },
        openapi_config=OpenAPIConfig(
            title="Pullcord",
            version="1",
            path="/schema",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        lifespan=[lifespan],
        state=State({"pages": Pages(assets, vapid_key=vapid.public_key), "live": live}),
        logging_config=None,
    )
    _one_after_another(app)
    # Around the router too: an address nobody has is answered with the same headers, in the same language.
    app.asgi_handler = speaking(settings.language)(front_door(app.asgi_handler))
    return app


def _one_after_another(app: Litestar) -> None:
    """Provide what a handler asks for in turn. Litestar begins a task for each, which is for what has to be waited for;
    ours is at hand, and the tasks were a quarter of what HTTP costs."""
    for route in app.routes:
        for _, model in getattr(route, "route_handler_map", {}).values():
            model.dependency_batches = [{one} for batch in model.dependency_batches for one in batch]


def _given(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)
