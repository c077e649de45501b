"""What a sheet means, and the sentence for each row that cannot be meant: its number, its cell, the remedy."""

from datetime import date, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.kit.secret import digest
from app.people.models import Person
from app.rosters.entries import Known, understand
from app.rosters.models import Shift

TODAY = date(2026, 11, 22)
DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)
SITE = UUID(int=9)
LI, WANG, TWIN, TWIN_2 = (UUID(int=100 + n) for n in range(4))
EARLY, LATE, NIGHT, LONG = (UUID(int=n) for n in range(4))
STAFF = [
    Person(id=LI, site_id=SITE, name="Li Wei", badge=digest("1001")),
    Person(id=WANG, site_id=SITE, name="王磊", badge=digest("1002")),
    Person(id=TWIN, site_id=SITE, name="Zhang Wei", badge=digest("1003")),
    Person(id=TWIN_2, site_id=SITE, name="Zhang Wei", badge=digest("1004")),
]


def shift(id, sign, english, chinese, starts, ends):
    return Shift(
        id=id, site_id=SITE, sign=sign, names={"en": english, "zh": chinese}, starts=time(starts), ends=time(ends)
    )


SHIFTS = [
    shift(EARLY, "早", "Early", "早班", 6, 14),
    shift(LATE, "中", "Late", "中班", 14, 22),
    shift(NIGHT, "N", "Night", "夜班", 22, 6),
    shift(LONG, "L", "Long day", "长白班", 5, 17),
]


def read(*rows, standing=None):
    known = Known(STAFF, SHIFTS, ZoneInfo("Asia/Shanghai"), TODAY, standing or {})
    return understand([row.split("|") for row in rows], known)


def only(*shifts):
    return frozenset(shifts)


def test_names_down_and_days_across():
    found = read("Name|11/23|11/24", "Li Wei|早|N", "王磊||中")

    assert not found.problems
    assert found.cells == {
        (LI, DAY): only(EARLY), (LI, NEXT): only(NIGHT), (WANG, DAY): only(), (WANG, NEXT): only(LATE)
    }  # fmt: skip


def test_a_title_a_second_line_of_weekdays_and_columns_that_are_not_read():
    found = read("冲压车间排班表", "序号|姓名|工号|班组|11月23日|11月24日|合计", "||||一|二", "1|王磊|1002|A|早班|休|1")

    assert not found.problems
    assert found.cells == {(WANG, DAY): only(EARLY), (WANG, NEXT): only()}


@pytest.mark.parametrize(
    ("said", "shifts"),
    [("早", only(EARLY)), ("early", only(EARLY)), ("夜班", only(NIGHT)), ("n", only(NIGHT)), ("Long day", only(LONG)), ("off", only()),
     ("休", only()), ("-", only()), ("早+N", only(EARLY, NIGHT)), ("早 / N", only(EARLY, NIGHT))],
)  # fmt: skip
def test_what_a_cell_may_say(said, shifts):
    found = read("Name|11/23", f"Li Wei|{said}")

    assert found.cells == {(LI, DAY): shifts}


@pytest.mark.parametrize("header", ["Name|11/23", "|11/23", "Badge|11/23", "工号|11/23"])
@pytest.mark.parametrize("who", ["1001", "li wei"])
def test_a_person_is_named_or_goes_by_the_badge(header, who):
    assert read(header, f"{who}|早").cells == {(LI, DAY): only(EARLY)}


def test_of_two_with_the_same_name_the_badge_says_who():
    assert read("Badge|Name|11/23", "1004|Zhang Wei|早").cells == {(TWIN_2, DAY): only(EARLY)}


