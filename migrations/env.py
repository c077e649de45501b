"""Alembic's entry: the address comes from whoever calls (`app/kit/migrate.py`), the tables from `app/tables.py`."""

import warnings

from alembic import context

from app.kit.db import connect
from app.tables import metadata

target_metadata = metadata


warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")


def run() -> None:
    url = context.config.attributes.get("url") or context.config.get_main_option("sqlalchemy.url")
    engine = connect(str(url), writer=True)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # Several processes start at once: one migrates, the others wait and find it done.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7074677)")
            context.run_migrations()
    engine.dispose()


run()
