"""HTTP for the roster: the week as a grid, and the three ways to write it: by hand, by a pattern, from a sheet.

Longer than most files because a pattern and a sheet are looked at first, and then published by the same address.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from anyio import to_thread
from litestar import Response, get, post
from litestar.params import FromQuery, MultipartBody, URLEncodedBody
from litestar.response import Redirect

from app.kit import i18n, sheets
from app.kit.http import AnyRequest, Db, Form, Lead, Now, SheetFile, SheetForm, page, see
from app.people.routes import Staff
from app.rosters import queries
from app.rosters.actions import publish
from app.rosters.desk import cells_of, choices, lay_out, plan_of
from app.rosters.grid import Group, Week
from app.rosters.imports import bring_in
from app.rosters.patterns import PATTERNS
from app.rosters.words import WORDS, weekdays

WEEK = timedelta(days=7)


class PlanForm(Form):
    """`cell`: one for each person and day, as the page wrote them."""

    cell: list[str] | str = []


class PatternForm(Form):
    pattern: str
    start: date
    weeks: int
    shift: list[str] | str = []
    crew: list[str] | str = []
    weekday: list[str] | str = []
    holidays: str = ""
    publish: str = ""

    def sent(self) -> list[tuple[str, object]]:
        """Every field with each of its values, to be sent once more."""
        fields = [(name, getattr(self, name)) for name in self.__struct_fields__ if name != "publish"]
        return [(name, one) for name, value in fields for one in (value if isinstance(value, list) else [value])]


@get("/roster")
async def week_page(request: AnyRequest, staff: Staff, db: Db, now: Now, week: FromQuery[str] = "") -> Response[Any]:
    first = _monday(week, await db.read(queries.today, staff.site_id, now=now))
    shown = await db.read(queries.week, staff.site_id, first, now=now)
    return page(request, "rosters/week.html", week=shown, **_around(first), **WORDS)


@get("/roster/plan")
async def plan_page(
    request: AnyRequest, lead: Lead, db: Db, now: Now,
    week: FromQuery[str] = "", team: FromQuery[str] = "", like: FromQuery[str] = "",
) -> Response[Any]:  # fmt: skip
    today = await db.read(queries.today, lead.site_id, now=now)
    first = _monday(week, today)
    shown = await db.read(queries.week, lead.site_id, first, now=now)
    other = await db.read(queries.week, lead.site_id, _monday(like, today), now=now) if like else shown
    group = _group(shown, team, lead.team_id)
    liked = {row.person.id: row for one in other.groups for row in one.rows}
    rows = [(row, choices(row, liked.get(row.person.id, row), shown.shifts)) for row in group.rows]
    return page(
        request, "rosters/plan.html", week=shown, group=group, rows=rows, copied=bool(like), **_around(first), **WORDS
    )


@post("/roster/plan", status_code=303)
async def publish_week(data: URLEncodedBody[PlanForm], lead: Lead, db: Db, now: Now) -> Redirect:
    cells, was = cells_of(_all(data.cell))
    await db.write(publish, cells, site_id=lead.site_id, was=was, now=now)
    first = min((day for _, day in cells), default=None)
    return see(f"/roster?week={first.isoformat()}" if first else "/roster")


@get("/roster/pattern")
async def pattern_page(
    request: AnyRequest, lead: Lead, db: Db, now: Now, pattern: FromQuery[str] = "", team: FromQuery[str] = ""
) -> Response[Any]:
    first = _monday("", await db.read(queries.today, lead.site_id, now=now))
    shown = await db.read(queries.week, lead.site_id, first, now=now)
    key = pattern if pattern in PATTERNS else next(iter(PATTERNS))
    return page(
        request, "rosters/pattern.html", patterns=PATTERNS, key=key, pattern=PATTERNS[key], week=shown,
        group=_group(shown, team, lead.team_id), start=first + WEEK, weekdays=weekdays(),
    )  # fmt: skip


@post("/roster/pattern", status_code=303)
async def publish_pattern(
    request: AnyRequest, data: URLEncodedBody[PatternForm], lead: Lead, db: Db, now: Now
) -> Response[Any]:
    plan = plan_of(
        data.pattern, _all(data.shift), _all(data.crew), start=data.start, weeks=data.weeks,
        weekdays=_all(data.weekday), holidays=bool(data.holidays),
    )  # fmt: skip
    cells = await db.read(lay_out, plan, site_id=lead.site_id, now=now)
    if data.publish:
        await db.write(publish, cells, site_id=lead.site_id, now=now)
        return see(f"/roster?week={data.start.isoformat()}")
    written = await db.read(publish, cells, site_id=lead.site_id, dry=True, now=now)
    return page(request, "rosters/preview.html", written=written, to="/roster/pattern", sent=data.sent())


@get("/roster/import")
async def import_page(request: AnyRequest, lead: Lead, db: Db) -> Response[Any]:
    return page(
        request, "rosters/import.html", shifts=await db.read(queries.shifts, lead.site_id), problems=[], text=""
    )


@post("/roster/import", status_code=303)
async def import_text(
    request: AnyRequest, data: URLEncodedBody[SheetForm], lead: Lead, db: Db, now: Now
) -> Response[Any]:
    table = sheets.pasted(data.text)
    return await _bring_in(request, table, lead, db, now=now, dry=not data.publish)


@post("/roster/import/file", status_code=303)
async def import_file(
    request: AnyRequest, data: MultipartBody[SheetFile], lead: Lead, db: Db, now: Now
) -> Response[Any]:
    table = await to_thread.run_sync(sheets.uploaded, await data.sheet.read(sheets.MOST_BYTES + 1))
    return await _bring_in(request, table, lead, db, now=now, dry=True)


async def _bring_in(
    request: AnyRequest, table: sheets.Table, lead: Lead, db: Db, *, now: Any, dry: bool
) -> Response[Any]:
    """Show what is wrong with a sheet, or what it would change; or write it and show the week."""
    run = db.read if dry else db.write
    found = await run(bring_in, table, site_id=lead.site_id, dry=dry, now=now)
    text = sheets.as_text(table)
    if found.problems:
        problems = [i18n.sentence(problem.message, problem.details) for problem in found.problems]
        shifts = await db.read(queries.shifts, lead.site_id)
        return page(request, "rosters/import.html", status=400, shifts=shifts, problems=problems, text=text)
    if dry:
        sent = [("text", text)]
        return page(request, "rosters/preview.html", written=found.written, to="/roster/import", sent=sent)
    return see(f"/roster?week={found.first.isoformat()}" if found.first else "/roster")


def _monday(week: str, today: date) -> date:
    """Return the first day of the week a day is in; of this week, when it is no day."""
    try:
        day = date.fromisoformat(week)
    except ValueError:
        day = today
    day = day if abs((day - today).days) < 1000 else today
    return day - timedelta(day.weekday())


def _around(first: date) -> dict[str, Any]:
    return {"first": first, "before": first - WEEK, "after": first + WEEK}


def _group(week: Week, team: str, own: UUID | None) -> Group:
    """Return the people of the team that is asked for, else of the reader's, else of the first."""
    by_team = {group.key: group for group in week.groups}
    return by_team.get(team) or by_team.get(own.hex if own else "none") or week.groups[0]


def _all(value: list[str] | str) -> list[str]:
    """A form with one value of a name says it alone; with several, as a list."""
    return [value] if isinstance(value, str) else value


handlers = [
    week_page, plan_page, publish_week, pattern_page, publish_pattern, import_page, import_text, import_file
]  # fmt: skip
