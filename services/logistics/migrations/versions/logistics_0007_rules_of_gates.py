"""Rules of gates in versions, and passages that late reads change.

The rules that a gate has become its first version. Reads are found by their time from now on; which passage they were worked
off with is no longer written down.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "logistics_0007"
down_revision = "logistics_0006"
branch_labels = None
depends_on = None

FIRST_VERSIONS = """
INSERT INTO gate_rules (gate_id, version, rules, made_at, made_by)
SELECT id, 1, jsonb_build_object(
    'closing_ms', round(extract(epoch FROM closing) * 1000)::int,
    'longest_s', round(extract(epoch FROM longest))::int,
    'ghost_reads', ghost_reads, 'ghost_rssi_dbm', ghost_rssi_dbm,
    'clock_skew_s', round(extract(epoch FROM clock_skew))::int), created_at, NULL
FROM gate
"""


def upgrade() -> None:
    op.create_table(
        "gate_rules",
        sa.Column("gate_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("gate_id", "version", name=op.f("pk_gate_rules")),
    )
    op.execute(FIRST_VERSIONS)
    for table, columns in TABLES.items():
        keys = [column.name for column in columns if column.info.get("key")]
        op.create_table(table, *columns, sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")))
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.drop_index("ix_tag_read_waiting", "tag_read")
    op.create_index("ix_tag_read_time", "tag_read", ["gate_id", "at"])
    late = sa.text("mark = 'late'")
    op.create_index("ix_tag_read_late", "tag_read", ["gate_id", "at"], postgresql_where=late)
    op.create_index("ix_sighting_epc", "sighting", ["epc", "last_seen"])
    standing = sa.text("state = 'closed'")
    op.create_index("ix_passage_standing", "passage", ["gate_id", "first_seen"], postgresql_where=standing)


def _text(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable, info={"key": key})


def _time(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, info={"key": key})


TABLES = {
    "gate_edge": (
        _text("gate_id", key=True),
        _time("at", key=True),
        sa.Column("is_high", sa.Boolean(), nullable=False, info={"key": True}),
    ),
    "reader_watermark": (
        _text("gate_id", key=True),
        _text("reader_id", key=True),
        _time("heard_at"),
        _time("seen_until"),
    ),
    "tag_slot": (
        _text("gate_id", key=True),
        _text("epc", key=True),
        sa.Column("slot", sa.BigInteger(), nullable=False, info={"key": True}),
    ),
    "parked_tag": (_text("gate_id", key=True), _text("epc", key=True), _time("since", key=True), _time("until")),
}
COLUMNS = {
    "tag_read": (
        _text("reader_id", nullable=True),
        _time("reader_at", nullable=True),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("pc", sa.Integer(), nullable=True),
        _text("mark", nullable=True),
    ),
    "passage_delivery": (sa.Column("departs", sa.Boolean(), server_default="false", nullable=False),),
    "passage": (
        sa.Column("event_ids", sa.ARRAY(sa.Text()), nullable=True),
        _time("heard_at", nullable=True),
        _time("changed_from", nullable=True),
        _time("changed_until", nullable=True),
        _time("late_from", nullable=True),
        _time("late_until", nullable=True),
        _time("delayed_from", nullable=True),
        _time("delayed_until", nullable=True),
        _time("delayed_due", nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _text("superseded_by", nullable=True),
        _time("taken_back_at", nullable=True),
        sa.Column("has_beam", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_late", sa.Boolean(), server_default="false", nullable=False),
        _text("digest", nullable=True),
        sa.Column("rules_version", sa.Integer(), nullable=True),
        _text("verdict", nullable=True),
        _text("plate", nullable=True),
        sa.Column("reasons", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    ),
    "sighting": (
        _text("direction", nullable=True),
        _text("by", nullable=True),
        sa.Column("contradicts", sa.Boolean(), server_default="false", nullable=False),
        _text("lost_to", nullable=True),
    ),
}
