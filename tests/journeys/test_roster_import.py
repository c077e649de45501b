"""A sheet from Excel is looked at first, and imported whole or not at all."""

import io
from datetime import date

import pytest
from openpyxl import Workbook

from app.rosters.models import Duty
from tests import factories
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused

SHEET = "Name\t11/23\t11/24\nLi Wei\tearly\tearly\nSun Hao\t\tnight\n"


async def test_a_pasted_sheet_is_shown_and_then_written(plant):
    seen = done(await plant.posts("/roster/import", {"text": SHEET}, by="Wang Lei"))
    assert "2 shifts more" in seen.text
    assert await duties(plant) == set()

    done(await plant.posts("/roster/import", {"text": SHEET, "publish": "yes"}, by="Wang Lei"))

    assert await duties(plant) == {
        ("Li Wei", "early", date(2026, 11, 23)), ("Li Wei", "early", date(2026, 11, 24)),
        ("Sun Hao", "night", date(2026, 11, 24)),
    }  # fmt: skip


async def test_what_the_sheet_leaves_empty_is_off_and_what_it_does_not_name_stays(plant):
    await plant.changes(lambda session: factories.duty(session, "Sun Hao", "early", date(2026, 11, 23)))
    await plant.changes(lambda session: factories.duty(session, "Sun Hao", "early", date(2026, 11, 25)))
    await plant.changes(lambda session: factories.duty(session, "He Fang", "early", date(2026, 11, 23)))

    done(await plant.posts("/roster/import", {"text": SHEET, "publish": "yes"}, by="Wang Lei"))

    assert await duties(plant) >= {("Sun Hao", "early", date(2026, 11, 25)), ("He Fang", "early", date(2026, 11, 23))}
    assert ("Sun Hao", "early", date(2026, 11, 23)) not in await duties(plant)


@on_any_database
async def test_an_excel_file_leads_to_the_same_page(plant):
    book = Workbook()
    book.active.append(["姓名", date(2026, 11, 23), date(2026, 11, 24)])
    book.active.append(["Li Wei", "night", "休"])
    out = io.BytesIO()
    book.save(out)

    seen = done(await uploads(plant, out.getvalue()))

    assert "1 shift more" in seen.text
    assert "Li Wei\tnight\t休" in seen.text
    assert await duties(plant) == set()


@on_any_database
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Row 1: no days were found."),
        ("Name\t9999-12-31\nLi Wei\tearly", "Row 1, cell B1: the roster goes from a month ago to a year ahead"),
        ("Name\t0001-01-01\nLi Wei\tearly", "Row 1, cell B1: the roster goes from a month ago to a year ahead"),
        ("Name\tMonday\nLi Wei\tearly", "Row 1: no days were found."),
        ("Name\t11/31\nLi Wei\tearly", "Row 1: no days were found."),
        (SHEET + "Lu Wei\tearly\t", "Row 4, cell A4: nobody here is called “Lu Wei” or has this badge number. Correct it."),
        (SHEET + "Li Wei\t\t", "Row 4, cell A4: Li Wei has row 2 already. Put all days of one person into one row."),
        (SHEET + "Li Wei\tlate\t", "Row 4, cell B4: on 2026-11-23 Li Wei already works in row 2, and nobody can be in two places."),
        (SHEET + "Ma Jun\tQ\t", "Row 4, cell B4: “Q” is no shift here. Write one of early, late, night, or nothing for a day off."),
    ],
)  # fmt: skip
async def test_a_wrong_row_stops_everything(plant, text, sentence):
    answer = await plant.posts("/roster/import", {"text": text, "publish": "yes"}, by="Wang Lei")

    assert answer.status_code == 400
    assert sentence in answer.text
    assert await duties(plant) == set()


@on_any_database
async def test_what_is_no_sheet(plant):
    assert refused(await uploads(plant, b"not a sheet")) == "sheet.unreadable"
    assert refused(await uploads(plant, b"x" * 3_000_000)) == "sheet.too_large"
    assert refused(await plant.posts("/roster/import", {"text": "x" * 600_000}, by="Wang Lei")) == "sheet.too_large"
    assert refused(await plant.posts("/roster/import", {"text": "a\x00b"}, by="Wang Lei")) == "pullcord.bad_input"
    assert refused(await plant.posts("/roster/import", {"text": SHEET}, by="Li Wei")) == "pullcord.not_allowed"


async def uploads(plant, data, by="Wang Lei"):
    headers = plant._as(by) | {"accept": "application/json"}
    return await plant.http.post("/roster/import/file", files={"sheet": ("roster.xlsx", data)}, headers=headers)


async def duties(plant):
    names = {id_of("person", name): name for name in factories.CAST}
    shifts = {id_of("shift", name): name for name in factories.SHIFTS}
    return {(names[duty.person_id], shifts[duty.shift_id], duty.day) for duty in await plant.all(Duty)}
