"""How people write days over columns."""

from datetime import date

import pytest

from app.rosters.days import is_weekday, read_days

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-23", "2026/11/23", "2026.11.23", "2026-11-23 00:00:00", "2026年11月23日", "11月23日", "11/23", "11-23",
        "11/23/2026", "23.11.", "23.11.2026", "23. 11.", "Mon 23 Nov", "23-Nov", "23 November 2026", "Monday, 11/23",
        "11/23 (周一)", "11/23\n星期一", "周一 11月23日", "46349",
    ],
)  # fmt: skip
def test_the_23rd_of_november(said):
    assert read_days([said], today=TODAY) == [date(2026, 11, 23)]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Name",
        "2026-02-30",
        "2/30",
        "11/31",
        "32.1.",
        "13月1日",
        "23",
        "1",
        "2026",
        "一",
        "2026-13-01",
        "99/99",
        "9999999999",
        "0/0",
    ],
)
def test_no_day(said):
    assert read_days([said], today=TODAY) == [None]


def test_without_a_year_it_is_the_nearest():
    assert read_days(["12/31", "1/1", "7/1"], today=date(2026, 12, 20)) == [
        date(2026, 12, 31), date(2027, 1, 1), date(2026, 7, 1)
    ]  # fmt: skip


def test_the_day_comes_first_where_the_row_shows_it():
    assert read_days(["5/11", "13/11"], today=TODAY) == [date(2026, 11, 5), date(2026, 11, 13)]
    assert read_days(["11/5", "11/13"], today=TODAY) == [date(2026, 11, 5), date(2026, 11, 13)]


@pytest.mark.parametrize(
    ("said", "so"), [("一", True), ("周日", True), ("Tue", True), ("", False), ("早", False), ("N", False)]
)
def test_days_of_the_week(said, so):
    assert is_weekday(said) is so
