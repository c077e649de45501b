"""What may be sent, and where one may be sent to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from app.kit.errors import BadInput
from app.kit.http import LONGEST_TEXT, TooLong, check_text, safe_next


@pytest.mark.parametrize("path", ["/", "/queue", "/queue?tab=all", "/s/7K3Q#photo", "/a//b", "/机"])
def test_a_path_on_this_site_is_followed(path):
    assert safe_next(path, "/home") == path


@pytest.mark.parametrize(
    "path",
    ["", "queue", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test",
     "http:/evil.test", "javascript:alert(1)", "/\n/evil.test", "/\t/evil.test", "/\x00", " /queue", "/\u2028",
     "/\\/evil.test"],
)  # fmt: skip
def test_anything_else_is_not(path):
    assert safe_next(path, "/home") == "/home"


@given(st.text(alphabet="/\\:@.?#\t\n %ah\u2028", max_size=12))
def test_nobody_is_ever_sent_to_another_host(path):
    followed = URL("http://plant.test/login").join(URL(safe_next(path, "/home").replace("\\", "/")))

    assert followed.host == "plant.test"


@pytest.mark.parametrize("text", ["", "It rattles", "机器异响 🚨", "a\nb\tc", "\u200b", "x" * LONGEST_TEXT])
def test_what_people_write_is_taken(text):
    check_text(text)


@pytest.mark.parametrize(
    ("text", "refusal"), [("x" * (LONGEST_TEXT + 1), TooLong), ("a\x00b", BadInput), ("\ud800", BadInput)]
)
def test_what_no_person_writes_is_refused(text, refusal):
    with pytest.raises(refusal):
        check_text(text)
