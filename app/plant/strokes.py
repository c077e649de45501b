"""What a label is drawn with: a line of text, a QR code, three pictures that say what to do. Millimetres and points."""

from typing import TYPE_CHECKING

from app.plant.codes import qr

if TYPE_CHECKING:
    from fpdf import FPDF

MM_PER_POINT = 25.4 / 72


def write_line(pdf: "FPDF", text: str, size: float, x: float, y: float, width: float) -> None:
    """Write one line with its top at `y`, smaller when it is too wide."""
    pdf.set_font_size(size)
    needed = pdf.get_string_width(text)
    if needed > width:
        pdf.set_font_size(size * width / needed)
    pdf.text(x, y + 0.95 * pdf.font_size, text)


def draw_code(pdf: "FPDF", address: str, x: float, y: float, square: float) -> None:
    """Draw the QR code and its quiet zone of four modules into a square."""
    rows = qr(address).matrix
    module = square / (len(rows) + 2 * _QUIET)
    taller = module + 0.02  # no white thread shows between two rows
    for down, row in enumerate(rows, _QUIET):
        start = _QUIET
        for across, dark in enumerate([*row, 0], _QUIET):
            if not dark:
                if start < across:
                    width = (across - start) * module
                    pdf.rect(x + start * module, y + down * module, width, taller, style="F")
                start = across + 1


def draw_steps(pdf: "FPDF", x: float, y: float, step: float) -> None:
    """Draw scan, tap, help comes side by side, each `step` wide, with its words below; 1.6 steps high in all."""
    size = 0.8 * step
    for number, (draw, words) in enumerate(zip((_scan, _tap, _comes), _STEPS, strict=True)):
        left = x + number * step
        pdf.set_line_width(size / 14)
        draw(pdf, left + (step - size) / 2, y, size)
        for line, word in enumerate(words):
            pdf.set_font_size(0.24 * step / MM_PER_POINT)
            width = min(pdf.get_string_width(word), 0.96 * step)
            below = y + size + (0.1 + 0.3 * line) * step
            write_line(pdf, word, pdf.font_size_pt, left + (step - width) / 2, below, width)


# A label speaks both languages to whoever stands in front of it, so its words are not looked up for one reader.
_STEPS = (("扫码", "Scan"), ("点一下", "Tap"), ("有人来", "Help comes"))
_QUIET = 4


def _scan(pdf: "FPDF", x: float, y: float, size: float) -> None:
    _phone(pdf, x, y, size)
    dot = size / 14
    for across, down, side in ((-2.5, -2.5, 2), (0.5, -2.5, 2), (-2.5, 0.5, 2), (0.5, 0.5, 1), (1.5, 1.5, 1)):
        pdf.rect(x + size / 2 + across * dot, y + size / 2 + down * dot, side * dot, side * dot, style="F")


def _tap(pdf: "FPDF", x: float, y: float, size: float) -> None:
    _phone(pdf, x, y, size)
    pdf.circle(x + size / 2, y + size / 2, size / 9, style="F")
    pdf.circle(x + size / 2, y + size / 2, size / 5)


def _comes(pdf: "FPDF", x: float, y: float, size: float) -> None:
    body = x + 0.34 * size
    pdf.circle(body + 0.28 * size, y + 0.24 * size, 0.18 * size, style="F")
    _rounded(pdf, body, y + 0.5 * size, 0.56 * size, 0.5 * size, "F")
    for start in (0.0, 0.16):
        left, level, wing = x + start * size, y + 0.6 * size, 0.13 * size
        pdf.polyline([(left, level - wing), (left + wing, level), (left, level + wing)])


def _phone(pdf: "FPDF", x: float, y: float, size: float) -> None:
    _rounded(pdf, x + 0.2 * size, y, 0.6 * size, size, "D")


def _rounded(pdf: "FPDF", x: float, y: float, width: float, height: float, style: str) -> None:
    corner = (0.4 if style == "F" else 0.16) * min(width, height)
    pdf.rect(x, y, width, height, style=style, round_corners=True, corner_radius=corner)
