"""HTTP for sheets of rules: looked at first, stored when every row is right."""

from datetime import datetime
from typing import Any

from anyio import to_thread
from litestar import Response, get, post
from litestar.params import MultipartBody, URLEncodedBody

from app.kit import sheets
from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Now, SheetFile, SheetForm, page, see
from app.kit.i18n import sentence as put
from app.machines import rule_queries as queries
from app.machines import shelving
from app.machines.rule_imports import bring_in
from app.machines.rule_sheets import COLUMNS
from app.machines.rules import Kind
from app.machines.sentences import sentence
from app.people.models import Person
from app.people.routes import Staff


@get("/machines/rules/import")
async def import_page(request: AnyRequest, staff: Staff) -> Response[Any]:
    shelving.require_may_change(staff)
    return page(request, "machines/rule_import.html", columns=COLUMNS, kinds=list(Kind), problems=[], text="")


@post("/machines/rules/import", status_code=200)
async def import_text(
    request: AnyRequest, data: URLEncodedBody[SheetForm], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    return await _bring_in(request, sheets.pasted(data.text), staff, db, dry=not data.publish, now=now)


@post("/machines/rules/import/file", status_code=200)
async def import_file(
    request: AnyRequest, data: MultipartBody[SheetFile], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    shelving.require_may_change(staff)
    table = await to_thread.run_sync(sheets.uploaded, await data.sheet.read(sheets.MOST_BYTES + 1))
    return await _bring_in(request, table, staff, db, dry=True, now=now)


async def _bring_in(
    request: AnyRequest, table: sheets.Table, staff: Person, db: Db, *, dry: bool, now: datetime
) -> Response[Any]:
    """Show what is wrong with a sheet, or what it would change; or write it and show the rules."""
    run = db.read if dry else db.write
    found = await run(bring_in, table, dry=dry, by=staff, now=now)
    text = sheets.as_text(table)
    if found.problems:
        row = N_("Row %(row)s: %(wrong)s")
        told = [put(row, {"row": one.row, "wrong": put(one.message, one.details)}) for one in found.problems]
        shown = {"columns": COLUMNS, "kinds": list(Kind), "problems": told, "text": text}
        return page(request, "machines/rule_import.html", status=400, **shown)
    if not dry:
        return see("/machines/rules")
    known = await db.read(queries.dictionary)
    lists = [
        [sentence(e.document, e.tag.names, e.tag.unit, known) for e in part] for part in (found.made, found.changed)
    ]
    return page(request, "machines/rule_preview.html", made=lists[0], changed=lists[1], text=text)


handlers = [import_page, import_text, import_file]
