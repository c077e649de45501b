"""A sheet as rows of short texts, whether it was pasted or uploaded. What it means, who asked for it tells. Pure."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO, StringIO
from zipfile import BadZipFile, ZipFile

from app.kit.errors import N_, DomainError

MOST_ROWS, MOST_COLUMNS = 1000, 400
MOST_CELLS = 60_000  # a thousand people for two months
MOST_EMPTY = 5000  # rows: some sheets have borders drawn far below the last name
MOST_TEXT = 500_000  # characters pasted
MOST_BYTES = 2_000_000  # of a file
MOST_UNPACKED = 20_000_000  # bytes: a file of a megabyte may unpack to a gigabyte

Table = list[list[str]]


class NoSheet(DomainError):
    code = "sheet.unreadable"
    message = N_(
        "This is no Excel sheet we can read. Nothing was changed. "
        "Save it as .xlsx, or copy the cells in Excel and paste them here."
    )
    status = 400


class SheetTooLarge(DomainError):
    code = "sheet.too_large"
    message = N_(
        "This sheet is too large: %(rows)s rows, %(columns)s columns and %(cells)s cells at most. Nothing was changed. "
        "Split it into several."
    )
    status = 413

    @classmethod
    def by(cls) -> "SheetTooLarge":
        return cls(rows=MOST_ROWS, columns=MOST_COLUMNS, cells=MOST_CELLS)


def pasted(text: str) -> Table:
    """Return the cells of what was copied in a spreadsheet.

    Raises:
        SheetTooLarge, NoSheet
    """
    if len(text) > MOST_TEXT:
        raise SheetTooLarge.by()
    try:
        return _checked(csv.reader(StringIO(text), delimiter="\t"))
    except csv.Error:
        raise NoSheet() from None


def uploaded(data: bytes) -> Table:
    """Return the cells of the first sheet of an .xlsx file, with what its formulas came to. Slow: in a thread.

    Raises:
        SheetTooLarge, NoSheet
    """
    from openpyxl import load_workbook

    if len(data) > MOST_BYTES:
        raise SheetTooLarge.by()
    try:
        with ZipFile(BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:
                raise SheetTooLarge.by()
        book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size need not be true
        rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
        return _checked([_text(value) for value in row] for row in rows)
    except SheetTooLarge:
        raise
    except (BadZipFile, LookupError, ValueError, TypeError, AttributeError, OSError, SyntaxError, NotImplementedError):
        raise NoSheet() from None  # all that a broken or forged file makes zipfile, the XML parser and openpyxl say


def cell(row: int, column: int) -> str:
    """Return what a spreadsheet calls a cell; both from 0."""
    letters, left = "", column + 1
    while left:
        left, letter = divmod(left - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row + 1}"


def as_text(table: Table) -> str:
    """Return the table as it would be pasted."""
    out = StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(table)
    return out.getvalue()


def _checked(rows: Iterable[Sequence[str]]) -> Table:
    """Strip every cell, and what is empty at the right and at the bottom."""
    table: Table = []
    for values in rows:
        row = [value.strip() for value in values]
        while row and not row[-1]:
            row.pop()
        table.append(row)
        if (row and len(table) > MOST_ROWS) or len(row) > MOST_COLUMNS or len(table) > MOST_EMPTY:
            raise SheetTooLarge.by()
    while table and not table[-1]:
        table.pop()
    if sum(map(len, table)) > MOST_CELLS:
        raise SheetTooLarge.by()
    return table


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
