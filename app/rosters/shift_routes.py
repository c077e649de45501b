"""HTTP for the shifts of the site."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from app.kit.http import AnyRequest, Db, Form, Lead, Now, page, see
from app.people.routes import Staff
from app.rosters import hours, queries


class ShiftForm(Form):
    name: str = ""
    sign: str = ""
    starts: str = ""
    ends: str = ""

    def said(self) -> dict[str, str]:
        return {"name": self.name, "sign": self.sign, "starts": self.starts, "ends": self.ends}


@get("/shifts")
async def shifts_page(request: AnyRequest, staff: Staff, db: Db) -> Response[Any]:
    shifts = await db.read(queries.shifts, staff.site_id)
    return page(request, "rosters/shifts.html", shifts=shifts, most=hours.LONGEST_NAME, sign=hours.LONGEST_SIGN)


@post("/shifts", status_code=303)
async def new_shift(data: URLEncodedBody[ShiftForm], lead: Lead, db: Db, now: Now) -> Redirect:
    await db.write(hours.set_shift, None, **data.said(), by=lead, now=now)
    return see("/shifts")


@post("/shifts/{shift_id:uuid}", status_code=303)
async def change_shift(
    shift_id: FromPath[UUID], data: URLEncodedBody[ShiftForm], lead: Lead, db: Db, now: Now
) -> Redirect:
    await db.write(hours.set_shift, shift_id, **data.said(), by=lead, now=now)
    return see("/shifts")


handlers = [shifts_page, new_shift, change_shift]
