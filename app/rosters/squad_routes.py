"""HTTP for squads: who is called together."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from app.kit.http import AnyRequest, Db, Form, Lead, page, see
from app.people.routes import Staff
from app.rosters import queries, squads


class NameForm(Form):
    name: str = ""


class MemberForm(Form):
    person_id: UUID


@get("/squads")
async def squads_page(request: AnyRequest, staff: Staff, db: Db) -> Response[Any]:
    found = await db.read(queries.squads, staff.site_id)
    people = await db.read(queries.staff, staff.site_id)
    return page(request, "rosters/squads.html", squads=found, people=people, most=squads.LONGEST_NAME)


@post("/squads", status_code=303)
async def found_squad(data: URLEncodedBody[NameForm], lead: Lead, db: Db) -> Redirect:
    await db.write(squads.found, data.name, by=lead)
    return see("/squads")


@post("/squads/{squad_id:uuid}/name", status_code=303)
async def rename_squad(squad_id: FromPath[UUID], data: URLEncodedBody[NameForm], lead: Lead, db: Db) -> Redirect:
    await db.write(squads.rename, squad_id, data.name, by=lead)
    return see("/squads")


@post("/squads/{squad_id:uuid}/members", status_code=303)
async def join_squad(squad_id: FromPath[UUID], data: URLEncodedBody[MemberForm], lead: Lead, db: Db) -> Redirect:
    await db.write(squads.join, squad_id, data.person_id, by=lead)
    return see("/squads")


@post("/squads/{squad_id:uuid}/members/{person_id:uuid}/removal", status_code=303)
async def leave_squad(squad_id: FromPath[UUID], person_id: FromPath[UUID], lead: Lead, db: Db) -> Redirect:
    await db.write(squads.leave, squad_id, person_id, by=lead)
    return see("/squads")


handlers = [squads_page, found_squad, rename_squad, join_squad, leave_squad]
