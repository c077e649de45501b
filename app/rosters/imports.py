"""A sheet against what is known here: looked at first, written when it is right from the first row to the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.kit.sheets import Table
from app.plant.models import Site
from app.rosters import queries
from app.rosters.actions import Written, publish
from app.rosters.entries import Known, Problem, days_of, understand

AROUND = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Imported:
    """What a sheet changes, or all that is wrong with it: then nothing was written."""

    problems: Sequence[Problem]
    written: Written
    first: date | None


def bring_in(session: Session, table: Table, *, site_id: UUID, dry: bool, now: datetime) -> Imported:
    """Write a sheet into the roster, or only say what that would do."""
    zone = ZoneInfo(session.get_one(Site, site_id).timezone)
    today = now.astimezone(zone).date()
    staff, days = queries.staff(session, site_id), days_of(table, today=today)
    first = min(days, default=today)
    standing = queries.cells(session, [p.id for p in staff], first - AROUND, max(days, default=today) + AROUND)
    found = understand(table, Known(staff, queries.shifts(session, site_id), zone, today, standing))
    if found.problems:
        return Imported(found.problems, Written({}, {}), None)
    return Imported((), publish(session, found.cells, site_id=site_id, dry=dry, now=now), first)
