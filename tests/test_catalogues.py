"""Two languages, always complete: what the code says is what the catalogue translates."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from app.kit.i18n import DOMAIN, LANGUAGES, LOCALES

ROOT = Path(__file__).parents[1]
HOLE = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Every message in the code and the templates."""
    file = tmp_path_factory.mktemp("catalogue") / "messages.pot"
    command = ["pybabel", "-q", "extract", "-F", str(ROOT / "pyproject.toml"), "-k", "N_", "-o", str(file), str(ROOT)]
    CommandLineInterface().run(command)
    return read_po(BytesIO(file.read_bytes()))


@pytest.fixture(params=[lang for lang in LANGUAGES if lang != "en"])
def translated(request: pytest.FixtureRequest) -> Catalog:
    return read_po(BytesIO((LOCALES / request.param / "LC_MESSAGES" / f"{DOMAIN}.po").read_bytes()))


def test_every_message_is_translated(said: Catalog, translated: Catalog) -> None:
    missing = [m.id for m in said if m.id and not _texts(translated.get(_one(m.id)))]
    assert not missing, f"run `make messages` and translate: {missing[:10]} and {len(missing)} in all"


def test_nothing_is_translated_that_nobody_says(said: Catalog, translated: Catalog) -> None:
    obsolete = [m.id for m in translated if m.id and _one(m.id) not in {_one(s.id) for s in said if s.id}]
    assert not obsolete, f"run `make messages`: {obsolete[:10]}"


def test_no_translation_is_a_guess(translated: Catalog) -> None:
    assert [m.id for m in translated if m.id and m.fuzzy] == []


def test_holes_are_the_same_in_both(translated: Catalog) -> None:
    for message in translated:
        if message.id:
            wanted = set(HOLE.findall(_one(message.id)))
            for text in _texts(message):
                assert set(HOLE.findall(text)) <= wanted, message.id


def test_every_text_can_be_filled_in(translated: Catalog) -> None:
    """A bare per cent sign would be taken for a hole, and the page would fall over: it is written twice."""
    for message in translated:
        for text in (_one(message.id), *_texts(message)):
            assert isinstance(text % dict.fromkeys(HOLE.findall(text), ""), str)


def _one(message_id: object) -> str:
    return str(message_id[0] if isinstance(message_id, list | tuple) else message_id)


def _texts(message: object) -> list[str]:
    text = getattr(message, "string", None)
    texts = list(text) if isinstance(text, list | tuple) else [text]
    return [t for t in texts if t]
