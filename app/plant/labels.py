"""Labels for the stations, as a PDF to print: QR code, name in both languages, place, short code, three pictures.

Sizes are millimetres, type sizes points. The QR code is at least 40 mm where the label has room for it: it reads
from ten times its width. Its strokes are in `strokes.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category

from app.kit.errors import N_, DomainError
from app.plant.strokes import MM_PER_POINT, draw_code, draw_steps, write_line

if TYPE_CHECKING:
    from fpdf import FPDF


class NoLabels(DomainError):
    code = "plant.no_labels"
    message = N_("There is no station to print a label for. Nothing was changed. Choose at least one station.")
    status = 422


class Sheet(StrEnum):
    """What the labels are printed on."""

    A4_2X4 = "a4-2x4"
    A4_3X8 = "a4-3x8"
    SINGLE = "100x100"


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says. `name` and `path` are in both languages, `address` is what its QR code holds."""

    name: Mapping[str, str]
    path: Mapping[str, str]
    code: str
    address: str


def label_sheet(labels: Sequence[Label], sheet: Sheet, *, now: datetime) -> bytes:
    """Return the labels as a PDF, in their order, as many pages as they need: 0.2 s of CPU, the first 1 s more.

    Raises:
        NoLabels: there are none.
    """
    if not labels:
        raise NoLabels
    plan = _PLANS[sheet]
    pdf = _blank(plan, now)
    for number, label in enumerate(labels):
        column, row = number % plan.columns, number // plan.columns % plan.rows
        if column == row == 0:
            pdf.add_page()
            _cut_lines(pdf, plan)
        _draw(pdf, plan, label, column * plan.width, row * plan.height)
    return bytes(pdf.output())


@dataclass(frozen=True, slots=True)
class _Plan:
    """`square` is the side of the QR code with its quiet zone, `step` the width of a picture; `name`, `path` and `code`
    are type sizes; `above` puts the name over the QR code, not beside it.
    """

    page: tuple[float, float]
    columns: int
    rows: int
    width: float
    height: float
    margin: float
    square: float
    name: float
    path: float
    code: float
    step: float
    above: bool = False


_PLANS = {
    Sheet.A4_2X4: _Plan((210, 297), 2, 4, 105, 74.25, 6, 56, name=17, path=8, code=40, step=12),
    Sheet.A4_3X8: _Plan((210, 297), 3, 8, 70, 37.125, 2, 33, name=9, path=5.5, code=20, step=6.5),
    Sheet.SINGLE: _Plan((100, 100), 1, 1, 100, 100, 5, 58, name=24, path=11, code=40, step=10.5, above=True),
}
_LANGUAGES = ("zh", "en")
_FONT = Path(__file__).parent / "fonts" / "NotoSansSC-Medium.woff"
_LEADING = 1.25 * MM_PER_POINT
_SQUEEZE = 0.75  # a text that is only a little too long is set smaller, not broken


def _blank(plan: _Plan, now: datetime) -> "FPDF":
    from fpdf import FPDF  # a second of CPU and 47 MB: only who prints labels pays

    pdf = FPDF(format=plan.page)
    pdf.set_creation_date(now)
    pdf.set_margin(0)
    pdf.c_margin = 0
    pdf.set_auto_page_break(False)
    pdf.add_font("label", fname=_FONT)
    pdf.set_font("label")
    return pdf


def _cut_lines(pdf: "FPDF", plan: _Plan) -> None:
    width, height = plan.page
    pdf.set_line_width(0.1)
    pdf.set_draw_color(190)
    for column in range(1, plan.columns):
        pdf.line(column * plan.width, 0, column * plan.width, height)
    for row in range(1, plan.rows):
        pdf.line(0, row * plan.height, width, row * plan.height)
    pdf.set_draw_color(0)


def _draw(pdf: "FPDF", plan: _Plan, label: Label, x: float, y: float) -> None:
    left, right = x + plan.margin, x + plan.width - plan.margin
    top, bottom = y + plan.margin, y + plan.height - plan.margin
    beside = left + plan.square
    pictures = bottom - 1.6 * plan.step
    code = pictures - 1.25 * plan.code * MM_PER_POINT
    if plan.above:
        square = bottom - plan.square
        _title(pdf, plan, label, left, top, right - left, square - top)
    else:
        square = y + (plan.height - plan.square) / 2
        _title(pdf, plan, label, beside, top, right - beside, code - top)
    draw_code(pdf, label.address, left, square, plan.square)
    write_line(pdf, label.code, plan.code, beside, code, right - beside)
    draw_steps(pdf, beside, pictures, plan.step)


def _title(pdf: "FPDF", plan: _Plan, label: Label, x: float, y: float, width: float, height: float) -> None:
    """Write name and path, as large as they fit; what is too long at half the size is cut."""
    for scale in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        rows = _rows(pdf, label.name, plan.name * scale, width)
        rows += _rows(pdf, label.path, plan.path * scale, width)
        if sum(size for _, size in rows) * _LEADING <= height:
            break
    end = y + height
    for number, (text, size) in enumerate(rows, 1):
        last = number < len(rows) and y + (size + rows[number][1]) * _LEADING > end
        write_line(pdf, text + "…" if last else text, size, x, y, width)
        if last:
            break
        y += size * _LEADING


def _rows(pdf: "FPDF", texts: Mapping[str, str], size: float, width: float) -> list[tuple[str, float]]:
    """Break the texts of both languages into rows with their sizes; the same text in both is said once."""
    rows = []
    for text in dict.fromkeys(_printable(texts.get(language, "")) for language in _LANGUAGES):
        pdf.set_font_size(size)
        needed = pdf.get_string_width(text)
        if needed * _SQUEEZE <= width:
            rows.append((text, size * min(1.0, width / max(needed, 1.0))))
        else:
            rows += [(row, size) for row in _broken(pdf, text, width)]
    return [row for row in rows if row[0]]


def _broken(pdf: "FPDF", text: str, width: float) -> list[str]:
    """Break at spaces where there are any, else, as Chinese does, anywhere."""
    rows = [""]
    for word in text.split():
        joined = f"{rows[-1]} {word}".strip()
        if pdf.get_string_width(joined) <= width:
            rows[-1] = joined
            continue
        rows.append("")
        for letter in word:
            if pdf.get_string_width(rows[-1] + letter) > width:
                rows.append("")
            rows[-1] += letter
    return rows


def _printable(text: str) -> str:
    """Leave out what has no shape (line ends, NUL, marks of direction)."""
    return " ".join("".join(" " if category(letter)[0] == "C" else letter for letter in text).split())
