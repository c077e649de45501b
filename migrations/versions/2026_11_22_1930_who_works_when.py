"""Who works when, whose phone was heard, and places that can be rung without being a person.

Old rows keep what they say: nobody has a deputy, channels come in the order of the plant, nothing was missed yet.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chatcode",
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("app", sa.String(length=100), nullable=False),
        sa.Column("chat_user", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("channel", "app", "chat_user"),
    )
    op.create_table(
        "routingversion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "squad",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("names", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("squad", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_squad_site_id"), ["site_id"], unique=False)

    op.create_table(
        "board",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("names_shown", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["area_id"],
            ["area.id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    with op.batch_alter_table("board", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_board_site_id"), ["site_id"], unique=False)

    op.create_table(
        "outlet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("from_rung", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=200), nullable=False),
        sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["line.id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outlet", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outlet_site_id"), ["site_id"], unique=False)

    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum("leave", "sick", "training", "other", name="awayfor", native_enum=False, length=30),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_last_day"), ["last_day"], unique=False)
        batch_op.create_index(batch_op.f("ix_absence_person_id"), ["person_id"], unique=False)

    op.create_table(
        "checkin",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"],
            ["shift.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "shift_id", "day"),
    )
    with op.batch_alter_table("checkin", schema=None) as batch_op:
        batch_op.create_index(
            "checkin_open",
            ["rung_at"],
            unique=False,
            sqlite_where=sa.text("answered_at IS NULL AND silent_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL AND silent_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_checkin_person_id"), ["person_id"], unique=False)

    op.create_table(
        "handovernote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("summary", DOCUMENT, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["line.id"],
        ),
        sa.ForeignKeyConstraint(
            ["received_by_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"],
            ["shift.id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "phonecheck",
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("found", DOCUMENT, nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("code"),
    )
    with op.batch_alter_table("phonecheck", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_phonecheck_checked_at"), ["checked_at"], unique=False)

    op.create_table(
        "squadmember",
        sa.Column("squad_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["squad_id"],
            ["squad.id"],
        ),
        sa.PrimaryKeyConstraint("squad_id", "person_id"),
    )
    with op.batch_alter_table("squadmember", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_squadmember_person_id"), ["person_id"], unique=False)

    op.create_table(
        "swap",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("duty_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("asked", "agreed", "refused", "withdrawn", name="swapstate", native_enum=False, length=30),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["from_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("swap", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_swap_duty_id"), ["duty_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_swap_from_id"), ["from_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_swap_to_id"), ["to_id"], unique=False)

    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True))

    # Not as a batch: SQLite would make the table anew, and lose the indexes it cannot read back (on expressions).
    op.add_column("anomaly", sa.Column("helpers", DOCUMENT, nullable=True))
    op.add_column("anomaly", sa.Column("unseen", sa.Integer(), nullable=False, server_default=sa.text("0")))

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outlet_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("checkin_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("receipt", DOCUMENT, nullable=True))
        batch_op.alter_column("anomaly_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("person_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.create_index(
            "delivery_displayed",
            ["displayed_at"],
            unique=False,
            sqlite_where=sa.text("displayed_at IS NOT NULL"),
            postgresql_where=sa.text("displayed_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_delivery_checkin_id"), ["checkin_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_outlet_id"), ["outlet_id"], unique=False)
        batch_op.create_foreign_key("fk_delivery_checkin_id", "checkin", ["checkin_id"], ["id"])
        batch_op.create_foreign_key("fk_delivery_outlet_id", "outlet", ["outlet_id"], ["id"])

    with op.batch_alter_table("flowversion", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("published_by", sa.String(length=80), nullable=False, server_default=sa.text("''"))
        )

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deputy_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("ways", DOCUMENT, nullable=False, server_default=sa.text("'[]'")))
        batch_op.add_column(sa.Column("quiet_from", sa.Time(), nullable=True))
        batch_op.add_column(sa.Column("quiet_until", sa.Time(), nullable=True))
        batch_op.add_column(sa.Column("calls_muted", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("news_muted", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_foreign_key("fk_person_deputy_id", "person", ["deputy_id"], ["id"])

    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sign", sa.String(length=4), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.drop_column("sign")

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_constraint("fk_person_deputy_id", type_="foreignkey")
        batch_op.drop_column("news_muted")
        batch_op.drop_column("calls_muted")
        batch_op.drop_column("quiet_until")
        batch_op.drop_column("quiet_from")
        batch_op.drop_column("ways")
        batch_op.drop_column("deputy_id")

    with op.batch_alter_table("flowversion", schema=None) as batch_op:
        batch_op.drop_column("published_by")

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_constraint("fk_delivery_checkin_id", type_="foreignkey")
        batch_op.drop_constraint("fk_delivery_outlet_id", type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_delivery_outlet_id"))
        batch_op.drop_index(batch_op.f("ix_delivery_checkin_id"))
        batch_op.drop_index(
            "delivery_displayed",
            sqlite_where=sa.text("displayed_at IS NOT NULL"),
            postgresql_where=sa.text("displayed_at IS NOT NULL"),
        )
        batch_op.alter_column("person_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("anomaly_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.drop_column("receipt")
        batch_op.drop_column("checkin_id")
        batch_op.drop_column("outlet_id")

    op.drop_column("anomaly", "unseen")
    op.drop_column("anomaly", "helpers")

    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.drop_column("proven_at")

    with op.batch_alter_table("swap", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_swap_to_id"))
        batch_op.drop_index(batch_op.f("ix_swap_from_id"))
        batch_op.drop_index(batch_op.f("ix_swap_duty_id"))

    op.drop_table("swap")
    with op.batch_alter_table("squadmember", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_squadmember_person_id"))

    op.drop_table("squadmember")
    with op.batch_alter_table("phonecheck", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_phonecheck_checked_at"))

    op.drop_table("phonecheck")
    op.drop_table("handovernote")
    with op.batch_alter_table("checkin", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkin_person_id"))
        batch_op.drop_index(
            "checkin_open",
            sqlite_where=sa.text("answered_at IS NULL AND silent_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL AND silent_at IS NULL"),
        )

    op.drop_table("checkin")
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_absence_person_id"))
        batch_op.drop_index(batch_op.f("ix_absence_last_day"))

    op.drop_table("absence")
    with op.batch_alter_table("outlet", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outlet_site_id"))

    op.drop_table("outlet")
    with op.batch_alter_table("board", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_board_site_id"))

    op.drop_table("board")
    with op.batch_alter_table("squad", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_squad_site_id"))

    op.drop_table("squad")
    op.drop_table("routingversion")
    op.drop_table("chatcode")
