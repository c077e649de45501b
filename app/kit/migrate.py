"""Bringing a database to this version's tables, and drafting the next step when the tables have changed."""

import argparse
import re
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from app.kit.clock import utcnow

FOLDER = Path(__file__).parents[2] / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Run all migrations the database has not seen. Safe to repeat."""
    command.upgrade(config(url), revision)


def config(url: str) -> Config:
    """Return Alembic's configuration for a database."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.attributes["url"] = url
    return made


def main() -> None:
    """`--check`: fail when the tables differ from what the migrations make. `--draft WHY`: write the next migration."""
    parser = argparse.ArgumentParser(prog="migrate", description=main.__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--draft", metavar="WHY", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = config(f"sqlite:///{folder}/scratch.db")
        command.upgrade(scratch, "head")
        if given.check:
            command.check(scratch)
        if given.draft:
            slug = re.sub(r"\W+", "_", given.draft.lower()).strip("_")[:50]
            stamp = utcnow().strftime("%Y_%m_%d_%H%M")
            scratch.set_main_option("file_template", f"{stamp}_{slug}".replace("%", "%%"))
            command.revision(scratch, message=given.draft, autogenerate=True)


if __name__ == "__main__":
    main()
