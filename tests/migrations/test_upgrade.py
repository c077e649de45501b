"""Migrations make exactly the tables the code knows, on both databases, and can be repeated."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlmodel import Session, select

from app.anomaly.models import Anomaly, Event, Occurrence
from app.capture.intake import receive
from app.capture.observation import Kind, Observation
from app.kit.db import connect, finish
from app.kit.ids import new_id
from app.kit.migrate import config, newest, stands_at, upgrade
from app.plant.models import Station
from app.tables import metadata
from tests import factories
from tests.databases import CommittingSession
from tests.factories import MONDAY, id_of


def observation(number: int) -> Observation:
    return Observation(
        key=new_id(), kind=Kind.ALARM, source="opcua", station_id=id_of("station", "Press 7"), category="machine",
        occurred_at=MONDAY, what=f"rule {number}", message="Too hot", captured_at=MONDAY, details={},
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*expression-based index")  # SQLite cannot tell them; PostgreSQL does
def test_the_migrated_tables_are_those_of_the_code(database_url):
    engine = connect(database_url, writer=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_index_of_the_code_is_there(database_url):
    """By name, also those on expressions, which SQLAlchemy cannot read back from SQLite."""
    meant = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname FROM pg_indexes",
    }
    engine = connect(database_url, writer=True)
    with engine.connect() as connection:
        found = set(connection.exec_driver_sql(catalogue[connection.dialect.name]).scalars())
    engine.dispose()

    assert meant - found == set()


def test_to_upgrade_again_changes_nothing(database_url):
    upgrade(database_url)
    upgrade(database_url)

    engine = connect(database_url, writer=True)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_what_was_built_can_be_taken_down_again(database_url):
    assert stands_at(database_url) == newest()

    command.downgrade(config(database_url), "base")

    engine = connect(database_url, writer=True)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    assert stands_at(database_url) is None
    upgrade(database_url)
    assert stands_at(database_url) == newest()


def test_rows_outlive_that_their_table_is_built_anew(database_url):
    tables = (Station, Anomaly, Occurrence, Event)
    engine = connect(database_url, writer=True)
    with CommittingSession(engine) as session:
        factories.plant(session)
        for number in range(20):
            receive(session, [observation(number)], now=MONDAY)
            finish(session)
        before = [list(session.exec(select(table)).all()) for table in tables]
        session.expunge_all()
        session.commit()
    assert len(before[2]) == 20

    command.downgrade(config(database_url), "0002")
    upgrade(database_url)

    with Session(engine) as session:
        assert [list(session.exec(select(table)).all()) for table in tables] == before
    engine.dispose()


def test_a_database_that_was_never_migrated_stands_nowhere(tmp_path):
    assert stands_at(f"sqlite:///{tmp_path}/new.db") is None


def test_every_migration_says_why_and_what_happens_to_old_rows():
    folder = ScriptDirectory.from_config(config("sqlite://"))
    scripts = list(folder.walk_revisions())

    assert all(script.longdoc.strip() for script in scripts), "see 2.8 of the style: what, why, and the old rows"
    assert len([script for script in scripts if script.is_head]) == 1
    assert folder.get_current_head() == newest()
