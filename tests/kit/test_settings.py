"""Every setting is a decision an operator can understand; a name nobody knows is an error."""

import pytest

from app.kit.pwa import ROOT
from app.settings import PREFIX, Settings, describe, load


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_decides(name):
    description = Settings.model_fields[name].description or ""

    assert description.endswith((".", "log collector."))
    assert len(description.split()) > 2


def test_the_example_is_current():
    example = (ROOT / ".env.example").read_text("utf-8")

    assert example.rstrip() == describe().rstrip(), "write it anew: pullcord settings > .env.example"


def test_a_typing_mistake_does_not_silently_mean_the_default(monkeypatch):
    monkeypatch.setenv(f"{PREFIX}DATABSE_URL", "postgresql://plant")

    with pytest.raises(SystemExit, match="PULLCORD_DATABSE_URL"):
        load()


def test_sqlite_and_a_folder_need_no_setting(tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path)

    assert settings.database == f"sqlite:///{tmp_path / 'pullcord.db'}"
    assert settings.storage.startswith("file:///")


def test_a_value_that_cannot_be_is_a_sentence_that_repeats_no_secret(monkeypatch):
    monkeypatch.setenv("PULLCORD_PORT", "s3cret")
    with pytest.raises(SystemExit) as refusal:
        load()
    assert "PULLCORD_PORT" in str(refusal.value)
    assert "s3cret" not in str(refusal.value)
