"""The words of the phone check, and the names its script knows."""

import re

import pytest

from app.kit.pwa import FRONTEND
from app.people.checks import heard
from app.people.phonecheck import ROWS, Tone
from app.plant.codes import ALPHABET

SCRIPT = (FRONTEND / "js" / "checkup.js").read_text("utf-8")
FINDINGS = [(key, said, finding) for key, row in ROWS.items() for said, finding in row.findings.items()]


def test_the_script_checks_the_rows_there_are():
    checks = SCRIPT[SCRIPT.index("export const checks") :]

    assert re.findall(r"^  (?:async )?(\w+)(?:\(.*\) {|: )", checks, re.MULTILINE) == list(ROWS)


@pytest.mark.parametrize(("key", "said"), [(key, said) for key, said, _ in FINDINGS if key != "chat"])
def test_everything_that_has_words_can_be_found(key, said):
    assert re.search(rf"\b{said}\b", SCRIPT)


def test_a_check_that_falls_over_says_something_that_has_words():
    broken = dict(re.findall(r'(\w+): "(\w+)"', SCRIPT[SCRIPT.index("BROKEN") : SCRIPT.index("export const checks")]))

    assert broken.keys() == ROWS.keys()
    assert all(said in ROWS[key].findings for key, said in broken.items())


@pytest.mark.parametrize(("key", "said", "finding"), FINDINGS)
def test_a_cross_says_what_to_do(key, said, finding):
    assert bool(finding.fix) or finding.tone != Tone.BAD


@pytest.mark.parametrize(
    ("spoken", "code"),
    [("K7Q2MX", "K7Q2MX"), ("k7q 2mx", "K7Q2MX"), ("K7Q-2MX", "K7Q2MX"), ("OIL0IL", "011011"), ("", ""), ("../me", "")],
)
def test_a_code_is_heard_as_people_read_it_out(spoken, code):
    assert heard(spoken) == code
    assert set(code) <= set(ALPHABET)
