"""Labels as they come out of the printer: the PDF is drawn at 300 dpi and looked at."""

import gzip
import logging
import random
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFilter

from app.plant import labels as plant_labels
from app.plant.codes import label_address
from app.plant.labels import Label, NoLabels, Sheet, label_sheet

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
DPI = 300
MM = DPI / 25.4
FONTS = Path(plant_labels.__file__).parent / "fonts"


def station(code: str = "7K3Q", en: str = "Press 7", zh: str = "7 号冲压机") -> Label:
    path = {"en": "Wuxi › Stamping hall › Line 3", "zh": "无锡工厂 › 冲压车间 › 3 号线"}
    return Label({"en": en, "zh": zh}, path, code, label_address("https://pullcord.plant.example", code))


def pages(pdf: bytes) -> list[Image.Image]:
    return [page.render(scale=DPI / 72, grayscale=True).to_pil() for page in pypdfium2.PdfDocument(pdf)]


def text_of(pdf: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


@pytest.mark.parametrize(("sheet", "on_a_page"), [(Sheet.A4_2X4, 8), (Sheet.A4_3X8, 24), (Sheet.SINGLE, 1)])
def test_every_label_of_a_sheet_can_be_scanned(sheet, on_a_page):
    stations = [station(f"7K{number:02}") for number in range(on_a_page + 1)]

    drawn = pages(label_sheet(stations, sheet, now=NOW))

    assert len(drawn) == 2
    seen = [found.text for page in drawn for found in zxingcpp.read_barcodes(page)]
    assert sorted(seen) == sorted(label.address for label in stations)


@pytest.mark.parametrize(("sheet", "least"), [(Sheet.A4_2X4, 40), (Sheet.SINGLE, 40), (Sheet.A4_3X8, 25)])
def test_the_code_is_as_large_as_the_label_allows_with_its_quiet_zone(sheet, least):
    page = pages(label_sheet([station()], sheet, now=NOW))[0]

    (found,) = zxingcpp.read_barcodes(page)
    corners = [
        found.position.top_left,
        found.position.top_right,
        found.position.bottom_right,
        found.position.bottom_left,
    ]
    left, top = min(corner.x for corner in corners), min(corner.y for corner in corners)
    right, bottom = max(corner.x for corner in corners), max(corner.y for corner in corners)
    assert (right - left) / MM >= least - 0.3
    quiet = int(3.8 * (right - left) / 29)  # 29 modules a side; a hair less than four for the drawing's soft edges
    frame = page.crop((left - quiet, top - quiet, right + quiet, bottom + quiet))
    frame.paste(255, (quiet - 2, quiet - 2, frame.width - quiet + 2, frame.height - quiet + 2))
    assert frame.getextrema()[0] > 200


def test_a_label_of_the_floor_is_read_out_of_focus_and_scratched():
    page = pages(label_sheet([station()], Sheet.SINGLE, now=NOW))[0].resize((700, 700))
    knife, chance = ImageDraw.Draw(page), random.Random(7)
    for _ in range(3):
        knife.line([(chance.randrange(90, 400), 300), (chance.randrange(90, 400), 650)], fill=255, width=4)

    (found,) = zxingcpp.read_barcodes(page.filter(ImageFilter.GaussianBlur(3)))

    assert found.text == station().address


def test_it_says_the_name_in_both_languages_where_it_is_the_code_and_what_to_do():
    said = text_of(label_sheet([station()], Sheet.A4_2X4, now=NOW))

    for words in (
        "Press 7",
        "7 号冲压机",
        "Line 3",
        "3 号线",
        "7K3Q",
        "Scan",
        "扫码",
        "Tap",
        "点一下",
        "Help comes",
        "有人来",
    ):
        assert words in said


def test_a_name_that_is_the_same_in_both_is_said_once():
    assert text_of(label_sheet([station(en="CNC-3", zh="CNC-3")], Sheet.A4_3X8, now=NOW)).count("CNC-3") == 1


def test_a_station_with_one_name_gets_a_label():
    assert "Oven" in text_of(
        label_sheet([Label({"en": "Oven"}, {}, "7K3Q", "HTTPS://H/S/7K3Q")], Sheet.SINGLE, now=NOW)
    )


NAMES = {
    "short": ("Oven", "烘箱"),
    "long": ("Automatic guided vehicle charging station 12, north side", "北侧自动导引车十二号充电工位与电池更换处"),
    "endless": ("Automatic " * 40, "自动" * 100),
    "one long word": ("Donaudampfschifffahrtsgesellschaftskapitän" * 3, "x"),
}


@pytest.mark.parametrize("sheet", Sheet)
@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_too_long_for_its_label(sheet, name):
    pdf = pypdfium2.PdfDocument(label_sheet([station("7K3Q7K3Q", *NAMES[name])], sheet, now=NOW))
    plan = plant_labels._PLANS[sheet]
    page = pdf[0].get_textpage()
    (found,) = zxingcpp.read_barcodes(pdf[0].render(scale=DPI / 72, grayscale=True).to_pil())
    code_right, code_top = found.position.top_right.x / MM, found.position.top_right.y / MM
    code_bottom = found.position.bottom_left.y / MM

    written = [box for number in range(page.count_chars()) if (box := page.get_charbox(number))[0] < box[2]]

    assert written
    for left, bottom, right, top in written:
        left, right = (value * 25.4 / 72 for value in (left, right))
        top, bottom = (plan.page[1] - value * 25.4 / 72 for value in (top, bottom))
        assert plan.margin - 0.5 <= left < right <= plan.width - plan.margin + 0.5
        assert plan.margin - 0.5 <= top < bottom <= plan.height - plan.margin + 0.5
        assert left >= code_right or bottom <= code_top or top >= code_bottom


@pytest.mark.parametrize("sheet", Sheet)
def test_a_long_name_is_set_smaller_not_cut(sheet):
    said = " ".join(text_of(label_sheet([station("7K3Q", *NAMES["long"])], sheet, now=NOW)).split())

    assert said.replace(" ", "").find("Automaticguidedvehiclechargingstation12,northside") >= 0
    assert "北侧自动导引车十二号充电工位与电池更换处" in said.replace(" ", "")
    assert "Line 3" in said


def test_rows_do_not_lie_on_each_other():
    page = pypdfium2.PdfDocument(label_sheet([station(*["7K3Q", *NAMES["long"]])], Sheet.A4_3X8, now=NOW))[0]
    text = page.get_textpage()
    rows = sorted(
        {(round(bottom), round(top)) for _, bottom, _, top in (text.get_rect(n) for n in range(text.count_rects()))}
    )

    assert len(rows) > 5
    for (_, top), (bottom, _) in zip(rows, rows[2:], strict=False):
        assert bottom >= top - 1


def test_marks_without_a_shape_are_left_out():
    said = text_of(label_sheet([station(en="Pre\0ss\n7\u202e")], Sheet.SINGLE, now=NOW))

    assert "Pre ss 7" in said


def test_a_letter_the_font_does_not_have_costs_nothing_else(caplog):
    caplog.set_level(logging.CRITICAL, "fpdf")

    assert "Packing" in text_of(label_sheet([station(en="Packing 🙂")], Sheet.SINGLE, now=NOW))


def test_the_same_labels_are_the_same_file():
    assert label_sheet([station()], Sheet.A4_2X4, now=NOW) == label_sheet([station()], Sheet.A4_2X4, now=NOW)


def test_no_station_is_no_sheet():
    with pytest.raises(NoLabels):
        label_sheet([], Sheet.A4_2X4, now=NOW)


def test_the_font_has_every_character_of_gb2312_stays_small_and_brings_its_licence():
    font = FONTS / "NotoSansSC-Medium.woff"
    characters = TTFont(font).getBestCmap()
    gb2312 = "".join(
        bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF)
    )

    assert len(gb2312) > 7000
    assert not {letter for letter in gb2312 if ord(letter) not in characters}
    assert len(gzip.compress(font.read_bytes())) < 1_500_000
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / "OFL.txt").read_text()
