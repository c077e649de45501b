"""Three foreign keys less on what a flood writes: site and line of an anomaly and the station of an occurrence.

They repeat what the anomaly's own station says; on PostgreSQL checking them again was a tenth of what an alarm edge
costs. Old rows keep what they say. SQLite builds both tables anew, which takes some seconds for a million rows.
"""

from alembic import op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEYS = (("anomaly", "site_id", "site"), ("anomaly", "line_id", "line"), ("occurrence", "station_id", "station"))
NAMES = {"fk": "fk_%(table_name)s_%(column_0_name)s"}  # SQLite's keys have none of their own
LOST = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'anomaly' AND sql LIKE '%IS NULL)%'")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column, _ in KEYS:
            op.drop_constraint(f"{table}_{column}_fkey", table, type_="foreignkey")
        return
    indexes = op.get_bind().execute(LOST).scalars().all()  # on expressions: what builds the table anew loses them
    for table, column, _ in KEYS:
        with op.batch_alter_table(table, naming_convention=NAMES) as batch:
            batch.drop_constraint(f"fk_{table}_{column}", type_="foreignkey")
    for index in indexes:
        op.execute(index)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column, other in KEYS:
            op.create_foreign_key(f"{table}_{column}_fkey", table, other, [column], ["id"])
        return
    indexes = op.get_bind().execute(LOST).scalars().all()
    for table, column, other in KEYS:
        with op.batch_alter_table(table, naming_convention=NAMES) as batch:
            batch.create_foreign_key(f"fk_{table}_{column}", other, [column], ["id"])
    for index in indexes:
        op.execute(index)
