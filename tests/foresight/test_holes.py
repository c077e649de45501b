"""Gaps as people would tell them: a line is a line, what shares its hours shares its sentence."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.capture.sources.foreseen import observation
from app.foresight import words as foretold
from app.foresight.coverage import Gap, Hole, holes
from app.foresight.holes import Foreseen
from app.plant.models import Station
from tests.factories import id_of

AT = datetime(2026, 11, 29, 14, tzinfo=UTC)
LATER = AT + timedelta(hours=8)
LINES = [id_of("line", name) for name in ("Line 3", "Line 4")]
A, B, C = (
    Station(id=id_of("station", name), line_id=line, site_id=id_of("site", "Suzhou"), code=name, names={"en": name})
    for name, line in (("A", LINES[0]), ("B", LINES[0]), ("C", LINES[1]))
)
WORDS = (
    {LINES[0]: {"en": "Line 3"}, LINES[1]: {"en": "Line 4"}},
    {one.id: one.names for one in (A, B, C)},
    {"machine": {"en": "Machine"}, "quality": {"en": "Quality"}},
)


def gap(
    station: Station, category: str = "machine", severity: int = 1, *, empty: bool = True, ends: datetime = LATER
) -> Gap:
    return Gap(AT, ends, empty, station.line_id, station.id, category, severity)


def told(*gaps: Gap) -> list[str]:
    return [foretold.hole(one, *WORDS) for one in holes(gaps, [A, B, C])]


def test_a_whole_line_is_called_by_its_name_and_a_part_by_its_stations():
    assert told(gap(A), gap(B)) == ["Line 3: Machine, severity 1"]
    assert told(gap(A)) == ["A: Machine, severity 1"]
    assert told(gap(A), gap(B), gap(C)) == ["everywhere: Machine, severity 1"]


def test_severities_in_a_row_are_one_range():
    assert told(*(gap(C, severity=n) for n in (1, 2, 3, 4))) == ["Line 4: Machine, severity 1–4"]
    assert told(gap(C, severity=1), gap(C, severity=3)) == ["Line 4: Machine, severity 1, 3"]


def test_kinds_with_the_same_severities_share_a_sentence():
    assert told(gap(C), gap(C, "quality")) == ["Line 4: everything, severity 1"]
    assert told(gap(C), gap(C, "quality", 2)) == ["Line 4: Machine, severity 1", "Line 4: Quality, severity 2"]


def test_the_worst_of_an_hour_comes_first():
    found = holes([gap(A, empty=False), gap(C)], [A, B, C])

    assert [one.empty for one in found] == [True, False]
    assert isinstance(found[0], Hole)


def test_what_is_looked_for_later_is_what_was_sent_in():
    one = Foreseen(A.id, "2026-W48", "man", {"en": "Nobody would come"})

    assert observation(one, now=AT).fingerprint == one.fingerprint


@pytest.mark.parametrize("other", [{"week": "2026-W49"}, {"number": 1}, {"station_id": B.id}])
def test_another_hole_is_another_observation(other: dict[str, UUID]):
    given = {"station_id": A.id, "week": "2026-W48", "category": "man", "message": {"en": "Nobody would come"}}

    assert observation(Foreseen(**given), now=AT).key != observation(Foreseen(**given | other), now=AT).key
