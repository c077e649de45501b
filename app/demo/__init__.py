"""The demonstration plant: a site one can walk through, with a month of past and a few things open right now.

plant, cast, machines: what is there. phrases, signals, tale, course, month: what happened, told with the tables a live
anomaly goes by. present: what is open, through the real doors. past: what the machines showed meanwhile. Only
`pullcord demo` uses it, on an empty database.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import files

from sqlmodel import Session

from app.capture.actions import Stored
from app.demo import cast, machines, month, past, plant, present
from app.demo.cast import CAST, LEADING, PIN
from app.demo.plant import PRESS_7, SITE
from app.demo.signals import Signals
from app.demo.world import look_around
from app.flows import starter
from app.flows.actions import publish
from app.kit.db import finish
from app.kit.errors import N_, DomainError
from app.plant.queries import sites

__all__ = ["CAST", "LEADING", "PIN", "PRESS_7", "NotEmpty", "is_here", "photos", "prolong", "seed"]


class NotEmpty(DomainError):
    code = "demo.not_empty"
    message = N_(
        "This database holds a plant already, so the demonstration was not put into it. Nothing was changed. "
        "Give the demonstration a folder of its own with PULLCORD_DATA_DIR."
    )


def seed(
    session: Session, *, now: datetime, url: str = machines.URL, photos: Sequence[Stored] = (), chance: int = 7
) -> None:
    """Write the whole plant. `url`: where its machines will be; `photos` are in the file store already.

    The same `chance` at the same `now` tells the same past.

    Raises:
        NotEmpty: there is a plant already.
    """
    if sites(session):
        raise NotEmpty()
    site, lines, stations = plant.build(session)
    people, shifts = cast.engage(session, site, lines, now=now)
    for document in starter.documents():
        publish(session, document, now=now - timedelta(days=month.DAYS + 1))
    source = machines.install(session, stations, url=url)
    panel = machines.take_over(session, source, now=now)
    world = look_around(session, site, lines, stations, people, shifts, panel.alarms)
    dice = random.Random(chance)
    month.live_through(session, Signals(world, dice, panel.nodes, now), photos=photos, chance=dice)
    panel = machines.look_again(session, panel, now=now - timedelta(days=1))
    present.set_scene(session, world, panel, photos=photos, now=now)
    finish(session)
    past.remember(session, now=now, chance=random.Random(chance))
    machines.let_go(session, now=now)
    finish(session)


def is_here(session: Session) -> bool | None:
    """Tell whether the demonstration plant is in this database; None: nothing is.

    Raises:
        NotEmpty: a plant of somebody's own is.
    """
    known = sites(session)
    if not known:
        return None
    if [site.names for site in known] != [SITE]:
        raise NotEmpty()
    return True


def prolong(session: Session, *, now: datetime) -> None:
    """Bring the roster forward, so that the right people are on duty whenever it is started again."""
    cast.prolong_roster(session, sites(session)[0], now=now)


def photos() -> list[bytes]:
    """Return the pictures people of the demonstration have taken, as phones send them."""
    folder = files(__name__) / "photos"
    return [file.read_bytes() for file in sorted(folder.iterdir(), key=lambda f: f.name) if file.name.endswith(".jpg")]
