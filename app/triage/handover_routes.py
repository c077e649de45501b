"""HTTP for the handover between two shifts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect
from sqlmodel import Session

from app.anomaly.routes import WORDS
from app.kit.http import AnyRequest, Db, Form, Now, page, see
from app.kit.ids import new_id
from app.people.models import Person
from app.people.routes import Staff
from app.plant.models import Line
from app.plant.queries import lines_of
from app.rosters import handover as notes
from app.rosters.models import Shift
from app.triage import handover

WHOLE_SITE = "all"


class HandoverForm(Form):
    key: UUID
    line: str = ""
    text: str = ""


@get("/handover")
async def handover_page(
    request: AnyRequest, staff: Staff, db: Db, now: Now, line: FromQuery[str] = ""
) -> Response[Any]:
    shown = await db.read(_draft, staff, line, now=now)
    return page(request, "handover/page.html", key=new_id(), **shown, **WORDS)


@post("/handover", status_code=303)
async def hand_over(data: URLEncodedBody[HandoverForm], staff: Staff, db: Db, now: Now) -> Redirect:
    note = await db.write(handover.hand_over, data.key, data.line, data.text, by=staff, now=now)
    return see(f"/handover/{note.id}")


@get("/handover/{note_id:uuid}")
async def handover_note(request: AnyRequest, note_id: FromPath[UUID], staff: Staff, db: Db) -> Response[Any]:
    shown = await db.read(_note, note_id, staff)
    return page(request, "handover/note.html", **shown, **WORDS)


@post("/handover/{note_id:uuid}/receipt", status_code=303)
async def receive(note_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Redirect:
    await db.write(notes.receive, note_id, by=staff, now=now)
    return see(f"/handover/{note_id}")


def _draft(session: Session, staff: Person, line: str, *, now: datetime) -> dict[str, Any]:
    """What would be handed over now: of the line that was asked for, else of the viewer's own, else of the site."""
    known = lines_of(session, staff.site_id)
    asked = next((one for one in known if str(one.id) == line), None)
    own = next((one for one in known if one.id == staff.line_id), None)
    chosen = asked or (None if line == WHOLE_SITE else own)
    what = handover.span(session, staff, now=now)
    found = handover.summary(session, staff.site_id, chosen.id if chosen else None, since=what.begins)
    waiting = notes.waiting(session, staff, now=now)
    return {"lines": known, "chosen": chosen, "span": what, "summary": found, "waiting": waiting}


def _note(session: Session, note_id: UUID, viewer: Person) -> dict[str, Any]:
    note, giver, receiver = notes.note(session, note_id, viewer=viewer)
    return {
        "note": note,
        "giver": giver,
        "receiver": receiver,
        "line": session.get(Line, note.line_id) if note.line_id else None,
        "shift": session.get(Shift, note.shift_id) if note.shift_id else None,
        "summary": handover.told(note),
        "may_receive": notes.may_receive(note, giver, viewer),
    }


handlers = [handover_page, hand_over, handover_note, receive]
