"""HTTP for being on duty: who covers what, and the one tap that says that I am here."""

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Now, page, see
from app.people.routes import Staff
from app.rosters import checkin
from app.rosters.duty import Phone, board

PHONE_WORDS = {
    Phone.GREEN: N_("phone rings"),
    Phone.RINGING: N_("ringing, no answer yet"),
    Phone.RED: N_("does not answer"),
    Phone.UNTESTED: N_("not tested in this shift"),
    Phone.NONE: N_("no phone"),
}
ROLE_WORDS = {
    "operator": "",
    "team_lead": N_("team lead"),
    "engineer": N_("engineer"),
    "manager": N_("manager"),
    "admin": N_("administrator"),
}


@get("/duty")
async def duty_page(request: AnyRequest, staff: Staff, db: Db, now: Now) -> Response[Any]:
    shown = await db.read(board, staff, now=now)
    return page(request, "duty/page.html", board=shown, phone_words=PHONE_WORDS, role_words=ROLE_WORDS)


@get("/duty/now")
async def duty_now(request: AnyRequest, staff: Staff, db: Db, now: Now) -> Response[Any]:
    shown = await db.read(board, staff, now=now)
    return page(request, "duty/_now.html", board=shown, phone_words=PHONE_WORDS, role_words=ROLE_WORDS)


@post("/duty/presence", status_code=303)
async def check_in(staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(checkin.check_in, staff, now=now)
    return see("/duty")


@post("/duty/presence/end", status_code=303)
async def check_out(staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(checkin.check_out, staff, now=now)
    return see("/duty")


handlers = [duty_page, duty_now, check_in, check_out]
