"""Five foreign keys less on what a flood writes: site, line, team, shift of an anomaly, the station of an occurrence.

They are copies of what was true then, and what they name is never deleted; on PostgreSQL checking them was a fifth of
what an alarm edge costs. Old rows keep what they say. SQLite builds both tables anew: seconds for a million rows.
"""

from alembic import op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEYS = {
    "anomaly": {"site_id": "site", "line_id": "line", "team_id": "team", "shift_id": "shift"},
    "occurrence": {"station_id": "station"},
}
NAMES = {"fk": "fk_%(table_name)s_%(column_0_name)s"}  # SQLite's keys have none of their own
LOST = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'anomaly' AND sql LIKE '%IS NULL)%'")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in KEYS.items():
            for column in columns:
                op.drop_constraint(f"{table}_{column}_fkey", table, type_="foreignkey")
        return
    indexes = op.get_bind().execute(LOST).scalars().all()  # on expressions: what builds the table anew loses them
    for table, columns in KEYS.items():
        with op.batch_alter_table(table, naming_convention=NAMES) as batch:
            for column in columns:
                batch.drop_constraint(f"fk_{table}_{column}", type_="foreignkey")
    for index in indexes:
        op.execute(index)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in KEYS.items():
            for column, other in columns.items():
                op.create_foreign_key(f"{table}_{column}_fkey", table, other, [column], ["id"])
        return
    indexes = op.get_bind().execute(LOST).scalars().all()
    for table, columns in KEYS.items():
        with op.batch_alter_table(table, naming_convention=NAMES) as batch:
            for column, other in columns.items():
                batch.create_foreign_key(f"fk_{table}_{column}", other, [column], ["id"])
    for index in indexes:
        op.execute(index)
