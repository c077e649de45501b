"""Public holidays come from the country of the site's timezone; China also works some weekends to make up for them."""

from datetime import date

from app.rosters.holidays import public_days


def test_china_as_it_was_announced():
    public = public_days("Asia/Shanghai", date(2026, 9, 20), date(2026, 10, 11))

    assert sorted(public.free) == [*(date(2026, 9, n) for n in (25, 26, 27)), *(date(2026, 10, n) for n in range(1, 8))]
    assert public.free[date(2026, 10, 1)] == {"en": "National Day", "zh": "国庆节"}
    assert public.extra == {date(2026, 9, 20), date(2026, 10, 10)}


def test_a_year_that_is_not_announced_yet_has_its_fixed_days():
    public = public_days("Asia/Shanghai", date(2027, 9, 30), date(2027, 10, 2))

    assert date(2027, 10, 1) in public.free


def test_another_country_and_the_turn_of_the_year():
    public = public_days("Europe/Berlin", date(2026, 12, 20), date(2027, 1, 5))

    assert sorted(public.free) == [date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)]
    assert public.free[date(2026, 12, 25)]["en"] == "Christmas Day"


def test_a_zone_of_no_country_has_none():
    assert public_days("UTC", date(2026, 1, 1), date(2026, 12, 31)).free == {}
