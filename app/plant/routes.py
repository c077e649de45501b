"""HTTP for labels."""

from typing import Any
from uuid import UUID

from anyio import to_thread
from litestar import Response, get
from litestar.params import FromQuery

from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Lead, Now, Site, page
from app.plant import queries
from app.plant.codes import label_address
from app.plant.labels import Label, Sheet, label_sheet

SHEET_WORDS = {
    Sheet.A4_2X4: N_("A4, 8 labels"),
    Sheet.A4_3X8: N_("A4, 24 labels"),
    Sheet.SINGLE: N_("100 × 100 mm, one label a page"),
}


@get("/labels")
async def labels_page(request: AnyRequest, lead: Lead, db: Db, config: Site) -> Response[Any]:
    sheets = [{"key": sheet.value, "word": word} for sheet, word in SHEET_WORDS.items()]
    lines = await db.read(queries.lines)
    return page(request, "plant/labels.html", lines=lines, sheets=sheets, public_url=config.public_url)


@get("/labels.pdf")
async def labels(
    lead: Lead,
    db: Db,
    now: Now,
    config: Site,
    preset: FromQuery[str] = Sheet.A4_2X4,
    line: FromQuery[UUID | None] = None,
) -> Response[bytes]:
    sheet = Sheet(preset) if preset in list(Sheet) else Sheet.A4_2X4
    wanted = [
        Label(
            name=station.names,
            path={lang: f"{of.area.get(lang, '')} › {of.names.get(lang, '')}" for lang in ("en", "zh")},
            code=station.code,
            address=label_address(config.public_url, station.code),
        )
        for of in await db.read(queries.lines)
        if line is None or of.id == line
        for station in of.stations
    ]
    pdf = await to_thread.run_sync(lambda: label_sheet(wanted, sheet, now=now))
    headers = {"content-disposition": 'inline; filename="labels.pdf"', "cache-control": "no-store"}
    return Response(pdf, media_type="application/pdf", headers=headers)


handlers = [labels_page, labels]
