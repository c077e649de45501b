"""Conditions of OPC UA servers, certificates, shelves, versions of alarm rules, kept history and evidence.

Old rows keep what they say: no rule has more than a limit, no source has a login, nothing was shelved.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidencereader",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "hottag",
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tag_id"),
    )
    op.create_table(
        "shelf",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "subject", sa.Enum("rule", "condition", name="subject", native_enum=False, length=30), nullable=False
        ),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("one_shot", "timed", "out_of_service", name="shelfkind", native_enum=False, length=30),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("shelf", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shelf_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "stretch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("begins", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step_s", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("lowest", sa.Float(), nullable=True),
        sa.Column("highest", sa.Float(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("stretch", schema=None) as batch_op:
        batch_op.create_index("stretch_age", ["step_s", "ends"], unique=False)
        batch_op.create_index("stretch_tag", ["tag_id", "begins"], unique=False)

    op.create_table(
        "servercertificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=95), nullable=False),
        sa.Column("trusted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trusted_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("servercertificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_servercertificate_source_id"), ["source_id"], unique=False)

    op.create_table(
        "condition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.String(length=500), nullable=False),
        sa.Column("branch", sa.String(length=500), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source_name", sa.String(length=200), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("acked", sa.Boolean(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=True),
        sa.Column("retain", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.String(length=20), nullable=False),
        sa.Column("quality", sa.String(length=60), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["station_id"],
            ["station.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("condition", schema=None) as batch_op:
        batch_op.create_index("condition_source", ["source_id", "announced"], unique=False)

    op.create_table(
        "conditionplace",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("said", sa.String(length=500), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["station_id"],
            ["station.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id", "said"),
    )
    op.create_table(
        "conditionanswer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("condition_id", sa.Uuid(), nullable=False),
        sa.Column("anomaly_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.Enum("acknowledge", "confirm", name="act", native_enum=False, length=30), nullable=False),
        sa.Column("comment", sa.String(length=300), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "done", "refused", "void", name="answerstate", native_enum=False, length=30),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=60), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(["condition_id"], ["condition.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("conditionanswer", schema=None) as batch_op:
        batch_op.create_index(
            "conditionanswer_due",
            ["source_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_conditionanswer_condition_id"), ["condition_id"], unique=False)

    op.create_table(
        "evidencetag",
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column(
            "part",
            sa.Enum("alarm", "chosen", "suspect", "batch", "product", name="part", native_enum=False, length=30),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["station_id"],
            ["station.id"],
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("station_id", "tag_id"),
    )
    op.create_table(
        "override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("anomaly_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["anomaly_id"],
            ["anomaly.id"],
        ),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["station_id"],
            ["station.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_override_station_id"), ["station_id"], unique=False)

    op.create_table(
        "snapshot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("anomaly_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("moment", sa.Enum("alarm", "normal", name="moment", native_enum=False, length=30), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("tag_id", sa.Uuid(), nullable=True),
        sa.Column("limit", sa.Float(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["anomaly_id"],
            ["anomaly.id"],
        ),
        sa.ForeignKeyConstraint(
            ["station_id"],
            ["station.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_anomaly_id"), ["anomaly_id"], unique=False)
        batch_op.create_index(
            "snapshot_running",
            ["until"],
            unique=False,
            sqlite_where=sa.text("frozen_at IS NULL"),
            postgresql_where=sa.text("frozen_at IS NULL"),
        )

    op.create_table(
        "ruleversion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["alarmrule.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule_id", "number"),
    )
    op.create_table(
        "snapshottag",
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column(
            "part",
            sa.Enum("alarm", "chosen", "suspect", "batch", "product", name="part", native_enum=False, length=30),
            nullable=False,
        ),
        sa.Column("names", DOCUMENT, nullable=False),
        sa.Column("place", DOCUMENT, nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("was", sa.Float(), nullable=True),
        sa.Column("became", sa.Float(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("snapshot_id", "tag_id"),
    )
    op.create_table(
        "tuning",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("was_deadband", sa.Float(), nullable=False),
        sa.Column("was_on_delay_s", sa.Float(), nullable=False),
        sa.Column("was_off_delay_s", sa.Float(), nullable=False),
        sa.Column("deadband", sa.Float(), nullable=False),
        sa.Column("on_delay_s", sa.Float(), nullable=False),
        sa.Column("off_delay_s", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["alarmrule.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("tuning", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tuning_rule_id"), ["rule_id"], unique=False)

    op.create_table(
        "withheld",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["alarmrule.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("withheld", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withheld_rule_id"), ["rule_id"], unique=False)

    with op.batch_alter_table("alarmrule", schema=None) as batch_op:
        batch_op.add_column(sa.Column("extras", DOCUMENT, nullable=False, server_default=sa.text("'[]'")))
        batch_op.add_column(sa.Column("reset_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("alarmstate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withheld", sa.String(length=20), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("first_rule_id", sa.Uuid(), nullable=True))

    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "policy",
                sa.Enum(
                    "None",
                    "Basic256Sha256",
                    "Aes128_Sha256_RsaOaep",
                    "Aes256_Sha256_RsaPss",
                    name="policy",
                    native_enum=False,
                    length=30,
                ),
                nullable=False,
                server_default=sa.text("'None'"),
            )
        )
        batch_op.add_column(
            sa.Column(
                "mode",
                sa.Enum("None", "Sign", "SignAndEncrypt", name="mode", native_enum=False, length=30),
                nullable=False,
                server_default=sa.text("'None'"),
            )
        )
        batch_op.add_column(
            sa.Column(
                "login",
                sa.Enum("anonymous", "name", "certificate", name="login", native_enum=False, length=30),
                nullable=False,
                server_default=sa.text("'anonymous'"),
            )
        )
        batch_op.add_column(sa.Column("sealed", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("isolated", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("bad_values", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("clock_offset_s", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("overflows", sa.Integer(), nullable=False, server_default=sa.text("0")))

    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.add_column(sa.Column("eu_low", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("eu_high", sa.Float(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.drop_column("eu_high")
        batch_op.drop_column("eu_low")

    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.drop_column("overflows")
        batch_op.drop_column("clock_offset_s")
        batch_op.drop_column("bad_values")
        batch_op.drop_column("isolated")
        batch_op.drop_column("sealed")
        batch_op.drop_column("login")
        batch_op.drop_column("mode")
        batch_op.drop_column("policy")

    with op.batch_alter_table("alarmstate", schema=None) as batch_op:
        batch_op.drop_column("first_rule_id")
        batch_op.drop_column("withheld")

    with op.batch_alter_table("alarmrule", schema=None) as batch_op:
        batch_op.drop_column("reset_at")
        batch_op.drop_column("extras")

    with op.batch_alter_table("withheld", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_withheld_rule_id"))

    op.drop_table("withheld")
    with op.batch_alter_table("tuning", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tuning_rule_id"))

    op.drop_table("tuning")
    op.drop_table("snapshottag")
    op.drop_table("ruleversion")
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_index(
            "snapshot_running", sqlite_where=sa.text("frozen_at IS NULL"), postgresql_where=sa.text("frozen_at IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_snapshot_anomaly_id"))

    op.drop_table("snapshot")
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_override_station_id"))

    op.drop_table("override")
    op.drop_table("evidencetag")
    with op.batch_alter_table("conditionanswer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conditionanswer_condition_id"))
        batch_op.drop_index(
            "conditionanswer_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )

    op.drop_table("conditionanswer")
    op.drop_table("conditionplace")
    with op.batch_alter_table("condition", schema=None) as batch_op:
        batch_op.drop_index("condition_source")

    op.drop_table("condition")
    with op.batch_alter_table("servercertificate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_servercertificate_source_id"))

    op.drop_table("servercertificate")
    with op.batch_alter_table("stretch", schema=None) as batch_op:
        batch_op.drop_index("stretch_tag")
        batch_op.drop_index("stretch_age")

    op.drop_table("stretch")
    with op.batch_alter_table("shelf", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shelf_subject_id"))

    op.drop_table("shelf")
    op.drop_table("hottag")
    op.drop_table("evidencereader")
