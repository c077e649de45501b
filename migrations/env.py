"""Alembic's entry: the address comes from whoever calls (`app/kit/migrate.py`), the tables from `app/tables.py`."""

import warnings

from alembic import context
from sqlalchemy import event

from app.kit.db import connect
from app.tables import metadata

target_metadata = metadata


warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")


def run() -> None:
    url = context.config.attributes.get("url") or context.config.get_main_option("sqlalchemy.url")
    engine = connect(str(url), writer=True)
    if engine.dialect.name == "sqlite":
        # A table that is built anew is gone for a moment: its children must not mind. They are looked at in the end.
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
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
            if connection.dialect.name == "sqlite":
                orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if orphans:
                    raise RuntimeError(f"The migration would leave rows without what they belong to: {orphans[:5]}")
    engine.dispose()


run()
