"""From what was pasted or uploaded to rows of texts: small, clean, or refused in a sentence."""

import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook

from app.kit import sheets
from app.kit.sheets import NoSheet, SheetTooLarge, as_text, cell, pasted, uploaded


def workbook(*rows, title="Sheet"):
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_what_excel_copies():
    assert pasted('Name\t11/23\r\n Li Wei \tE\r\n"Wang\nLei"\t\t\r\n\t\t\r\n') == [
        ["Name", "11/23"], ["Li Wei", "E"], ["Wang\nLei"]
    ]  # fmt: skip


def test_what_excel_saves():
    data = workbook(["Name", date(2026, 11, 23), 46350], ["Li Wei", "E", None], [1001.0, None, "N"])

    assert uploaded(data) == [["Name", "2026-11-23", "46350"], ["Li Wei", "E"], ["1001", "", "N"]]


def test_an_empty_row_in_between_keeps_its_number():
    assert uploaded(workbook(["Name"], [], ["Li Wei"])) == [["Name"], [], ["Li Wei"]]


def test_borders_far_below_the_last_name_are_no_rows():
    assert uploaded(workbook(["Name"], *[[None, " "]] * 1500)) == [["Name"]]


def test_text_and_table_are_the_same():
    table = [["Name", "11/23"], ["Li\tWei", 'a "b"\nc']]

    assert pasted(as_text(table)) == table


@pytest.mark.parametrize(("row", "column", "name"), [(0, 0, "A1"), (6, 25, "Z7"), (0, 26, "AA1"), (9, 701, "ZZ10")])
def test_cells_are_called_as_in_excel(row, column, name):
    assert cell(row, column) == name


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"<html>", b"\xd0\xcf\x11\xe0" + bytes(600), workbook(["a"])[:-40]]
)
def test_what_is_no_sheet(data):
    with pytest.raises(NoSheet):
        uploaded(data)


def test_a_zip_of_something_else():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("xl/workbook.xml", "<workbook><nothing/></workbook>")

    with pytest.raises(NoSheet):
        uploaded(out.getvalue())


def test_a_small_file_that_unpacks_to_a_huge_one():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/sharedStrings.xml", b"0" * (sheets.MOST_UNPACKED + 1))

    with pytest.raises(SheetTooLarge):
        uploaded(out.getvalue())


@pytest.mark.parametrize(
    "text", ["x" * (sheets.MOST_TEXT + 1), "a\n" * 1001, "\t" * 401 + "x", ("\t" * 61 + "x\n") * 1000]
)
def test_too_large(text):
    with pytest.raises(SheetTooLarge):
        pasted(text)


def test_too_large_as_a_file():
    with pytest.raises(SheetTooLarge):
        uploaded(bytes(sheets.MOST_BYTES + 1))
    with pytest.raises(SheetTooLarge):
        uploaded(workbook(*[["a"]] * 1001))
