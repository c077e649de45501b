"""The demonstration plant itself: one site, two shops, two lines, twelve stations, numbered as in DEMO_TAGS."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from app.plant.models import Area, Line, Site, Station

SITE = {"en": "Demonstration plant", "zh": "演示工厂"}
TIMEZONE = "Asia/Shanghai"
PRESS_7 = "7K3Q"


@dataclass(frozen=True, slots=True)
class Place:
    """One station. `share` is its part of all trouble, `troubles` what kind it has, both in any unit."""

    code: str
    en: str
    zh: str
    share: int
    troubles: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One line with its stations, in the order material takes."""

    en: str
    zh: str
    area: Mapping[str, str]
    places: tuple[Place, ...]


LINES = (
    Row(
        "Line 3",
        "三号线",
        {"en": "Press shop", "zh": "冲压车间"},
        (
            Place("5H2W", "Press 5", "5 号冲压机", 11, {"machine": 6, "quality": 2, "material": 2, "safety": 1}),
            Place("6N8D", "Press 6", "6 号冲压机", 9, {"machine": 6, "quality": 3, "material": 1, "measurement": 1}),
            Place(
                PRESS_7,
                "Press 7",
                "7 号冲压机",
                24,
                {"machine": 12, "quality": 6, "material": 3, "safety": 1, "man": 1},
            ),
            Place("4C9X", "Conveyor", "输送机", 6, {"machine": 6, "safety": 1, "environment": 1}),
            Place("8F5T", "Curing oven", "固化炉", 15, {"method": 8, "machine": 3, "quality": 2, "environment": 1}),
            Place("2G7B", "Deburring machine", "去毛刺机", 3, {"machine": 4, "environment": 2, "safety": 1}),
        ),
    ),
    Row(
        "Line 4",
        "四号线",
        {"en": "Assembly shop", "zh": "总装车间"},
        (
            Place("3W6J", "Welding cell", "焊接单元", 11, {"method": 5, "machine": 4, "environment": 2, "material": 1}),
            Place("9R4S", "Screwing station", "拧紧工位", 9, {"method": 4, "material": 4, "quality": 2, "man": 2}),
            Place("6Q2Y", "Gluing station", "点胶工位", 7, {"method": 4, "quality": 3, "material": 1, "safety": 1}),
            Place("5T8E", "Leak tester", "气密测试台", 5, {"quality": 4, "measurement": 4, "machine": 1}),
            Place("1V3Z", "Clean booth", "洁净间", 2, {"environment": 5, "man": 1}),
            Place("8X7P", "Packing station", "包装工位", 6, {"information": 5, "material": 3, "man": 2}),
        ),
    ),
)
PLACES = tuple(place for row in LINES for place in row.places)


def build(session: Session) -> tuple[Site, list[Line], dict[int, Station]]:
    """Write the plant; return its lines in order and its stations by their number, from 1."""
    site = Site(names=SITE, timezone=TIMEZONE)
    session.add(site)
    session.flush()
    lines: list[Line] = []
    stations: dict[int, Station] = {}
    for row in LINES:
        area = Area(site_id=site.id, names=dict(row.area))
        session.add(area)
        session.flush()
        line = Line(area_id=area.id, names={"en": row.en, "zh": row.zh}, position=len(lines))
        session.add(line)
        session.flush()
        lines.append(line)
        for place in row.places:
            number = len(stations) + 1
            names = {"en": place.en, "zh": place.zh}
            stations[number] = Station(line_id=line.id, site_id=site.id, code=place.code, names=names, position=number)
            session.add(stations[number])
    session.flush()
    return site, lines, stations