@pytest.mark.parametrize(
    ("rows", "row", "cell", "begins"),
    [
        ((), 1, "A1", "Row %(row)s: no days were found"),
        (("Name|Monday", "Li Wei|早"), 1, "A1", "Row %(row)s: no days were found"),
        (("Name|2026-02-30", "Li Wei|早"), 1, "A1", "Row %(row)s: no days were found"),
        (("Name|11/23|11/31", "Li Wei|早|早"), 1, "C1", "Row %(row)s, cell %(cell)s: “%(said)s” is neither a day"),
        (("Name|Shoe size|11/23", "Li Wei|44|早"), 1, "B1", "Row %(row)s, cell %(cell)s: “%(said)s” is neither a day"),
        (("Name|11/23|2026-11-23", "Li Wei|早|早"), 1, "C1", "Row %(row)s, cell %(cell)s: %(day)s stands in %(other)s"),
        (("Name|2036-11-23", "Li Wei|早"), 1, "B1", "Row %(row)s, cell %(cell)s: the roster goes from"),
        (("11/23|11/24", "早|早"), 1, "A1", "Row %(row)s: there is no column for the people"),
        (("Name|11/23",), 1, "A1", "Row %(row)s: there are no people"),
        (("Name|11/23", "Lu Wei|早"), 2, "A2", "Row %(row)s, cell %(cell)s: nobody here is called"),
        (("Badge|11/23", "4711|早"), 2, "A2", "Row %(row)s, cell %(cell)s: nobody here is called"),
        (("Name|11/23", "Zhang Wei|早"), 2, "A2", "Row %(row)s, cell %(cell)s: several people"),
        (("Badge|Name|11/23", "1002|Li Wei|早"), 2, "B2", "Row %(row)s, cell %(cell)s: the badge number"),
        (("Name|11/23", "|早"), 2, "A2", "Row %(row)s, cell %(cell)s: whose row is this"),
        (("Name|11/23", "Li Wei|早|中"), 2, "C2", "Row %(row)s, cell %(cell)s: there is no day above"),
        (("Name|11/23", "Li Wei|Q"), 2, "B2", "Row %(row)s, cell %(cell)s: “%(said)s” is no shift"),
        (("Name|11/23", "Li Wei|早+Q"), 2, "B2", "Row %(row)s, cell %(cell)s: “%(said)s” is no shift"),
        (("Name|11/23", "Li Wei|早", "Li Wei|"), 3, "A3", "Row %(row)s, cell %(cell)s: %(name)s has row"),
        (("Name|11/23", "Li Wei|早", "1001|"), 3, "A3", "Row %(row)s, cell %(cell)s: %(name)s has row"),
        (("Name|11/23", "Li Wei|早", "Li Wei|中"), 3, "B3", "Row %(row)s, cell %(cell)s: on %(day)s %(name)s already works"),
        (("Name|11/23", "Li Wei|早+L"), 2, "B2", "Row %(row)s, cell %(cell)s: %(name)s would work twice at once"),
        (("Name|11/23|11/24", "Li Wei|N|L"), 2, "C2", "Row %(row)s, cell %(cell)s: %(name)s would work twice at once"),
    ],
)  # fmt: skip
def test_one_sentence_with_row_and_cell(rows, row, cell, begins):
    found = read(*rows)

    assert not found.cells, "nothing is half-imported"
    [problem] = found.problems
    assert (problem.row, problem.details["cell"]) == (row, cell)
    assert problem.message.startswith(begins)
    assert problem.message % problem.details


def test_every_wrong_row_has_its_sentence_and_only_one():
    found = read("Name|11/23|11/24", "Lu Wei|Q|Q", "Li Wei|早|早", "王磊|Q|R")

    assert [problem.row for problem in found.problems] == [2, 4]
    assert not found.cells


def test_what_stands_around_the_sheet_counts():
    before = {(LI, DAY - timedelta(1)): only(NIGHT)}
    [problem] = read("Name|11/23", "Li Wei|L", standing=before).problems
    assert problem.details["cell"] == "B2"

    after = {(LI, NEXT): only(LONG)}
    [problem] = read("Name|11/23", "Li Wei|N", standing=after).problems
    assert problem.details["cell"] == "B2"


def test_what_the_sheet_replaces_does_not():
    assert not read("Name|11/23", "Li Wei|早", standing={(LI, DAY): only(LONG)}).problems
