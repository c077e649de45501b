"""HTTP for shelves: what is hidden now, hide an alarm, show it again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from sqlmodel import Session

from app.kit.errors import BadInput
from app.kit.http import AnyRequest, Db, Form, Now, page, see
from app.machines import rule_queries as queries
from app.machines import shelving
from app.machines.models import ShelfKind, Subject
from app.machines.routes import Engineer
from app.machines.rule_routes import SHELF_WORDS, told
from app.machines.samples import number_of
from app.people.models import Person
from app.people.routes import Staff


class ShelfForm(Form):
    kind: str = "timed"
    minutes: str = "60"
    reason: str = ""


@get("/machines/shelves")
async def shelves_page(request: AnyRequest, engineer: Engineer, db: Db, now: Now) -> Response[Any]:
    return page(request, "machines/rule_shelves.html", **await db.read(_shelves, engineer, now=now))


@post("/machines/shelves/{subject:str}/{subject_id:uuid}", status_code=303)
async def shelve_alarm(
    subject: FromPath[str],
    subject_id: FromPath[UUID],
    data: URLEncodedBody[ShelfForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    if subject not in list(Subject) or data.kind not in list(ShelfKind):
        raise BadInput()
    minutes = number_of(data.minutes) or 0.0
    what = (Subject(subject), subject_id, ShelfKind(data.kind))
    length = min(max(minutes, 0.0), 1e6)
    await db.write(shelving.shelve, *what, minutes=length, reason=data.reason, by=staff, now=now)
    return see(f"/machines/rules/{subject_id}" if subject == Subject.RULE else "/machines/shelves")


@post("/machines/shelves/{subject:str}/{subject_id:uuid}/end", status_code=303)
async def unshelve_alarm(
    subject: FromPath[str], subject_id: FromPath[UUID], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    if subject not in list(Subject):
        raise BadInput()
    await db.write(shelving.unshelve, Subject(subject), subject_id, by=staff, now=now)
    return see(f"/machines/rules/{subject_id}" if subject == Subject.RULE else "/machines/shelves")


def _shelves(session: Session, viewer: Person, *, now: datetime) -> dict[str, Any]:
    hidden = shelving.shelved(session, now=now)
    rules = {one.rule.id: one for one in queries.listed(session, ids=list(hidden), now=now)}
    known = queries.dictionary(session)
    return {
        "shelves": [(shelf, told(rules[id_], known, now) if id_ in rules else None) for id_, shelf in hidden.items()],
        "shelf_words": SHELF_WORDS,
        "may_change": shelving.may_change(viewer),
    }


handlers = [shelves_page, shelve_alarm, unshelve_alarm]
