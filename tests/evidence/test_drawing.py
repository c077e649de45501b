"""A picture says what was so: nothing between two values, nothing where nothing is known, nothing outside."""

import random
import re
from datetime import timedelta

import pytest

from app.evidence.drawing import BOTTOM, LEFT, RIGHT, TOP, Mark, draw
from app.machines.rules import GOOD, SILENT, Sample
from tests.factories import MONDAY as NOW

SINCE, UNTIL = NOW - timedelta(minutes=15), NOW + timedelta(minutes=15)


def at(minutes: float, value: object = None, quality=GOOD) -> Sample:
    return Sample(value, quality, NOW + timedelta(minutes=minutes))


def points(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(\S+),(\S+)", text)]


def test_a_value_holds_until_the_next_one():
    picture = draw([at(-15, 1.0), at(0, 2.0)], SINCE, UNTIL, now=UNTIL)

    (line,) = map(points, picture.lines)
    assert [x for x, _ in line] == [LEFT, 164, 164, RIGHT]
    assert line[0][1] == line[1][1] > line[2][1] == line[3][1]
    assert (picture.lowest, picture.highest) == (1.0, 2.0)


def test_where_nothing_is_known_is_a_gap():
    picture = draw([at(-15, 1.0), at(-5, None, SILENT), at(5, 3.0)], SINCE, UNTIL, now=UNTIL)

    assert len(picture.lines) == 2
    assert points(picture.lines[0])[-1][0] < points(picture.lines[1])[0][0]


def test_what_was_before_is_the_beginning_and_what_comes_after_is_not_drawn():
    picture = draw([at(-40, 5.0), at(40, 9.0)], SINCE, UNTIL, now=NOW)

    assert [x for x, _ in points(picture.lines[0])] == [LEFT, 164]
    assert picture.now_x == 164
    assert picture.highest == 5.0


def test_limit_alarm_and_marks_have_their_place():
    marks = [Mark(NOW, "report", "said", "1"), Mark(UNTIL + timedelta(hours=1), "shift", "later", "2")]
    picture = draw([at(-15, 1.0)], SINCE, UNTIL, now=UNTIL, limit=4.0, spans=[(NOW, None)], marks=marks)

    assert picture.limit_y is not None
    assert TOP <= picture.limit_y < points(picture.lines[0])[0][1]
    assert picture.spans == [(164, RIGHT)]
    assert picture.marks == [(164, marks[0])]


@pytest.mark.parametrize("samples", [[], [at(0, "a text")], [at(0, float("nan"))], [at(20, 1.0)]])
def test_of_nothing_nothing_is_drawn(samples):
    picture = draw(samples, SINCE, UNTIL, now=UNTIL, limit=3.0)

    assert (picture.lines, picture.lowest) == ([], None)


def test_many_values_become_no_more_points_than_one_can_see_and_no_peak_is_lost():
    chance = random.Random(2)
    samples = [at(-15 + n / 200, chance.uniform(10, 20)) for n in range(6000)]
    samples[3000].value = 90.0

    picture = draw(samples, SINCE, UNTIL, now=UNTIL, height=132)

    (line,) = map(points, picture.lines)
    assert len(line) <= 4 * 330
    assert all(LEFT <= x <= RIGHT and TOP <= y <= 132 - BOTTOM for x, y in line)
    assert picture.highest == 90.0
    assert min(y for _, y in line) < TOP + 10


def test_the_times_below_are_round():
    ticks = draw([], SINCE, UNTIL, now=UNTIL).ticks

    assert [moment.minute for _, moment in ticks] == [50, 0, 10]
