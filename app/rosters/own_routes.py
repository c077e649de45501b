"""HTTP for one's own times: my shifts, swaps, days away, my calendar. A lead sees and changes everybody's."""

from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from app.kit import i18n
from app.kit.errors import NotFound
from app.kit.http import AnyRequest, Db, Form, Now, Site, page, see
from app.kit.secret import fits, token
from app.people.models import Person
from app.people.routes import Staff
from app.rosters import absences, queries, swaps
from app.rosters import own as times
from app.rosters.calendar import feed
from app.rosters.words import WORDS

Secret: TypeAlias = NamedDependency[bytes]
MINE = "/roster/mine"
CALENDAR = "calendar"


class AbsenceForm(Form):
    person_id: UUID
    first_day: date
    last_day: date
    reason: str = "leave"


class DeputyForm(Form):
    deputy_id: str = ""


class SwapForm(Form):
    duty_id: UUID
    to_id: UUID


@get(MINE)
async def my_times(request: AnyRequest, staff: Staff, db: Db, config: Site, secret: Secret, now: Now) -> Response[Any]:
    own = await db.read(times.own, staff, now=now)
    address = f"{config.public_url.rstrip('/')}/roster/calendar/{staff.id}/{token(secret, CALENDAR, str(staff.id))}.ics"
    return page(request, "rosters/own.html", own=own, calendar=address, **WORDS)


@get("/roster/people/{person_id:uuid}")
async def their_times(request: AnyRequest, person_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    if person_id == staff.id:
        return see(MINE)
    person = await db.read(queries.colleague, person_id, by=staff)
    own = await db.read(times.own, person, now=now)
    return page(request, "rosters/own.html", own=own, calendar="", **WORDS)


@post("/roster/people/{person_id:uuid}/deputy", status_code=303)
async def set_deputy(person_id: FromPath[UUID], data: URLEncodedBody[DeputyForm], staff: Staff, db: Db) -> Redirect:
    await db.write(absences.set_deputy, person_id, _id(data.deputy_id), by=staff)
    return _back(person_id, staff)


@post("/roster/absences", status_code=303)
async def be_away(data: URLEncodedBody[AbsenceForm], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(absences.be_away, data.person_id, data.first_day, data.last_day, data.reason, by=staff, now=now)
    return _back(data.person_id, staff)


@post("/roster/absences/{absence_id:uuid}/removal", status_code=303)
async def be_back(absence_id: FromPath[UUID], staff: Staff, db: Db) -> Redirect:
    return _back(await db.write(absences.be_back, absence_id, by=staff), staff)


@post("/roster/swaps", status_code=303)
async def ask(data: URLEncodedBody[SwapForm], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(swaps.ask, data.duty_id, data.to_id, by=staff, now=now)
    return see(MINE)


@post("/roster/swaps/{swap_id:uuid}/agreement", status_code=303)
async def agree(swap_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(swaps.agree, swap_id, by=staff, now=now)
    return see(MINE)


@post("/roster/swaps/{swap_id:uuid}/refusal", status_code=303)
async def refuse(swap_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(swaps.refuse, swap_id, by=staff, now=now)
    return see(MINE)


@post("/roster/swaps/{swap_id:uuid}/withdrawal", status_code=303)
async def withdraw(swap_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(swaps.withdraw, swap_id, by=staff, now=now)
    return see(MINE)


@get("/roster/calendar/{person_id:uuid}/{name:str}")
async def calendar(person_id: FromPath[UUID], name: FromPath[str], db: Db, secret: Secret, now: Now) -> Response[bytes]:
    """What a calendar program fetches: it cannot log in, so its address is the secret."""
    if not fits(name.removesuffix(".ics"), token(secret, CALENDAR, str(person_id))):
        raise NotFound()
    found = await db.read(times.calendar, person_id, now=now)
    if found is None:
        raise NotFound()
    person, turns = found
    if person.language:
        i18n.language.set(person.language)
    headers = {"cache-control": "private, max-age=900", "content-disposition": 'inline; filename="shifts.ics"'}
    return Response(feed(person, turns, now=now), media_type="text/calendar", headers=headers)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound() from None


def _back(person_id: UUID, staff: Person) -> Redirect:
    return see(MINE if person_id == staff.id else f"/roster/people/{person_id}")


handlers = [
    my_times, their_times, set_deputy, be_away, be_back, ask, agree, refuse, withdraw, calendar
]  # fmt: skip
