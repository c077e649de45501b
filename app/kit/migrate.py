"""Bringing a database to this version's tables, and drafting the next step when the tables have changed.

Alembic takes half a second to load, and most starts find nothing to do: it is loaded when there is.
"""

import argparse
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from app.kit.clock import utcnow
from app.kit.db import connect

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parents[2] / "migrations"
REVISION = re.compile(r"^revision = ['\"](\w+)['\"]", re.MULTILINE)


def upgrade(url: str) -> None:
    """Run all migrations the database has not seen. Safe to repeat."""
    if stands_at(url) != newest():
        from alembic import command

        command.upgrade(config(url), "head")


def stands_at(url: str) -> str | None:
    """Return the last migration the database has seen; None when it has seen none."""
    engine = connect(url, writer=False)
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except DBAPIError:  # no such table; what else may be wrong, the migration says better
        return None
    finally:
        engine.dispose()


def newest() -> str:
    """Return the last migration of this version: their files are named after the time they were drafted."""
    [revision] = REVISION.findall(max((FOLDER / "versions").glob("*.py")).read_text())
    return str(revision)


def config(url: str) -> "Config":
    """Return Alembic's configuration for a database."""
    from alembic.config import Config

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

    from alembic import command

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
