"""Readers of gates, what is heard of them, who listens to them, and what their lamps are to show."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "logistics_0008"
down_revision = "logistics_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reader",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("gate_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("antennas", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lamp", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader")),
    )
    op.create_index(op.f("ix_reader_gate_id"), "reader", ["gate_id"], unique=False)
    op.create_index(op.f("ix_reader_party_id"), "reader", ["party_id"], unique=False)
    op.create_index("uq_reader_name", "reader", ["gate_id", "name"], unique=True, postgresql_where="state = 'active'")
    op.create_index(
        "uq_reader_address",
        "reader",
        ["host", "port"],
        unique=True,
        postgresql_where="state = 'active' AND kind = 'llrp'",
    )
    op.create_table(
        "reader_pulse",
        sa.Column("reader_id", sa.Text(), nullable=False),
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("boot", sa.Text(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("reader_id", name=op.f("pk_reader_pulse")),
    )
    op.create_table(
        "reader_lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_ready", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("shown", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reader_lease")),
    )
    op.create_table(
        "gate_verdict",
        sa.Column("gate_id", sa.Text(), nullable=False),
        sa.Column("passage_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gate_id", name=op.f("pk_gate_verdict")),
    )
