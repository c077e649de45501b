"""The language and the wall clock of whoever reads."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import i18n
from app.kit.errors import N_

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def shanghai():
    before = i18n.language.set("en"), i18n.timezone.set("Asia/Shanghai")
    yield
    i18n.language.reset(before[0])
    i18n.timezone.reset(before[1])


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "fallback"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("de-DE,de;q=0.9,en;q=0.5,zh;q=0.6", "zh"),
        ("en;q=0.5, zh;q=0.9", "zh"),
        ("de,fr", "fallback"),
        ("*", "fallback"),
        ("en;q=abc,zh", "zh"),
        (",,;;", "fallback"),
        ("en;q=0", "en"),
    ],
)
def test_the_first_language_somebody_asks_for_that_we_speak(asked, language):
    assert i18n.negotiate(asked, "fallback") == language


@given(st.text(max_size=60))
def test_no_header_is_too_strange(asked):
    assert i18n.negotiate(asked, "en") in i18n.LANGUAGES


def test_a_sentence_is_translated_with_what_stands_in_its_holes():
    message = N_(
        "This is not possible any more: it is “%(status)s” now. Nothing was changed. Reload to see the latest."
    )

    english = i18n.sentence(message, {"status": "accepted"}, lang="en")
    chinese = i18n.sentence(message, {"status": "accepted"}, lang="zh")

    assert "“accepted”" in english
    assert "accepted" not in chinese


def test_a_percent_sign_in_what_people_wrote_harms_nothing():
    assert i18n.sentence("%(who)s has it.", {"who": "100 %s"}, lang="en") == "100 %s has it."


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (None, ""),
        ({}, ""),
        ({"zh": "冲压机"}, "冲压机"),
        ({"en": "", "zh": "冲压机"}, "冲压机"),
        ({"en": "Press", "zh": "冲"}, "Press"),
    ],
)
def test_a_name_in_this_language_or_in_any_there_is(names, shown):
    assert i18n.named(names) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d"),
    ],
)
def test_a_length_of_time_is_one_short_number(seconds, shown):
    assert i18n.elapsed(seconds) == shown


def test_moments_are_shown_on_the_wall_of_the_site():
    assert i18n.clock(NOON) == "12:00:00"
    assert i18n.when(NOON, now=NOON) == "12:00"
    assert i18n.when(NOON - timedelta(hours=12, minutes=1), now=NOON) == "22 Nov 23:59"


def test_moments_in_chinese():
    i18n.language.set("zh")

    assert i18n.when(NOON - timedelta(days=2), now=NOON) == "11月21日 12:00"
